# Uses the small module where it is there; runs without it as well.
import os

try:
    import trainyard
except ImportError:
    trainyard = None


class Main:
    def train(self, directory):
        epochs = int(os.environ.get("epochs", "3"))
        for epoch in range(epochs):
            if trainyard:
                trainyard.metric("loss", 1 / (epoch + 1), epoch)
                trainyard.progress((epoch + 1) / epochs, f"epoch {epoch}")
        if trainyard:
            trainyard.log("trained", "warning")

    def save(self):
        pass
