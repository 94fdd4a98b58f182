# Goes wrong where and how the variable `fault` says: "train throws", "save crashes" …
import os
import signal
import time


def meet(verb):
    place, _, kind = os.environ.get("fault", "").partition(" ")
    if place != verb:
        return
    if kind == "throws":
        raise RuntimeError("on purpose")
    if kind == "fills":
        raise MemoryError("on purpose")
    if kind == "exits":
        os._exit(0)
    if kind == "crashes":
        os.kill(os.getpid(), signal.SIGKILL)
    while kind == "hangs":
        try:
            time.sleep(0.01)
        except BaseException:
            pass


class Main:
    def process_data(self, directory):
        meet("process_data")

    def train(self, directory):
        meet("train")

    def save(self):
        meet("save")

    def evaluate(self, directory):
        meet("evaluate")
        return 0.5
