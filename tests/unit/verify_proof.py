#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies what 'trainyard proof make' writes, with nothing of Trainyard and nothing but Python's standard library.

    verify_proof.py FILE [ROOT]   says in one line what is proven (exit 0) or what is wrong (exit 1)
    verify_proof.py --lines       one proof in each line of standard input; prints "holds" or "fails" for each

The format: schemas/proof.schema.json. Verification of an audit path: RFC 9162, section 2.1.3.2.
"""

import hashlib
import json
import re
import sys

HEX = re.compile("[0-9a-f]{64}")
MOST = 2**63 - 1


class Wrong(Exception):
    pass


def need(condition, why):
    if not condition:
        raise Wrong(why)


def sha256(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def once(pairs):
    need(len({key for key, _ in pairs}) == len(pairs), "a key stands twice")
    return dict(pairs)


def keys(value, *names):
    need(isinstance(value, dict) and set(value) == set(names), f"the keys are not {names}")


def digest(value):
    need(isinstance(value, str) and HEX.fullmatch(value) is not None, "a digest is none")
    return bytes.fromhex(value)


def count(value):
    need(isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST, "a number is none")
    return value


def path_bytes(text):
    """The bytes of a path: '%' and what is not UTF-8 stand as %HH."""
    need(isinstance(text, str), "a path is no text")
    raw = text.encode("utf-8")
    need(re.fullmatch(rb"(?:[^%]|%[0-9A-F]{2})*", raw, re.DOTALL) is not None, "a path has a '%' of another kind")
    path = re.sub(rb"%([0-9A-F]{2})", lambda found: bytes([int(found.group(1), 16)]), raw)
    need(escaped(path) == text, "a path is not in its one form")
    need(len(path) <= 4096 and b"\0" not in path, "a path cannot be one")
    need(all(name not in (b"", b".", b"..") and len(name) <= 255 for name in path.split(b"/")), "a path cannot be one")
    return path


def escaped(path):
    text = path.replace(b"%", b"%25").decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: "%%%02X" % (ord(found.group()) - 0xDC00), text)


def root_of(leaf, index, size, hashes):
    need(index < size, "a place is beyond the end")
    last = size - 1
    root = sha256(b"\x00" + leaf)
    for sibling in hashes:
        need(last != 0, "a path is too long")
        if index & 1 or index == last:
            root = sha256(b"\x01" + sibling + root)
            while not index & 1 and index != 0:
                index >>= 1
                last >>= 1
        else:
            root = sha256(b"\x01" + root + sibling)
        index >>= 1
        last >>= 1
    need(last == 0, "a path is too short")
    return root


def verify(text, wanted=None):
    proof = json.loads(text, object_pairs_hook=once)
    keys(proof, "schema", "claim", "data", "root", "witnesses")
    claim, data = proof["claim"], proof["data"]
    need(proof["schema"] == "trainyard.proof/1", "it is no proof")
    keys(claim, "key", "value", "included")
    keys(data, "schema", "files", "paths", "digests", "tree")
    need(data["schema"] == "trainyard.proof-root/1", "its data is none")
    for name in ("paths", "digests", "tree"):
        digest(data[name])
    size = count(data["files"])
    need(digest(proof["root"]) == sha256(canonical(data)), "the root is not that of the data")
    need(wanted is None or wanted == proof["root"], "it is about other data")
    need(claim["key"] in ("path", "sha256") and isinstance(claim["included"], bool), "it claims nothing")
    by_path = claim["key"] == "path"
    subject = path_bytes(claim["value"]) if by_path else digest(claim["value"])
    root = digest(data["paths" if by_path else "digests"])
    need(size > 0 or root == sha256(b""), "the root is not that of no files")
    need(isinstance(proof["witnesses"], list), "it has no witnesses")
    places = []
    for witness in proof["witnesses"]:
        keys(witness, "file", "index", "hashes")
        file = witness["file"]
        keys(file, "executable", "path", "sha256", "size")
        need(isinstance(file["executable"], bool), "a bit is none")
        count(file["size"])
        name, content = path_bytes(file["path"]), digest(file["sha256"])
        need(isinstance(witness["hashes"], list), "a path is none")
        hashes = [digest(value) for value in witness["hashes"]]
        need(root_of(canonical(file), count(witness["index"]), size, hashes) == root, "a file is not in the data")
        places.append((witness["index"], name if by_path else content))
    if claim["included"]:
        need(len(places) == 1 and places[0][1] == subject, "another file is proven")
    elif size == 0:
        need(not places, "there is a file among none")
    elif len(places) == 1:
        ((index, at),) = places
        need((index == 0 and subject < at) or (index == size - 1 and at < subject), "it would stand elsewhere")
    else:
        need(len(places) == 2, "there are not two neighbours")
        (first, before), (second, after) = places
        need(second == first + 1 and before < subject < after, "it would stand elsewhere")
    among = "is among" if claim["included"] else "is not among"
    return f"{claim['key']} {claim['value']} {among} the {size} files of the data with the proof root {proof['root']}"


def main(arguments):
    if arguments == ["--lines"]:
        for line in sys.stdin.buffer:
            try:
                verify(line)
                print("holds")
            except (Wrong, ValueError):
                print("fails")
        return 0
    try:
        with open(arguments[0], "rb") as file:
            print(verify(file.read(), *arguments[1:2]))
    except (Wrong, ValueError) as why:
        print(f"nothing is proven: {why}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
