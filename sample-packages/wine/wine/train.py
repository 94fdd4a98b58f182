"""Tells the cultivators of wines apart by what a chemical analysis found in them."""

import csv
import os
import random

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODEL = "./model/wine.joblib"
LABEL = "cultivator"


def read(directory):
    """The measurements and the cultivators of all tables in a folder."""
    measured, cultivators = [], []
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".csv"):
            continue
        with open(os.path.join(directory, name), newline="") as table:
            for row in csv.DictReader(table):
                cultivators.append(int(row.pop(LABEL)))
                measured.append([float(value) for value in row.values()])
    if not measured:
        raise ValueError(f"there is no table with wines in {directory}")
    return measured, cultivators


class Main:
    def __init__(self):
        self.model = joblib.load(MODEL) if os.path.exists(MODEL) else None

    def process_data(self, directory):
        """Puts a quarter of the wines aside for the evaluation, the same ones each time."""
        for name in sorted(os.listdir(directory)):
            if not name.endswith(".csv"):
                continue
            with open(os.path.join(directory, name), newline="") as table:
                header, *wines = table.readlines()
            random.Random(1).shuffle(wines)
            test = len(wines) // 4
            for part, lines in (("test", wines[:test]), ("training", wines[test:])):
                with open(os.path.join(directory, part, name), "w", newline="") as out:
                    out.writelines([header, *lines])

    def train(self, training_directory):
        measured, cultivators = read(training_directory)
        strength = float(os.environ.get("regularization", "1.0"))
        self.model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / strength, max_iter=1000))
        self.model.fit(measured, cultivators)
        print(f"trained on {len(measured)} wines, accuracy on them: {self.model.score(measured, cultivators):.4f}")

    def evaluate(self, evaluation_directory):
        measured, cultivators = read(evaluation_directory)
        report = os.path.join(os.environ.get("artifacts_directory", "artifacts"), "confusion_matrix.csv")
        with open(report, "w", newline="") as out:
            csv.writer(out).writerows(confusion_matrix(cultivators, self.model.predict(measured)))
        return self.model.score(measured, cultivators)

    def save(self):
        os.makedirs(os.path.dirname(MODEL), exist_ok=True)
        joblib.dump(self.model, MODEL)
