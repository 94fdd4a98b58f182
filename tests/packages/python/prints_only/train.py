import logging
import sys


class Main:
    def __init__(self):
        print("ready")

    def train(self, directory):
        print("accuracy: 0.5")
        print("a warning", file=sys.stderr)
        logging.warning("from logging")
        print("no newline at the end", end="")

    def save(self):
        pass
