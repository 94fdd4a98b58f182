#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'trainyard uses' costs: whole processes, measured from outside, in a store that has only the trees of its data.

    uses.py PROGRAMS FOLDER [--trees 33] [--files 300000] [--runs 0] [--rounds 200]

PROGRAMS is the folder of trainyard and uses_store, such as build/release/bin. FOLDER is new; its store stays there. With
--runs it has that many runs that are over as well, copies of one that was driven.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import time


class Store:
    def __init__(self, programs, folder):
        self.trainyard = programs / "trainyard"
        self.maker = programs / "uses_store"
        self.root = folder / "store"

    def run(self, *arguments):
        return subprocess.run([self.trainyard, "--store", self.root, *arguments], stdout=subprocess.PIPE, check=True).stdout

    def timed(self, *arguments, expected=0):
        """Seconds, seconds of processor time, and the peak of memory in MiB of one process."""
        command = [self.trainyard, "--store", self.root, *arguments]
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expected:
            sys.exit(f"{command} ended with {process.returncode}")
        return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def forget_pages(self):
        """The files of the store leave memory, but not their names."""
        os.sync()
        for folder in self.root.iterdir():
            for path in folder.rglob("*") if folder.name != "runs" else ():
                if path.is_file():
                    descriptor = os.open(path, os.O_RDONLY)
                    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                    os.close(descriptor)


def line(what, measured):
    def share(values, part):
        return 1000 * sorted(values)[min(len(values) - 1, int(part * len(values)))]

    seconds, processor = [one[0] for one in measured], [one[1] for one in measured]
    figures = [share(seconds, 0.5), share(seconds, 0.95), share(seconds, 0), share(processor, 0.5)]
    print(f"| {what} | " + " | ".join(f"{figure:.1f}" for figure in figures) + f" | {len(measured)} |", flush=True)


def add_runs(store, folder, number):
    """One run that was driven, and copies of it under other ids."""
    data = folder / "data"
    data.mkdir()
    (data / "file.csv").write_text("of all runs\n")
    package = folder / "nothing"
    package.mkdir()
    (package / "main.py").write_text("class Main:\n    def predict(self, text):\n        return text\n")
    (package / "train.py").write_text("class Main:\n    def train(self, folder):\n        pass\n    def save(self):\n        pass\n")
    store.run("package", "add", package)
    store.run("run", "training", "nothing", "--dataset", data)
    runs = store.root / "runs"
    (first,) = runs.iterdir()
    texts = {name: (first / name).read_text() for name in ("plan.json", "journal.jsonl", "_results.json")}
    ids = random.Random(5)
    for _ in range(number - 1):
        run = f"{first.name[:14]}7{ids.getrandbits(12):03x}-8{ids.getrandbits(12):03x}-{ids.getrandbits(48):012x}"
        (runs / run).mkdir(exist_ok=True)
        for name, text in texts.items():
            (runs / run / name).write_text(text.replace(first.name, run))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--trees", type=int, default=33)
    parser.add_argument("--files", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    store = Store(options.programs.resolve(), options.folder.resolve())
    made = subprocess.run([store.maker, store.root, str(options.trees), str(options.files)], stdout=subprocess.PIPE, check=True)
    digests = made.stdout.decode().split()
    if options.runs:
        add_runs(store, options.folder, options.runs)
    # A folder that changed a moment ago is read again each time.
    time.sleep(2.5)

    print("| what | |\n|---|---|")
    index = store.root / "cache" / "uses.sqlite"
    seconds, processor, peak = store.timed("uses", digests[0])
    print(f"| the first question, which makes the index, seconds | {seconds:.1f} |")
    print(f"| its processor time, seconds | {processor:.1f} |")
    print(f"| size of the index, MB | {index.stat().st_size / 1e6:.0f} |")
    print(f"| peak memory of that, MiB | {peak:.0f} |")
    print(f"| the next question after one more tree, seconds | {one_more(store, options):.1f} |\n", flush=True)
    time.sleep(2.5)
    store.run("uses", digests[0])

    print("| milliseconds | median | 95th of 100 | least | processor time | n |\n|---|---|---|---|---|---|")
    pick = random.Random(3)
    absent = lambda: f"{pick.getrandbits(256):064x}"
    line("start of `trainyard` alone", [store.timed("--version") for _ in range(options.rounds)])
    line("a file that some trees have", [store.timed("uses", pick.choice(digests)) for _ in range(options.rounds)])
    line("by 10 digits", [store.timed("uses", pick.choice(digests)[:10]) for _ in range(options.rounds)])
    line("a file that none has", [store.timed("uses", absent(), expected=1) for _ in range(options.rounds)])
    cold = []
    for _ in range(max(5, options.rounds // 20)):
        store.forget_pages()
        cold.append(store.timed("uses", pick.choice(digests)))
    line("a file that some trees have, the store not in memory", cold)
    answer = json.loads(store.run("uses", digests[1], "--json"))
    print(f"\nthe answer to one of them has {len(answer['uses'])} uses")


def one_more(store, options):
    subprocess.run([store.maker, store.root, "1", str(options.files + 1)], stdout=subprocess.DEVNULL, check=True)
    return store.timed("uses", "0" * 64, expected=1)[0]


if __name__ == "__main__":
    main()
