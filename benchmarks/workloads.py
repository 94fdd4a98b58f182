#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the folders that benchmarks/snapshots.py measures: the same bytes every time, from fixed seeds.

    workloads.py FOLDER [--only W1,W2,W3,W5] [--scale 1.0]

FOLDER/NAME/data is what is kept, FOLDER/NAME/change what replaces a part of it later, at the same relative paths.

    W1      50,000 files of 4-40 KiB, incompressible: photographs         1.1 GB; change: every hundredth file anew
    W2      one table (CSV) of 2 GiB, compressible                        2.1 GB; change: 100 bytes inserted in front
    W3      2,000 files of 1 KB-20 MB, every second one text: mixed data  1.5 GB; change: 4 KiB in every hundredth file
    W5      300,000 files of 100-900 bytes, JSON: annotations             0.15 GB; change: every hundredth file anew
    W5half  the same with half as many files: how memory grows with them
    huge    one file of 16 GiB, sparse, 64 MiB of it in each GiB          1.1 GB on the disk; no change
"""

import argparse
import functools
import os
import pathlib
import random
import shutil
import sys

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
PLACES = ["north", "south", "east", "west", "central", "online", "retail", "wholesale", "partner", "unknown"]


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb", buffering=0) as file:
        file.write(data)


@functools.cache
def vocabulary():
    source = random.Random(99)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(source.choice(letters) for _ in range(source.randint(2, 10))) for _ in range(4096)]


def text(source, size):
    """Lines of twelve words and a number."""
    lines, length = [], 0
    while length < size:
        line = " ".join(source.choices(vocabulary(), k=12)) + f" {source.getrandbits(20)}\n"
        lines.append(line)
        length += len(line)
    return "".join(lines).encode()[:size]


def photographs(folder, scale):
    source, changes = random.Random(1), random.Random(101)
    for i in range(max(100, int(50_000 * scale))):
        size = source.randint(4 * KIB, 40 * KIB)
        name = f"class_{i % 100:02d}/img_{i:05d}.jpg"
        write(folder / "data" / name, source.randbytes(size))
        if i % 100 == 37:
            write(folder / "change" / name, changes.randbytes(size))


def table_row(i, x):
    """Row `i` of the table, from 128 random bits."""
    return (
        f"{i},2024-{1 + (i >> 21) % 12:02d}-{1 + (i >> 16) % 28:02d}"
        f"T{(i >> 12) % 24:02d}:{(i >> 6) % 60:02d}:{i % 60:02d},"
        f"u{x & 0xFFFFF:06x},{PLACES[(x >> 20) % 10]},{(x >> 24) & 1023}.{(x >> 34) % 100:02d},"
        f"0.{(x >> 41) % 100000:05d},{45 + (x >> 58) % 10}.{(x >> 62) % 1000:03d},"
        f"{5 + (x >> 72) % 20}.{(x >> 77) % 1000:03d},{(x >> 87) & 31},{'true' if (x >> 92) & 7 else 'false'}\n"
    )


def table(folder, scale):
    rows_at_once = 2000
    comment = b"# exported again with a comment line in front, which moves every later byte of the file by 100..\n"
    size, source = int(2 * GIB * scale), random.Random(2)
    before, after = folder / "data" / "table.csv", folder / "change" / "table.csv"
    before.parent.mkdir(parents=True, exist_ok=True)
    after.parent.mkdir(parents=True, exist_ok=True)
    with open(before, "wb", buffering=MIB) as plain, open(after, "wb", buffering=MIB) as inserted:
        inserted.write(comment.ljust(99, b"#")[:99] + b"\n")
        piece, row, left = b"id,time,user,region,amount,score,lat,lon,count,flag\n", 0, size
        while left > 0:
            plain.write(piece)
            inserted.write(piece)
            left -= len(piece)
            rows = (table_row(i, source.getrandbits(128)) for i in range(row, row + rows_at_once))
            piece = "".join(rows).encode()[: max(left, 0)]
            row += rows_at_once


def mixture(folder, scale):
    source, changes = random.Random(3), random.Random(103)
    for i in range(max(20, int(2_000 * scale))):
        size = int(1000 * 20000 ** (source.random() ** 2.7))
        data, suffix = (source.randbytes(size), "bin") if i % 2 else (text(source, size), "txt")
        name = f"part_{i % 20:02d}/f_{i:04d}.{suffix}"
        write(folder / "data" / name, data)
        if i % 100 == 50:
            at = changes.randrange(0, max(1, size - 4 * KIB))
            end = min(at + 4 * KIB, size)
            write(folder / "change" / name, data[:at] + changes.randbytes(end - at) + data[end:])


def annotation(source, i, size):
    line = f'{{"id": {i}, "label": "{source.choice(PLACES)}", "values": ['
    while len(line) < size - 12:
        line += f"{source.random():.4f}, "
    return (line[: size - 3] + "]}\n").encode()


def annotations(folder, scale):
    source, changes = random.Random(5), random.Random(105)
    for i in range(max(300, int(300_000 * scale))):
        size = source.randint(100, 900)
        name = f"d_{i % 300:03d}/a_{i:06d}.json"
        write(folder / "data" / name, annotation(source, i, size))
        if i % 100 == 37:
            write(folder / "change" / name, annotation(changes, i, size))


def half_the_annotations(folder, scale):
    annotations(folder, scale / 2)


def huge_file(folder, scale):
    """Every GiB (at another scale: every sixteenth) begins with data; the rest is a hole."""
    source, size = random.Random(7), int(16 * GIB * scale)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with open(folder / "data" / "huge.bin", "wb") as file:
        for part in range(16):
            file.seek(part * (size // 16))
            file.write(source.randbytes(size // 256))
        file.truncate(size)


MAKERS = {
    "W1": photographs,
    "W2": table,
    "W3": mixture,
    "W5": annotations,
    "W5half": half_the_annotations,
    "huge": huge_file,
}


def make(name, folder, scale=1.0):
    """Makes the workload in a folder that must not be there yet. Under that name there is never a half of one."""
    if folder.exists():
        raise FileExistsError(f"{folder} is there already; remove it first")
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    MAKERS[name](unfinished, scale)
    os.rename(unfinished, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", default="W1,W2,W3,W5", help="names with commas between them")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of files, or of the size of one")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    unknown = [name for name in names if name not in MAKERS]
    if unknown:
        parser.error(f"no such workload: {', '.join(unknown)}; there are {', '.join(MAKERS)}")
    for name in names:
        try:
            make(name, arguments.folder / name, arguments.scale)
        except FileExistsError as error:
            parser.exit(2, f"{error}\n")
        print(f"made {arguments.folder / name}", file=sys.stderr)


if __name__ == "__main__":
    main()
