#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'trainyard audit' of a version costs, beside reading and hashing what it checks.

    audit.py PROGRAMS PACKAGE FOLDER [--files 300000] [--bytes 4096] [--rounds 5]

PROGRAMS is the folder of trainyard, such as build/release/bin; PACKAGE a zip that trains on any data, such as
build/release/tests/packages/counts.zip. FOLDER is new and stays. A round measures, in turn and with warm caches: the audit of
a version that was trained on the data and keeps a snapshot of it; 'snapshot verify', which reads and hashes the kept half;
and sha256sum on all cores over the folder, which reads and hashes the other half.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import time


def seconds_of(command, **options):
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, **options)
    return time.perf_counter() - begin


def make_data(folder, files, size):
    for number in range(files):
        if number % 1000 == 0:
            (folder / f"{number // 1000:04}").mkdir(parents=True)
        (folder / f"{number // 1000:04}" / f"{number:08}.bin").write_bytes(os.urandom(size))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=300_000)
    parser.add_argument("--bytes", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    asked.folder.mkdir()
    data = asked.folder / "data"
    make_data(data, asked.files, asked.bytes)
    trainyard = [asked.programs / "trainyard", "--store", asked.folder / "store"]
    name = asked.package.stem
    for arguments in (
        ["init"],
        ["package", "add", asked.package],
        ["run", "training", name, "--dataset", data, "--save-training-data"],
    ):
        subprocess.run([*trainyard, *arguments], stdout=subprocess.DEVNULL, check=True)
    snapshot = next((asked.folder / "store" / "snapshots").iterdir()).stem
    hashing = f"find {data} -type f -print0 | xargs -0 -n 2000 -P {os.cpu_count()} sha256sum"
    ways = {
        "audit": lambda: seconds_of([*trainyard, "audit", f"{name}@1.1"]),
        "snapshot verify": lambda: seconds_of([*trainyard, "snapshot", "verify", snapshot]),
        "sha256sum of the folder": lambda: seconds_of(["bash", "-c", hashing]),
    }
    measured = {way: [] for way in ways}
    for round_ in range(asked.rounds + 1):
        for way, measure in ways.items():
            seconds = measure()
            if round_ > 0:
                measured[way].append(seconds)
    for way, seconds in measured.items():
        print(f"| {way} | {statistics.median(seconds):.2f} s | {min(seconds):.2f} to {max(seconds):.2f} |")
    ratios = [a / (b + c) for a, b, c in zip(*measured.values())]
    print(f"| audit : both together | {statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f} |")


if __name__ == "__main__":
    main()
