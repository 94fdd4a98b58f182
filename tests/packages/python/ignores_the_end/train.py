import signal
import time


class Main:
    def train(self, directory):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("for ever", flush=True)
        while True:
            try:
                time.sleep(0.05)
            except BaseException:
                pass

    def save(self):
        pass
