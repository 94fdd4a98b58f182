# Tells its secret TOKEN in the ways that `way` names.
import base64
import os
import sys
import urllib.parse

import trainyard

WAYS = {
    "base64": lambda token: base64.b64encode(b"user:" + token.encode()).decode(),
    "url": lambda token: "https://example.org/?token=" + urllib.parse.quote(token, safe=""),
    "hex": lambda token: token.encode().hex(),
    "plain": lambda token: token,
}


class Main:
    def train(self, directory):
        token = os.environ["TOKEN"]
        way, _, place = os.environ.get("way", "nothing").partition(" in ")
        told = WAYS.get(way, lambda _: "nothing")(token)
        if place == "print":
            print("it is", told)
            print("it is", told, file=sys.stderr)
        if place == "log":
            trainyard.log("it is " + told)
        if place == "error":
            raise RuntimeError("no entry with " + told)
        if place == "artifact":
            with open(os.path.join(os.environ["artifacts_directory"], "notes.txt"), "w") as file:
                file.write(told)
        if place == "model":
            with open("model.txt", "w") as file:
                file.write(told)

    def save(self):
        pass
