# Gives whatever score the run asks for.
import os
from decimal import Decimal


class Main:
    def evaluate(self, directory):
        kind = os.environ["kind"]
        if kind.startswith("numpy"):
            import numpy

            return {"numpy.float64": numpy.float64(0.25), "numpy.array": numpy.array([0.25, 0.5])}[kind]
        return {
            "float": 0.25,
            "integer": 1,
            "decimal": Decimal("0.25"),
            "nothing": None,
            "nan": float("nan"),
            "infinity": float("inf"),
            "text": "0.25",
            "list": [0.25],
        }[kind]
