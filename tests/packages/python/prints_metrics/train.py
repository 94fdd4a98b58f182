# Knows nothing of Trainyard; its manifest says how to read what it prints.
import sys


class Main:
    def train(self, directory):
        for epoch in range(1, 5):
            print(f"epoch {epoch}, loss: {1 / epoch}")
        print("accuracy=0.75", file=sys.stderr, end="")

    def save(self):
        pass
