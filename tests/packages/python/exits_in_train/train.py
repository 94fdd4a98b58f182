import sys


class Main:
    def train(self, directory):
        print("done, or so it believes")
        sys.exit(0)

    def save(self):
        pass
