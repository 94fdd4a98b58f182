#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what a document tells package authors to do, word for word, and compares what comes of it with what the document says.

    followed_document.py DOCUMENT SECTION BUILD TRAINYARD

SECTION is the heading of the part that is followed, such as '## Write a package', or '' for all of it. BUILD is Trainyard's build folder, TRAINYARD the program in it. Only the home folder is another one: a new folder, in which
`trainyard/build/demo` leads to BUILD.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

# A block is named by the bold line above it: **`average/average.cpp`** or **`model.txt` in `average@1.1`**.
NAME = re.compile(r"\*\*`(?P<file>[^`]+)`(?: in `(?P<package>[^`@]+)@(?P<version>[^`]+)`)?\*\*")
MARK = "@@ the next block @@"
# What differs from run to run.
VARYING = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"in \d+\.\d\d s"), "in SECONDS"),
    (re.compile(r"  \d+\.\d\d s$", re.MULTILINE), "  SECONDS"),
    (re.compile(r"\d+(\.\d)? [KM]?i?B\b"), "SIZE"),
]


class Section:
    """The blocks of the section: files to write, commands with what they print (or None), and files of a version."""

    def __init__(self, document, heading):
        body = document.read_text()
        if heading:
            if body.count(f"\n{heading}\n") != 1:
                raise SystemExit(f"{document} has not exactly one section '{heading}'")
            body = body.split(f"\n{heading}\n")[1].split("\n## ")[0]
        self.files, self.commands, self.kept = {}, [], []
        above = ""
        lines = iter(body.splitlines())
        for line in lines:
            if line.startswith("```"):
                content = "".join(inner + "\n" for inner in iter(lambda: next(lines), "```"))
                self.add(line[3:], content, NAME.fullmatch(above))
            if line:
                above = line

    def add(self, language, content, name):
        if name and name["package"]:
            self.kept.append((name["package"], name["version"], name["file"], content))
        elif name:
            self.files[name["file"]] = content
        elif language == "sh":
            self.commands.append((content, None))
        elif language == "text" and self.commands:
            self.commands[-1] = (self.commands[-1][0], content)
        else:
            raise SystemExit(f"the document has a block of '{language}' that is neither a file, nor commands, nor their output:\n{content}")


def comparable(text, home):
    text = text.replace(home, "/home/you")
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


def run_commands(section, home, trainyard):
    """What each block of commands printed."""
    script = f"\nprintf '\\n%s\\n' '{MARK}'\n".join(commands for commands, _ in section.commands)
    script += f'\nprintf "\\n%s\\n" "{MARK}" "$(command -v trainyard)"\n'
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=home, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    print(done.stdout)
    if done.returncode != 0:
        raise SystemExit(f"the commands of the document ended with exit code {done.returncode}")
    *printed, program = done.stdout.split(f"\n{MARK}\n")
    if os.path.realpath(program.strip()) != os.path.realpath(trainyard):
        raise SystemExit(f"the commands ran {program.strip()} instead of {trainyard}")
    return printed


def file_of_version(trainyard, store, package, version, name):
    """The content of a file of a version, as the store keeps it."""
    command = [trainyard, "snapshot", "cat", f"{package}@{version}", name, "--store", store]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def expect_same(what, said, found):
    if said != found:
        raise SystemExit(f"{what}: the document says\n{said}\nbut it is\n{found}")


def main():
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    document, build, trainyard = (pathlib.Path(sys.argv[i]).resolve() for i in (1, 3, 4))
    section = Section(document, sys.argv[2])
    if not (section.files and any(output for _, output in section.commands)):
        raise SystemExit("the document lacks files, or commands with their output")
    with tempfile.TemporaryDirectory(prefix="trainyard followed ") as temporary:
        home = pathlib.Path(temporary).resolve()
        (home / "trainyard" / "build").mkdir(parents=True)
        (home / "trainyard" / "build" / "demo").symlink_to(build)
        for name, content in section.files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(content)
        printed = run_commands(section, home, trainyard)
        for (_, said), found in zip(section.commands, printed, strict=True):
            if said is not None:
                expect_same("the output", comparable(said, str(home)).rstrip(), comparable(found, str(home)).rstrip())
        for package, version, name, said in section.kept:
            expect_same(f"{name} in {package}@{version}", said, file_of_version(trainyard, home / "trainyard-store", package, version, name))


if __name__ == "__main__":
    main()
