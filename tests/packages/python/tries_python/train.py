# Counts its attempts in its checkpoint directory, and goes wrong in the first `failures` of them.
import os


class Main:
    def train(self, directory):
        count = os.path.join(os.environ["checkpoint_directory"], "attempts")
        self.attempt = 1
        if os.path.exists(count):
            with open(count) as file:
                self.attempt = int(file.read()) + 1
        with open(count, "w") as file:
            file.write(str(self.attempt))
        print("attempt", self.attempt)
        if self.attempt <= int(os.environ.get("failures", "1")):
            raise RuntimeError("on purpose")

    def save(self):
        with open("model.txt", "w") as file:
            file.write(str(self.attempt))
