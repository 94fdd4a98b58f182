#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Trainyard adds to Slurm: many runs that are submitted at once, beside a bare sbatch of the same worker for each.

    slurm.py PROGRAMS PACKAGE FOLDER [--runs 200] [--rounds 3] [--nodes 2] [--cpus 2]

PROGRAMS is the folder of trainyard, such as build/release/bin; PACKAGE a zip that trains on any data, such as
build/release/tests/packages/counts.zip. FOLDER is new and stays. Starts a cluster of its own (tests/support/servers/slurm). A
round has the runs made by 'trainyard run training --executor slurm --detach', until the last has its results and its
version; and the same number of jobs by sbatch, each with a job folder and a copy of the package that lie there before, until
the last has its exit.json. Who goes first changes from round to round. The cluster
has no backfill scheduler: it and the main one both look once a second, and whether they do so at the same moment decides whether
4 or 8 short jobs a second begin, which says nothing of either side.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time
import zipfile

SLURM = pathlib.Path(__file__).parent.parent / "tests" / "support" / "servers" / "slurm"
SUBMITTERS = 4


def children_seconds():
    times = os.times()
    return times.children_user + times.children_system


class Bench:
    def __init__(self, asked, config):
        self.asked = asked
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(asked.folder), "SLURM_CONF": config}
        self.data = asked.folder / "data"
        self.data.mkdir()
        (self.data / "x.csv").write_text("1,2,3\n")
        self.store = asked.folder / "store"
        self.package = asked.package.stem
        self.do("init")
        self.do("package", "add", asked.package)
        self.versions = 0

    def do(self, *arguments):
        done = subprocess.run([self.asked.programs / "trainyard", "--store", self.store, *arguments], env=self.environment,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return done.stdout

    def run(self, *more):
        return self.do("run", "training", f"{self.package}@1.0", "--dataset", self.data, "--executor", "slurm", "--mount",
                       "copy", "--allow-repeat", *more).strip()

    def folder_of(self, run):
        return self.store / "runs" / run

    def wait(self, files):
        left = list(files)
        while left:
            left = [file for file in left if not file.exists()]
            time.sleep(0.05)

    def ours(self, count):
        begin = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(SUBMITTERS) as submitters:
            runs = list(submitters.map(lambda _: self.run("--detach"), range(count)))
        submitted = time.perf_counter() - begin
        self.wait(self.folder_of(run) / "_results.json" for run in runs)
        took = time.perf_counter() - begin
        for run in runs:
            results = json.loads((self.folder_of(run) / "_results.json").read_text())["traceability"]
            assert results["status"] == "Successful", results
        self.versions += count
        known = sorted(int(package["version"].split(".")[1]) for package in json.loads(self.do("package", "list", "--json")))
        assert known == list(range(len(known))) and len(known) > self.versions, known
        return took, submitted

    def prepare(self, round_folder, count):
        """Job folders as a runner would leave them for Slurm."""
        template = self.run("--detach")
        self.wait([self.folder_of(template) / "_results.json"])
        job = (self.folder_of(template) / "job.json").read_text()
        folders = []
        for number in range(count):
            folder = round_folder / str(number)
            workspace = folder / "workspace"
            for name in ("package", "home", "tmp"):
                (workspace / name).mkdir(parents=True)
            (folder / "checkpoints").mkdir()
            with zipfile.ZipFile(self.asked.package) as archive:
                archive.extractall(workspace / "package")
            inner = workspace / "package" / self.package
            if inner.is_dir():
                for path in list(inner.iterdir()):
                    shutil.move(path, workspace / "package")
            shutil.copytree(self.data, workspace / "package" / "dataset" / "training")
            (workspace / "package" / "artifacts").mkdir(exist_ok=True)
            (folder / "job.json").write_text(job.replace(str(self.folder_of(template)), str(folder)))
            folders.append(folder)
        return folders

    def bare(self, folders):
        script = self.asked.folder / "bare.sh"
        script.write_text('#!/bin/sh\nexec "$@"\n')
        worker = self.asked.programs.resolve() / "trainyard-worker"

        def submit(folder):
            subprocess.run(["sbatch", "--parsable", "--no-requeue", "--nodes=1", "--ntasks-per-node=1",
                            f"--output={folder}/slurm.log", "--chdir=/", script, worker, "supervise-in-slurm", folder],
                           env=self.environment, stdout=subprocess.DEVNULL, check=True)

        begin = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(SUBMITTERS) as submitters:
            list(submitters.map(submit, folders))
        submitted = time.perf_counter() - begin
        self.wait(folder / "exit.json" for folder in folders)
        took = time.perf_counter() - begin
        for folder in folders:
            assert json.loads((folder / "exit.json").read_text())["code"] == 0, folder
        return took, submitted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--cpus", type=int, default=2)
    asked = parser.parse_args()
    asked.folder = asked.folder.resolve()
    asked.folder.mkdir()
    cluster = asked.folder / "cluster"
    up = subprocess.run([SLURM, "up", cluster, str(asked.nodes)], capture_output=True, text=True,
                        env={**os.environ, "SERVER_OWNER": str(os.getpid()), "SLURM_CPUS_PER_NODE": str(asked.cpus),
                             "SLURM_EXTRA": "SchedulerType=sched/builtin"})
    if up.returncode != 0:
        raise SystemExit(up.stderr)
    try:
        bench = Bench(asked, up.stdout.split("\n")[0])
        ours, bare = [], []
        print(f"{'round':>5}  {'trainyard':>10}  {'sbatch':>10}  {'ratio':>6}   until submitted")
        for number in range(asked.rounds):
            folders = bench.prepare(asked.folder / f"bare-{number}", asked.runs)
            for turn in ((0, 1) if number % 2 == 0 else (1, 0)):
                (ours if turn == 0 else bare).append(bench.ours(asked.runs) if turn == 0 else bench.bare(folders))
            a, b = ours[-1], bare[-1]
            print(f"{number + 1:>5}  {a[0]:>8.2f} s  {b[0]:>8.2f} s  {a[0] / b[0]:>6.2f}   {a[1]:.2f} s, {b[1]:.2f} s", flush=True)
        a = statistics.median(took for took, _ in ours)
        b = statistics.median(took for took, _ in bare)
        print(f"median of {asked.rounds}: {asked.runs} runs in {a:.2f} s, {asked.runs} bare jobs in {b:.2f} s: {a / b:.2f} times, "
              f"{(a - b) / asked.runs * 1000:.0f} ms more for each run; {bench.versions} versions with consecutive minors")
    finally:
        subprocess.run([SLURM, "down", cluster], check=False)


if __name__ == "__main__":
    main()
