import json


class Main:
    def __init__(self):
        pass

    def predict(self, skill_input):
        return json.dumps({"echo": skill_input})
