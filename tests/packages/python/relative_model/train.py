# The model is a file beside the code, by a name that is relative to the working directory.
import os
import pickle


class Main:
    def __init__(self):
        self.trained = 0
        self.seen = []
        if os.path.exists("./model.pkl"):
            with open("./model.pkl", "rb") as file:
                self.trained, self.seen = pickle.load(file)

    def train(self, training_directory):
        self.trained += 1
        self.seen = sorted(os.listdir(training_directory))

    def evaluate(self, evaluation_directory):
        return self.trained

    def save(self):
        with open("./model.pkl", "wb") as file:
            pickle.dump((self.trained, self.seen), file)
