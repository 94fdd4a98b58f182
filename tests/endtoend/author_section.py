#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what the README tells package authors to do, word for word, and compares what comes of it with what the README says.

    author_section.py README BUILD TRAINYARD

BUILD is Trainyard's build folder, TRAINYARD the program in it. Only the home folder is another one: a new folder, in which
`trainyard/build/demo` leads to BUILD.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

SECTION = "## Write a package"
# A block is named by the bold line above it: **`average/average.cpp`** or **`model.txt` in `average@1.1`**.
NAME = re.compile(r"\*\*`(?P<file>[^`]+)`(?: in `(?P<package>[^`@]+)@(?P<version>[^`]+)`)?\*\*")
MARK = "@@ the next block @@"
# What differs from run to run.
VARYING = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"in \d+\.\d\d s"), "in SECONDS"),
    (re.compile(r"\d+(\.\d)? [KM]?i?B\b"), "SIZE"),
]


class Section:
    """The blocks of the section: files to write, commands with what they print (or None), and files of a version."""

    def __init__(self, readme):
        text = readme.read_text()
        if text.count(f"\n{SECTION}\n") != 1:
            raise SystemExit(f"{readme} has not exactly one section '{SECTION}'")
        body = text.split(f"\n{SECTION}\n")[1].split("\n## ")[0]
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
            raise SystemExit(f"the README has a block of '{language}' that is neither a file, nor commands, nor their output:\n{content}")


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
        raise SystemExit(f"the commands of the README ended with exit code {done.returncode}")
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
        raise SystemExit(f"{what}: the README says\n{said}\nbut it is\n{found}")


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    readme, build, trainyard = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    section = Section(readme)
    if not (section.files and section.kept and any(output for _, output in section.commands)):
        raise SystemExit("the README lacks files, commands with their output, or a file of the new version")
    with tempfile.TemporaryDirectory(prefix="trainyard author ") as temporary:
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
