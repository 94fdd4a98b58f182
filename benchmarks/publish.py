#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a version with a gigabyte of data is published to a bucket, beside 'rclone copy' of the same files to the same server,
and how much a new minor sends of which a hundredth is new.

    publish.py PROGRAMS PACKAGE FOLDER [--mib 1024] [--files 16] [--rounds 5]

PROGRAMS is the folder of trainyard, such as build/release/bin; PACKAGE a zip that trains on any data, such as
build/release/tests/packages/counts.zip. FOLDER is new and stays. Starts a Ceph gateway of its own (tests/support/servers/ceph,
which takes root and 'scripts/install-dependencies ceph'); rclone has to be there. A round copies in turn with each, to a
bucket that is new each time, and the order changes from round to round.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import time

CEPH = pathlib.Path(__file__).parent.parent / "tests" / "support" / "servers" / "ceph"


def make_data(folder, files, mib):
    folder.mkdir()
    for number in range(files):
        with open(folder / f"{number:04}.bin", "wb") as file:
            for _ in range(mib // files):
                file.write(os.urandom(1 << 20))


def change_a_hundredth(folder, mib):
    """One stretch of bytes in one file."""
    with open(folder / "0000.bin", "r+b") as file:
        file.seek(1 << 20)
        file.write(os.urandom((mib << 20) // 100))


class Bench:
    def __init__(self, asked, environment):
        self.asked = asked
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(asked.folder), **environment}
        self.trainyard = [asked.programs / "trainyard", "--store", asked.folder / "store"]
        self.package = asked.package.stem
        self.endpoint = environment["AWS_ENDPOINT_URL"]
        self.buckets = 0
        self.rclone = [
            "rclone", "--config", "/dev/null", "--s3-provider", "Ceph", "--s3-endpoint", self.endpoint,
            "--s3-access-key-id", environment["AWS_ACCESS_KEY_ID"],
            "--s3-secret-access-key", environment["AWS_SECRET_ACCESS_KEY"],
        ]

    def do(self, *arguments):
        done = subprocess.run([*self.trainyard, *arguments, "--json"], env=self.environment, capture_output=True, check=True)
        return json.loads(done.stdout)

    def train(self, version):
        subprocess.run([*self.trainyard, "run", "training", f"{self.package}@{version}", "--dataset",
                        self.asked.folder / "data", "--save-training-data"],
                       env=self.environment, stdout=subprocess.DEVNULL, check=True)

    def new_bucket(self):
        self.buckets += 1
        name = f"bench-{self.buckets}"
        subprocess.run([*self.rclone, "mkdir", f":s3:{name}"], env=self.environment, check=True)
        return name

    def remove(self, bucket):
        subprocess.run([*self.rclone, "purge", f":s3:{bucket}"], env=self.environment, check=True)

    def publish(self, version, remote):
        begin = time.perf_counter()
        told = self.do("publish", f"{self.package}@{version}", "--data", "--to", remote)
        return time.perf_counter() - begin, told["bytes_sent"]

    def add_remote(self, bucket):
        self.do("remote", "add", bucket, f"s3://{bucket}?endpoint={self.endpoint}")

    def ours(self):
        bucket = self.new_bucket()
        self.add_remote(bucket)
        seconds, sent = self.publish("1.1", bucket)
        self.remove(bucket)
        return seconds, sent

    def peers(self):
        bucket = self.new_bucket()
        begin = time.perf_counter()
        subprocess.run([*self.rclone, "copy", self.asked.folder / "data", f":s3:{bucket}/data"], env=self.environment, check=True)
        seconds = time.perf_counter() - begin
        self.remove(bucket)
        return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    asked.folder.mkdir()
    make_data(asked.folder / "data", asked.files, asked.mib)
    lines = subprocess.run([CEPH, "up", asked.folder / "ceph"], capture_output=True, text=True, check=True,
                           env={**os.environ, "CEPH_OWNER": str(os.getpid())}).stdout.split()
    try:
        bench = Bench(asked, dict(line.split("=", 1) for line in lines))
        bench.do("init")
        bench.do("package", "add", asked.package)
        bench.train("1.0")
        ours, theirs = [], []
        for number in range(asked.rounds):
            for which in ("ours", "theirs") if number % 2 == 0 else ("theirs", "ours"):
                if which == "ours":
                    seconds, sent = bench.ours()
                    ours.append(seconds)
                    print(f"round {number}: trainyard publish {seconds:.2f} s, {sent / (1 << 20):.0f} MiB sent", flush=True)
                else:
                    theirs.append(bench.peers())
                    print(f"round {number}: rclone copy {theirs[-1]:.2f} s", flush=True)
        print(f"median: publish {statistics.median(ours):.2f} s, rclone {statistics.median(theirs):.2f} s; "
              f"rate of publish by that of rclone: {statistics.median(theirs) / statistics.median(ours):.2f}")
        bucket = bench.new_bucket()
        bench.add_remote(bucket)
        _, first = bench.publish("1.1", bucket)
        change_a_hundredth(asked.folder / "data", asked.mib)
        bench.train("1.1")
        seconds, second = bench.publish("1.2", bucket)
        print(f"a new minor with one hundredth of the data changed: {second} bytes of {first}, {second / first:.2%}, in {seconds:.2f} s")
    finally:
        subprocess.run([CEPH, "down", asked.folder / "ceph"], check=True)


if __name__ == "__main__":
    main()
