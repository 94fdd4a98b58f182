"""Answers questions about one wine: a JSON list of its thirteen measurements."""

import json

import joblib


class Main:
    def __init__(self):
        self.model = joblib.load("./model/wine.joblib")

    def predict(self, skill_input):
        measured = json.loads(skill_input)
        return json.dumps({"cultivator": int(self.model.predict([measured])[0])})
