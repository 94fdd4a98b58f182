#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures snapshots by Trainyard beside restic, borg, casync, git, cp -r, rsync, tar | zstd and bare loops in one run.

    workloads.py FOLDER; snapshots.py FOLDER SCRATCH     everything, five times
    snapshots.py FOLDER SCRATCH --memory                 the memory Trainyard needs for many files and for a huge one
    snapshot_report.py RESULTS...                        the tables of results measured before

SCRATCH lies on the file system to be measured; only SCRATCH/work is written to, and removed at the end. The caches are
dropped by root alone: for anybody else nothing is measured cold. A line of JSON is added to the results for everything
measured, and the tables are printed at the end. benchmarks/README.md says what is measured, and why so.
"""

import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import time

import snapshot_peers
import snapshot_report
import workloads
from snapshot_folders import Scratch, Workload, can_drop_caches, drop_caches, sync_seconds, usage_of
from snapshot_peers import BARE, OURS

LONGEST_SECONDS = 2400
# What takes less is measured again at once, until it took this long in all or was measured so often.
ENOUGH_SECONDS = 1.0
MOST_TRIES = 5
COLD_WHEN_SOME = {OURS, BARE, "cp -r"}


class Benchmark:
    def __init__(self, arguments, peers, results):
        self.arguments = arguments
        self.peers = peers
        self.results = results
        self.scratch = Scratch(arguments.scratch / "work")
        self.rep = 0

    def record(self, line):
        self.results.write(json.dumps(line) + "\n")
        self.results.flush()

    def run(self, command, data, identity=""):
        """One command, with what the system says about it. Without a shell in between when it needs none."""
        names = {"data": data, "store": self.scratch.store, "restored": self.scratch.restored, "id": identity}
        if command[0] != "sh":
            command = [part.format(**names) for part in command]
        environment = snapshot_peers.environment(data, self.scratch.store, self.scratch.restored, self.scratch.home)
        log = self.scratch.home / "log"
        with open(log, "wb") as out:
            signal.alarm(LONGEST_SECONDS)
            begin = time.perf_counter()
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
            try:
                _, status, usage = os.wait4(process.pid, 0)
                wall = time.perf_counter() - begin
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            finally:
                signal.alarm(0)
            process.returncode = os.waitstatus_to_exitcode(status)
        measured = {
            "wall": round(wall, 6),
            "sync": round(sync_seconds(self.scratch.root), 6),
            "user": usage.ru_utime,
            "sys": usage.ru_stime,
            "rss_kb": usage.ru_maxrss,
            "code": process.returncode,
        }
        output = log.read_text(errors="replace")
        if process.returncode != 0:
            print(f"\n  {' '.join(command)} ended with {process.returncode}:\n{output[-1000:]}", file=sys.stderr)
        return measured, output

    def measure(self, peer_name, workload, op, cache, command, identity="", more=None):
        measured, output = self.run(command, workload.data, identity)
        line = {"workload": workload.name, "peer": peer_name, "op": op, "cache": cache, "rep": self.rep} | measured
        if peer_name == BARE and measured["code"] == 0:
            line["inside"] = json.loads(output)["seconds"]
        self.record(line | (more() if more else {}))
        cold = " cold" if cache == "cold" else ""
        print(f"  {op}{cold} {measured['wall']:.3f}", end="", file=sys.stderr, flush=True)
        return measured, output

    def measure_often(self, *what):
        total = 0.0
        for _ in range(MOST_TRIES):
            total += self.measure(*what)[0]["wall"]
            if total >= ENOUGH_SECONDS:
                break

    def warm(self, *folders):
        for folder in folders:
            subprocess.run([self.arguments.bare_loops, "read", folder], stdout=subprocess.DEVNULL, check=True)
        os.sync()

    def stored(self, peer):
        """What the store holds by now; what only saves time is counted apart."""
        caches = [usage_of(path) for path in [self.scratch.home, *(self.scratch.store / p for p in peer.caches)]]
        objects, size, blocks = usage_of(self.scratch.store)
        inside = caches[1:]
        return {
            "objects": objects - sum(c[0] for c in inside),
            "stored": size - sum(c[1] for c in inside),
            "allocated": blocks - sum(c[2] for c in inside),
            "cache_bytes": sum(c[1] for c in caches),
        }

    def new_store(self, peer, workload):
        self.scratch.fresh()
        if peer.init and self.run(peer.init, workload.data)[0]["code"] != 0:
            raise RuntimeError(f"{peer.name} cannot make its store")

    def is_cold_measured(self, peer_name):
        cold = self.arguments.cold
        return can_drop_caches() and (cold == "all" or (cold == "some" and peer_name in COLD_WHEN_SOME))

    def measure_peer(self, peer, workload):
        def of_peer(op, cache, command, identity="", more=None):
            return self.measure(peer.name, workload, op, cache, command, identity, more)

        def size():
            return self.stored(peer)

        if self.is_cold_measured(peer.name):
            self.new_store(peer, workload)
            drop_caches()
            of_peer("first", "cold", peer.snapshot)
        self.new_store(peer, workload)
        self.warm(workload.data)
        if peer.name == OURS:
            self.measure_often(peer.name, workload, "start", "warm", [peer.program, "--version"])
        measured, output = of_peer("first", "warm", peer.snapshot, more=size)
        if measured["code"] != 0:
            return
        identity = peer.id_of(output)
        if peer.repeats:
            self.measure_often(peer.name, workload, "unchanged", "warm", peer.snapshot)
        if self.arguments.short:
            return
        self.warm(self.scratch.store)
        if peer.verify:
            of_peer("verify", "warm", peer.verify, identity)
        of_peer("restore", "warm", peer.restore, identity)
        if self.rep == 1:
            self.compare(peer, workload)
        if peer.repeats and workload.has_change():
            before = size()
            with workload.changed():
                self.warm(workload.data)
                of_peer("changed", "warm", peer.snapshot, more=lambda: {"before": before["stored"]} | size())

    def compare(self, peer, workload):
        """A figure of a restore that lost something is none."""
        command = ["diff", "-r", "-q", workload.data, self.scratch.restored / "data"]
        different = subprocess.run(command, capture_output=True, text=True)
        self.record({"workload": workload.name, "peer": peer.name, "restored_well": different.returncode == 0})
        if different.returncode != 0:
            print(f"\n  restored something else:\n{different.stdout[:1000]}", file=sys.stderr)

    def measure_bare(self, workload):
        warm, cold = snapshot_peers.bare_loops(str(self.arguments.bare_loops))
        if self.is_cold_measured(BARE):
            for op, command in cold.items():
                drop_caches()
                self.measure(BARE, workload, op, "cold", command)
        self.warm(workload.data)
        for op, command in warm.items():
            self.measure_often(BARE, workload, op, "warm", command)
        if workload.has_change():
            self.warm(workload.folder / "change")
            total = 0.0
            for number in range(MOST_TRIES):
                copy = [str(self.arguments.bare_loops), "copy", str(workload.folder / "change"), f"{{store}}/{number}"]
                total += self.measure(BARE, workload, "copy the change", "warm", copy)[0]["wall"]
                if total >= ENOUGH_SECONDS:
                    break

    def measure_all(self, workload):
        workload.put_back()
        files, size, _ = usage_of(workload.data)
        self.record({"workload": workload.name, "files": files, "bytes": size})
        for self.rep in range(1, self.arguments.reps + 1):
            # Another one begins each time, so that none always follows the same one.
            turn = self.rep % len(self.peers)
            for peer in self.peers[turn:] + self.peers[:turn]:
                name = BARE if peer is None else peer.name
                if self.rep > self.arguments.reps_of.get(name, self.rep):
                    continue
                self.scratch.fresh()
                self.scratch.empty()
                print(f"{workload.name} {self.rep}/{self.arguments.reps} {name}:", end="", file=sys.stderr)
                try:
                    if peer is None:
                        self.measure_bare(workload)
                    else:
                        self.measure_peer(peer, workload)
                except (TimeoutError, RuntimeError) as error:
                    print(f"\n  {error}", end="", file=sys.stderr)
                print(file=sys.stderr)

    def measure_memory(self, workload):
        """Without dropping caches, and without looking at times: they are recorded, but not a claim."""
        files, size, _ = usage_of(workload.data)
        self.record({"workload": workload.name, "files": files, "bytes": size})
        for self.rep in range(1, self.arguments.reps + 1):
            for peer in self.peers:
                self.scratch.fresh()
                self.scratch.empty()
                print(f"{workload.name} {self.rep}/{self.arguments.reps} {peer.name}, memory:", end="", file=sys.stderr)
                self.new_store(peer, workload)
                identity = ""
                for op in ["first", "unchanged"]:
                    _, output = self.measure(peer.name, workload, op, "memory", peer.snapshot)
                    identity = identity or peer.id_of(output)
                for op, command in [("verify", peer.verify), ("restore", peer.restore)]:
                    self.measure(peer.name, workload, op, "memory", command, identity)
                print(file=sys.stderr)


def file_system_of(folder):
    device = folder.stat().st_dev
    for line in open("/proc/self/mountinfo"):
        place, _, mounted = line.partition(" - ")
        if place.split()[2] == f"{os.major(device)}:{os.minor(device)}":
            return mounted.split()[0]
    return "a file system not known"


def machine(arguments, peers):
    """What figures depend on."""
    model = next((s.partition(":")[2].strip() for s in open("/proc/cpuinfo") if s.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "kernel": platform.release(),
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / workloads.GIB, 1),
        "file_system": file_system_of(arguments.scratch),
        "reps": arguments.reps,
        "versions": {peer.program: peer.version() for peer in peers if peer},
    }


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", type=pathlib.Path, help="made by workloads.py; left as it is")
    parser.add_argument("scratch", type=pathlib.Path)
    parser.add_argument("--only", default="", help="workloads, with commas between them (default: those there)")
    parser.add_argument("--peers", default="", help="with commas between them, 'bare' among them (default: all)")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--reps-of", default="", help="fewer for some peers: git=2,casync=1")
    parser.add_argument("--cold", choices=["all", "some", "none"], default="all", help="some: what the bounds need")
    parser.add_argument("--trainyard", type=pathlib.Path, default="build/release/bin/trainyard")
    parser.add_argument("--bare-loops", type=pathlib.Path, help="default: beside trainyard")
    parser.add_argument("--results", type=pathlib.Path, help="default: SCRATCH/results.jsonl")
    parser.add_argument("--short", action="store_true", help="only the first snapshot and the unchanged one")
    parser.add_argument("--memory", action="store_true", help="W5, W5half and huge; made in SCRATCH when not there")
    arguments = parser.parse_args()

    arguments.scratch.mkdir(parents=True, exist_ok=True)
    arguments.scratch = arguments.scratch.resolve()
    arguments.workloads = arguments.workloads.resolve()
    arguments.trainyard = arguments.trainyard.resolve()
    arguments.bare_loops = (arguments.bare_loops or arguments.trainyard.with_name("bare_loops")).resolve()
    arguments.results = arguments.results or arguments.scratch / "results.jsonl"
    arguments.reps_of = {name: int(n) for name, n in (part.split("=") for part in arguments.reps_of.split(",") if part)}

    peers = [snapshot_peers.ours(str(arguments.trainyard)), *snapshot_peers.OTHERS]
    known = {peer.name: peer for peer in peers} | {BARE: None}
    default = [OURS] if arguments.memory else [name for name, p in known.items() if p is None or p.is_here()]
    wanted = arguments.peers.split(",") if arguments.peers else default
    for name in [*wanted, *arguments.reps_of]:
        if name not in known:
            parser.error(f"no peer is called {name}; there are {', '.join(known)}")
    for name in wanted:
        if known[name] and not known[name].is_here():
            parser.error(f"{known[name].program} is not there")
    if not os.access(arguments.bare_loops, os.X_OK):
        parser.error(f"{arguments.bare_loops} is not there; build it, or say where it is with --bare-loops")
    return arguments, [known[name] for name in wanted]


def chosen_workloads(arguments):
    default = "W5half,W5,huge" if arguments.memory else "W1,W2,W3,W5"
    names = (arguments.only or default).split(",")
    for name in names:
        folder = arguments.workloads / name
        if not folder.exists() and arguments.memory:
            folder = arguments.scratch / "workloads" / name
            if not folder.exists():
                # In a process of its own: what this one once needed, every process that it starts is said to have needed.
                maker = [sys.executable, workloads.__file__, folder.parent, "--only", name]
                subprocess.run(maker, check=True)
        if folder.exists():
            yield Workload(name, folder)
        elif arguments.only:
            raise SystemExit(f"{folder} is not there; workloads.py makes it")


def out_of_time(_signal, _frame):
    raise TimeoutError(f"took more than {LONGEST_SECONDS} s")


def interrupted(_signal, _frame):
    raise KeyboardInterrupt


def main():
    arguments, peers = options()
    signal.signal(signal.SIGALRM, out_of_time)
    signal.signal(signal.SIGTERM, interrupted)
    if not can_drop_caches() and not arguments.memory:
        print("not root: nothing is measured cold, and creates can be slow after deletes", file=sys.stderr)
    with open(arguments.results, "a") as results:
        benchmark = Benchmark(arguments, peers, results)
        benchmark.record({"machine": machine(arguments, peers)})
        try:
            for workload in chosen_workloads(arguments):
                if arguments.memory:
                    benchmark.measure_memory(workload)
                else:
                    benchmark.measure_all(workload)
        finally:
            benchmark.scratch.remove()
    print(snapshot_report.report([arguments.results]))


if __name__ == "__main__":
    main()
