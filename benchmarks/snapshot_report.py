#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tables in Markdown of what snapshots.py measured: medians, and Trainyard's ratios against what is demanded.

    snapshot_report.py RESULTS...
"""

import collections
import json
import statistics
import sys

from snapshot_peers import BARE, OURS

MB = 1_000_000
MIB = 1 << 20
MANY_SMALL_FILES = {"W1", "W5"}
CHUNKING_PEERS = ["restic", "borg", "casync"]
MOST_PEAK_MIB = 256
MOST_BYTES_PER_FILE = 200


class Results:
    """All measurements, by workload, peer, operation and state of the cache."""

    def __init__(self, paths):
        self.machines, self.failed, self.workloads = [], collections.Counter(), {}
        self.lines = collections.defaultdict(list)
        self.restored_wrongly = []
        for path in paths:
            with open(path, encoding="utf-8") as file:
                for line in file:
                    self.add(json.loads(line))

    def add(self, line):
        if "machine" in line:
            self.machines.append(line["machine"])
        elif "restored_well" in line:
            if not line["restored_well"]:
                self.restored_wrongly.append(f"{line['peer']} on {line['workload']}")
        elif "files" in line:
            self.workloads[line["workload"]] = line
        elif line["code"] != 0:
            self.failed[f"{line['peer']} {line['op']} {line['cache']} on {line['workload']}"] += 1
        else:
            self.lines[line["workload"], line["peer"], line["op"], line["cache"]].append(line)

    def median(self, workload, peer, op, cache="warm", of=lambda line: line["wall"]):
        """None when it was not measured."""
        lines = [line for line in self.lines.get((workload, peer, op, cache), []) if line]
        return statistics.median(map(of, lines)) if lines else None

    def seconds(self, workload, peer, op, cache="warm"):
        """Without and with the time until all of it is on the disk."""
        alone = self.median(workload, peer, op, cache)
        return None if alone is None else (alone, self.median(workload, peer, op, cache, with_sync))

    def peers(self, workload, cache="warm"):
        names = dict.fromkeys(peer for name, peer, _, where in self.lines if (name, where) == (workload, cache))
        return sorted(names, key=lambda name: (name == BARE, name != OURS))

    def ops(self, workload, peer):
        return [(op, cache) for name, who, op, cache in self.lines if (name, who) == (workload, peer)]

    def peak_mib(self, workload, peer, cache, ops=None):
        peaks = [
            self.median(*key, of=lambda line: line["rss_kb"] / 1024)
            for key in self.lines
            if (key[0], key[1], key[3]) == (workload, peer, cache) and (ops is None or key[2] in ops)
        ]
        return max(peaks, default=None)


def with_sync(line):
    return line["wall"] + line["sync"]


def shown(seconds):
    if seconds is None:
        return "–"
    return f"{seconds:.4f}" if seconds < 0.1 else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"


def shown_pair(pair):
    """The seconds of the command, and those more that a sync took afterwards."""
    if pair is None:
        return "–"
    return shown(pair[0]) + (f" + {shown(pair[1] - pair[0])}" if pair[1] - pair[0] > pair[0] / 100 else "")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


OPS = [("first", "cold"), ("first", "warm"), ("unchanged", "warm"), ("changed", "warm"), ("verify", "warm")]
OPS += [("restore", "warm")]


def megabytes(value):
    return "–" if value is None else f"{value / MB:.1f}" if value < 10 * MB else f"{value / MB:.0f}"


def table_of_peers(results, workload):
    head = ["", *(f"{op} {cache}" for op, cache in OPS), "CPU of first", "stored MB", "more MB when changed"]
    head += ["files stored", "caches MB", "peak MiB", "n"]
    rows = []
    for peer in results.peers(workload):
        if peer == BARE:
            continue

        def of_first(of, peer=peer):
            return results.median(workload, peer, "first", of=of)

        peak = results.peak_mib(workload, peer, "warm")
        objects = of_first(lambda line: line["objects"])
        rows.append(
            [f"**{peer}**" if peer == OURS else peer]
            + [shown_pair(results.seconds(workload, peer, op, cache)) for op, cache in OPS]
            + [shown(of_first(lambda line: line["user"] + line["sys"]))]
            + [megabytes(of_first(lambda line: line["stored"]))]
            + [megabytes(results.median(workload, peer, "changed", of=stored_again))]
            + ["–" if objects is None else f"{objects:.0f}"]
            + [megabytes(of_first(lambda line: line["cache_bytes"]))]
            + ["–" if peak is None else f"{peak:.0f}", str(len(results.lines[workload, peer, "first", "warm"]))]
        )
    return table(head, rows)


def stored_again(line):
    return line["stored"] - line["before"]


def table_of_loops(results, workload):
    """The whole process, as for everybody; and without its start."""
    rows = []
    for op, cache in results.ops(workload, BARE):
        inside = results.median(workload, BARE, op, cache, lambda line: line["inside"])
        rows.append([f"{op}, {cache}", shown(results.median(workload, BARE, op, cache)), shown(inside)])
    start = results.median(workload, OURS, "start")
    if start is not None:
        rows.append([f"start of {OURS}", shown(start), "–"])
    return table(["bare loops", "process", "inside"], rows) if rows else ""


class Verdicts:
    """Rows of the table of what is demanded."""

    HEAD = ["demanded", "of", "Trainyard", "beside", "at most", "ratio", "", "ratio with sync"]

    def __init__(self):
        self.rows = []

    def add(self, what, of, ours, beside, name, factor, show=shown):
        """`ours` and `beside` are pairs, without and with sync. Nothing is added when one was not measured."""
        if ours is None or beside is None or beside[0] <= 0:
            return
        ratio, synced = ours[0] / beside[0], ours[1] / beside[1]
        differs = abs(synced - ratio) > 0.005
        self.rows.append(
            [what, of, show(ours[0]), f"{show(beside[0])} {name}", f"{factor:g}×", f"{ratio:.2f}"]
            + [verdict(ratio, factor), f"{synced:.2f}, {verdict(synced, factor)}" if differs else ""]
        )


def verdict(ratio, factor):
    return "holds" if ratio <= factor else f"**missed by {100 * (ratio / factor - 1):.0f}%**"


def fastest(results, workload, op, peers):
    """The best without sync, and the best with it, which may be another's."""
    pairs = {peer: results.seconds(workload, peer, op) for peer in peers}
    pairs = {peer: pair for peer, pair in pairs.items() if pair}
    if not pairs:
        return None, ""
    best = min(pairs, key=lambda peer: pairs[peer][0])
    return (pairs[best][0], min(pair[1] for pair in pairs.values())), best


def twice(value):
    return None if value is None else (value, value)


def judge_times(results, workload, verdicts):
    def ours(op, cache="warm"):
        return results.seconds(workload, OURS, op, cache)

    def bare(op, cache="warm"):
        return results.seconds(workload, BARE, op, cache)

    best, name = fastest(results, workload, "first", CHUNKING_PEERS)
    verdicts.add("first, warm", workload, ours("first"), best, name, 0.25 if workload in MANY_SMALL_FILES else 0.5)
    copy = results.seconds(workload, "cp -r", "first")
    if workload in MANY_SMALL_FILES:
        verdicts.add("first, warm", workload, ours("first"), copy, "cp -r", 0.5)
    verdicts.add("first, cold", workload, ours("first", "cold"), bare("read", "cold"), "bare read", 1.3)

    walk, git = bare("walk"), results.seconds(workload, "git", "unchanged")
    verdicts.add("unchanged", workload, ours("unchanged"), walk, "bare walk", 1.5)
    verdicts.add("unchanged", workload, ours("unchanged"), git, "git add, write-tree", 1)
    part = bare("copy the change")
    if workload != "W2" and walk and git and part:
        allowed = tuple(min(1.5 * walk[i], git[i]) + 2 * part[i] for i in range(2))
        verdicts.add("1% changed", workload, ours("changed"), allowed, "unchanged + 2 copies of the 1%", 1)
    verdicts.add("verify", workload, ours("verify"), bare("sha256"), "SHA-256, all cores", 1.25)
    verdicts.add("checkout", workload, ours("restore"), results.seconds(workload, "cp -r", "restore"), "cp -r", 1)


def judge_bytes(results, workload, verdicts):
    stored = {
        peer: results.median(workload, peer, "first", of=lambda line: line["stored"])
        for peer in [OURS, "restic", "borg"]
    }
    others = {peer: size for peer, size in stored.items() if size and peer != OURS}
    if stored[OURS] and others:
        best = min(others, key=others.get)
        verdicts.add("MB stored", workload, twice(stored[OURS]), twice(others[best]), best, 1.03, megabytes)
    again = results.median(workload, OURS, "changed", of=stored_again)
    if workload == "W2" and again is not None:
        whole = results.workloads[workload]["bytes"]
        verdicts.add("MB stored again", workload, twice(again), twice(whole), "the file", 0.01, megabytes)


def judge_memory(results, verdicts):
    def mib(value):
        return f"{value:.0f}"

    bound = (MOST_PEAK_MIB, MOST_PEAK_MIB)
    for workload in ["W5", "huge"]:
        for cache in ["warm", "memory"]:
            peak = results.peak_mib(workload, OURS, cache)
            if peak is not None and (cache == "memory" or results.peak_mib(workload, OURS, "memory") is None):
                verdicts.add("peak MiB", workload, twice(peak), bound, "allowed", 1, mib)
    ops = [op for op, cache in results.ops("W5", OURS) if cache == "memory"]
    if not ops or "W5half" not in results.workloads:
        return
    more_files = results.workloads["W5"]["files"] - results.workloads["W5half"]["files"]
    for op in ops:
        peaks = [results.peak_mib(workload, OURS, "memory", [op]) for workload in ["W5half", "W5"]]
        if None not in peaks:
            each = max(0.0, peaks[1] - peaks[0]) * MIB / more_files
            allowed = (MOST_BYTES_PER_FILE, MOST_BYTES_PER_FILE)
            verdicts.add("memory per file", f"W5, {op}", twice(each), allowed, "bytes allowed", 1, mib)


def report(paths):
    results = Results(paths)
    parts = []
    for text in dict.fromkeys(map(describe, results.machines)):
        parts.append(text)
    verdicts = Verdicts()
    for workload, about in results.workloads.items():
        if not results.peers(workload):
            continue
        parts.append(f"### {workload}: {about['files']} files, {megabytes(about['bytes'])} MB\n")
        parts.append(table_of_peers(results, workload))
        parts.append(table_of_loops(results, workload))
        judge_times(results, workload, verdicts)
        judge_bytes(results, workload, verdicts)
    judge_memory(results, verdicts)
    if verdicts.rows:
        parts.append("### What is demanded\n")
        parts.append(table(Verdicts.HEAD, verdicts.rows))
    for what, times in results.failed.items():
        parts.append(f"Failed {times} times, and left out: {what}\n")
    for what in results.restored_wrongly:
        parts.append(f"Restored something else: {what}\n")
    return "\n".join(part for part in parts if part)


def describe(machine):
    versions = ", ".join(f"{name.rpartition('/')[2]} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['date']}: {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB,"
        f" {machine['file_system']}, kernel {machine['kernel']}; {versions}.\n"
    )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print(report(sys.argv[1:]))
