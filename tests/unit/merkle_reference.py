#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Merkle trees by the definitions of RFC 6962, section 2.1, word for word, for the test to compare with.

    merkle_reference.py SIZE   roots and all proofs of the trees of up to SIZE leaves, which are "leaf 0", "leaf 1" ...;
                               then the roots of the leaves that Certificate Transparency publishes
"""

import hashlib
import sys


def sha256(data):
    return hashlib.sha256(data).digest()


def cut(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d):
    if not d:
        return sha256(b"")
    if len(d) == 1:
        return sha256(b"\x00" + d[0])
    k = cut(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m, d):
    if len(d) == 1:
        return []
    k = cut(len(d))
    return path(m, d[:k]) + [mth(d[k:])] if m < k else path(m - k, d[k:]) + [mth(d[:k])]


def subproof(m, d, whole):
    if m == len(d):
        return [] if whole else [mth(d)]
    k = cut(len(d))
    if m <= k:
        return subproof(m, d[:k], whole) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


def show(what, *numbers, hashes):
    print(what, *numbers, *(value.hex() for value in hashes))


def main(most):
    leaves = [b"leaf %d" % i for i in range(most)]
    for n in range(most + 1):
        d = leaves[:n]
        show("root", n, hashes=[mth(d)])
        for m in range(n):
            show("inclusion", m, n, hashes=path(m, d))
        for m in range(1, n + 1):
            show("consistency", m, n, hashes=subproof(m, d, True))
    published = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    for n in range(1, len(published) + 1):
        show("published", n, hashes=[mth([bytes.fromhex(leaf) for leaf in published[:n]])])


if __name__ == "__main__":
    main(int(sys.argv[1]))
