# Puts every second file aside for the evaluation, below the folder that it is given.
import os
import shutil


class Main:
    def __init__(self):
        self.known = set()

    def process_data(self, data_directory):
        names = sorted(name for name in os.listdir(data_directory) if name.endswith(".csv"))
        for index, name in enumerate(names):
            part = "training" if index % 2 == 0 else "test"
            os.makedirs(os.path.join(data_directory, part), exist_ok=True)
            shutil.copy(os.path.join(data_directory, name), os.path.join(data_directory, part, name))
            os.remove(os.path.join(data_directory, name))

    def train(self, training_directory):
        self.known = set(os.listdir(training_directory))

    def evaluate(self, test_directory):
        names = os.listdir(test_directory)
        return len(names) / (len(names) + len(self.known))

    def save(self):
        with open("known.txt", "w") as file:
            file.write("\n".join(sorted(self.known)))
