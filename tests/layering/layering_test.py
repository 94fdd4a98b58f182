#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the rooms apart: who may include whom, what the pure rooms must not touch, and what nobody may write.

    layering_test.py ROOT   checks the sources below ROOT, then that planted mistakes in a copy of them are found
"""

import pathlib
import re
import shutil
import sys
import tempfile

LONGEST = 499  # lines of a file
SOURCES = {".cpp", ".hpp", ".c", ".h"}
CODE = SOURCES | {".py", ".cmake", ".sh"}

ROOTS = ["storage", "runner", "plugin-api", "sample-packages"]
STORAGE = ["values", "files", "journal", "keys", "objects", "trees", "archives", "datasets", "store", "packages", "runs", "uses", "http", "remotes"]


def rooms(text):
    return {f"storage/{name}" if name in STORAGE else f"runner/{name}" for name in text.split()}


# A room may include its own files and those of the rooms named here.
TABLE = {
    "storage/values": rooms(""),
    "storage/files": rooms("values"),
    "storage/keys": rooms("values files"),
    "storage/journal": rooms("values files keys"),
    "storage/objects": rooms("values files"),
    "storage/trees": rooms("values files journal objects"),
    "storage/archives": rooms("values files objects packages"),
    "storage/datasets": rooms("values files journal objects trees"),
    "storage/store": rooms("values files journal objects"),
    "storage/packages": rooms("values files journal objects trees"),
    "storage/runs": rooms("values files"),
    "storage/uses": rooms("values files runs"),
    "storage/http": rooms("values files"),
    "storage/remotes": rooms("values files http"),
    "runner/core": rooms("values"),
    "runner/jobs": rooms("values files core"),
    "runner/processes": rooms("values files"),
    "runner/mounts": rooms("values files trees core processes"),
    "runner/executors": rooms("values files core jobs processes"),
    "runner/worker": rooms("values files core jobs processes"),
    "runner/outbox": rooms("values files http core"),
    "runner/python": rooms("values files packages processes"),
    "runner/engine": rooms(" ".join(STORAGE) + " core jobs mounts executors outbox processes python"),
    "runner/cli": rooms(" ".join(STORAGE) + " core jobs mounts executors outbox processes python engine"),
}

# Headers that only some files may include: a header's beginning, and the beginnings of those files' paths.
ONLY_IN = {
    "boost/dll": ["runner/worker/plugin_library.cpp"],
    "zip.h": ["storage/packages/zip_archive.hpp", "storage/packages/zip_reader.cpp", "storage/packages/zip_writer.cpp"],
    "nlohmann/": ["storage/values/"],
    "openssl/": ["storage/values/", "runner/jobs/sealed_secrets.cpp", "storage/keys/signing_key.cpp", "storage/remotes/aws_signature.cpp", "storage/remotes/md5.cpp"],
    # The contract with package authors: who loads a package, and who looks at one without loading it.
    "trainyard/": ["plugin-api/", "sample-packages/", "runner/worker/", "storage/packages/native_library.cpp"],
    "CLI/": ["runner/cli/"],
    "archive": ["storage/archives/tar_reader.cpp"],
    "curl/": ["storage/http/curl_http.cpp"],
    "yaml-cpp/": ["runner/cli/yaml_text.cpp"],
}
# Of those, the ones that at most one file may include, wherever it lies.
ONE_FILE = ["CLI/", "archive"]

PURE = ["storage/values", "runner/core"]
IMPURE_HEADERS = [
    "fstream", "filesystem", "boost/filesystem", "random", "ctime", "time.h", "sys", "unistd.h", "fcntl.h", "thread",
]
IMPURE_TYPES = (
    "system_clock steady_clock high_resolution_clock utc_clock file_clock random_device mt19937 environ"
    " ifstream ofstream"
)
IMPURE_CALLS = (
    "getenv secure_getenv setenv rand srand random getrandom open openat fopen popen time clock clock_gettime"
    " gettimeofday localtime system"
)
IMPURE_WORDS = re.compile(
    rf"\b(?:{'|'.join(IMPURE_TYPES.split())}|(?:{'|'.join(IMPURE_CALLS.split())})(?=\s*\())\b"
)

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[>"]')
LITERALS = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)


def code_only(text):
    """The text without comments and literals, with its line breaks."""
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "", text)
    return LITERALS.sub(lambda found: " " + "\n" * found.group().count("\n"), text)


BLOCK = re.compile(r"(\)|;|\}|\b(else|do|try|const|noexcept|mutable)|->\s*[\w:<>,\s*&]+)\s*$")


def leaking_tries(text):
    """The lines where TRY may return from within braces that hold something already: GCC would not destroy that."""
    code = code_only(text)
    for use in re.finditer(r"\bTRY\(", code):
        depth = commas = 0
        for at in range(use.start() - 1, -1, -1):
            character = code[at]
            if character in ")}]":
                depth += 1
            elif character in "([{" and depth > 0:
                depth -= 1
            elif depth == 0 and (character == ";" or character == "{" and BLOCK.search(code[max(0, at - 80) : at])):
                break
            elif depth == 0 and character == ",":
                commas += 1
            elif character == "{" and commas > 0:
                yield code.count("\n", 0, use.start()) + 1
                break
            elif character in "([{":
                commas = 0


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1), found.group(2)


def room_of(path):
    """storage/values for storage/values/digest.hpp."""
    return "/".join(path.split("/")[:2])


def mistake_of_include(root, path, bracket, header):
    """Why the file may not include the header, or None."""
    for beginning, places in ONLY_IN.items():
        if header.startswith(beginning) and not any(path.startswith(place) for place in places):
            return f"includes <{header}>, which only {' and '.join(places)} may"
    top = path.split("/")[0]
    if bracket == "<":
        ours = header.split("/")[0] in ("storage", "runner", "sample-packages", "tests")
        return f'includes <{header}> instead of "{header}"' if ours else None
    if top == "plugin-api":
        return f'includes "{header}", but the promise to authors depends on nothing'
    if top == "sample-packages":
        beside = "/" not in header and (root / path).parent.joinpath(header).is_file()
        return None if beside else f'includes "{header}", which is not beside it'
    if not any((root / name).is_file() for name in (header, header + ".in")) or ".." in header.split("/"):
        return f'includes "{header}", which is not a path from the root'
    if room_of(header) not in TABLE[room_of(path)] | {room_of(path)}:
        return f"includes {header}, but {room_of(path)} may not know {room_of(header)}"
    return None


def problems_of_source(root, path):
    text = (root / path).read_text()
    if path.split("/")[0] in ("storage", "runner") and room_of(path) not in TABLE:
        yield f"{path}: its room is not in the table of {pathlib.Path(__file__).name}"
        return
    for number, bracket, header in includes(text):
        mistake = mistake_of_include(root, path, bracket, header)
        if mistake:
            yield f"{path}:{number}: {mistake}"
        impure = any(header == bad or header.startswith(bad + "/") for bad in IMPURE_HEADERS)
        if room_of(path) in PURE and impure:
            yield f"{path}:{number}: includes <{header}>, but {room_of(path)} is pure"
    for number in leaking_tries(text):
        yield f"{path}:{number}: uses TRY in braces after another member, which leaks that one"
    if room_of(path) in PURE:
        for number, line in enumerate(code_only(text).splitlines(), 1):
            found = None if INCLUDE.match(line) else IMPURE_WORDS.search(line)
            if found:
                yield f"{path}:{number}: uses {found.group().strip()}, but {room_of(path)} is pure"


def files_below(root, tops, suffixes):
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and (path.suffix in suffixes or path.name == "CMakeLists.txt"):
                yield path.relative_to(root).as_posix()


def problems(root):
    found = []
    users = {beginning: [] for beginning in ONE_FILE}
    for path in files_below(root, ROOTS, SOURCES):
        if path.endswith("CMakeLists.txt"):
            continue
        found += problems_of_source(root, path)
        for _, _, header in includes((root / path).read_text()):
            for beginning in ONE_FILE:
                if header.startswith(beginning) and path not in users[beginning]:
                    users[beginning].append(path)
    for beginning, paths in users.items():
        if len(paths) > 1:
            found.append(f"{', '.join(paths)}: all include <{beginning}…>, which is the business of one file")
    for path in files_below(root, [*ROOTS, "tests", "benchmarks", "scripts"], CODE):
        lines = len((root / path).read_text().splitlines())
        if lines > LONGEST:
            found.append(f"{path}: has {lines} lines, which is more than can be read in five minutes")
    return found


# A file, a line that must not be in it, and what the complaint says.
PLANTED = [
    ("storage/values/digest.hpp", '#include "storage/files/files.hpp"', "storage/values may not know storage/files"),
    ("storage/objects/object_store.hpp", '#include "storage/trees/capture.hpp"', "may not know storage/trees"),
    ("storage/runs/run_folder.hpp", '#include "runner/core/run_plan.hpp"', "storage/runs may not know runner/core"),
    ("runner/core/run_plan.hpp", '#include "storage/files/files.hpp"', "runner/core may not know storage/files"),
    ("runner/core/run_plan.hpp", "#include <trainyard/abi.h>", "which only"),
    ("runner/executors/executor.hpp", '#include "runner/engine/run_engine.hpp"', "may not know runner/engine"),
    ("runner/worker/plugin_library.hpp", '#include "storage/store/store.hpp"', "may not know storage/store"),
    ("runner/worker/supervisor.cpp", "#include <boost/dll/shared_library.hpp>", "plugin_library.cpp may"),
    ("storage/trees/capture.cpp", "#include <zip.h>", "zip_archive.hpp"),
    ("storage/trees/capture.cpp", '#include "capture.hpp"', "not a path from the root"),
    ("storage/trees/capture.cpp", "#include <storage/trees/capture.hpp>", "instead of"),
    ("sample-packages/digits/digits.cpp", '#include "storage/values/digest.hpp"', "not beside it"),
    ("plugin-api/include/trainyard/abi.h", '#include "storage/values/digest.hpp"', "depends on nothing"),
    ("storage/values/instant.cpp", "#include <fstream>", "is pure"),
    ("storage/values/instant.cpp", "const auto now = std::chrono::system_clock::now();", "uses system_clock"),
    ("runner/core/outcome.cpp", "const auto now = ::time (nullptr);", "uses time"),
    ("runner/core/outcome.cpp", 'const char* home = std::getenv("HOME");', "uses getenv"),
    ("storage/values/names.cpp", "std::random_device device;", "uses random_device"),
    ("storage/values/names.cpp", "const int fd = ::open(path, 0);", "uses open"),
    ("storage/values/names.cpp", "Result<Pair> pair() { return Pair{std::string(), TRY(number())}; }", "leaks"),
    ("storage/values/names.cpp", "Result<void> add() {\n  list.push_back({{a, 1}, f(TRY(b))});\n}", "leaks"),
    ("storage/values/names.cpp", "\n" * LONGEST, "more than can be read"),
]
# What looks like a mistake and is none.
HARMLESS = (
    "storage/values/instant.cpp",
    '// system_clock::now(), getenv("x")\nconst char* const kText = "system_clock time(0)";\n'
    "auto f = [](int a, int b) -> Result<int> { return Pair(a, TRY(b)); };\nPair g() { return {f(1, TRY(b))}; }",
)


def self_test(root):
    """What the check above failed to find, or found wrongly."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary)
        for path in files_below(root, ROOTS, CODE):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, copy / path)
        before = set(problems(copy))
        for file, line, complaint in PLANTED + [(*HARMLESS, None)]:
            whole = (copy / file).read_text()
            (copy / file).write_text(whole + line + "\n")
            new = [problem for problem in problems(copy) if problem not in before]
            (copy / file).write_text(whole)
            if complaint is None and new:
                yield f"self-test: a comment or a text is taken for code: {new}"
            if complaint is not None and not any(complaint in problem and file in problem for problem in new):
                yield f"self-test: {line.strip()[:60]!r} in {file} is not found"


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[1]).resolve()
    found = problems(root) + list(self_test(root))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
