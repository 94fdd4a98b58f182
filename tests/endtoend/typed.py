#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a terminal of its own and answers each prompt, which ends with a colon and a space.

    typed.py ANSWER,ANSWER PROGRAM ARGUMENT…

Prints all that the terminal showed, with a | where something was typed, and ends as the program did.
"""

import os
import pty
import sys


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[2], sys.argv[2:])
    shown = b""
    try:
        for answer in sys.argv[1].split(","):
            while not shown.endswith(b": "):
                shown += os.read(terminal, 1)
            os.write(terminal, answer.encode() + b"\n")
            shown += b"|"
        while more := os.read(terminal, 4096):
            shown += more
    except OSError:  # the other end is closed
        pass
    sys.stdout.write(shown.decode())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
