# SPDX-License-Identifier: Apache-2.0
"""Answers what only a Python interpreter can tell of a package, without running any of its code. Standard library only.

    python3 -I -B trainyard_inspect.py source FOLDER           which verbs the package has
    python3 -I -B trainyard_inspect.py requirements FOLDER     what requirements.txt asks for and this Python lacks

The answer is one JSON object on stdout; {"error": "a sentence"} where the package is at fault.
"""

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
import sys

MOST_SOURCE_BYTES = 16 << 20
VERBS = {"train.py": ("process_data", "train", "save", "evaluate"), "main.py": ("predict",)}
REQUIREMENT_FILES = ("requirements.txt", "train_requirements.txt")


class Mistake(Exception):
    """Of the package; the text is a sentence for its author."""


UNKNOWN = object()  # something that the package's own files do not tell


class Sources:
    """The package's modules, parsed."""

    def __init__(self, folder):
        self.folder = folder
        self.parsed = {}

    def module(self, name):
        """The module's syntax tree and its package; none for one that is not in the package folder."""
        if name not in self.parsed:
            self.parsed[name] = self.load(name)
        return self.parsed[name]

    def load(self, name):
        path = name.replace(".", "/")
        for file, package in ((path + ".py", name.rpartition(".")[0]), (path + "/__init__.py", name)):
            if os.path.isfile(os.path.join(self.folder, file)):
                return Module(parse(self.folder, file), name, package)
        return None

    def definition(self, module, name, seen=()):
        """What `name` is in a module: a (module, class) pair, UNKNOWN, or None when nothing of the name is there."""
        if (module.name, name) in seen:
            return UNKNOWN
        seen = (*seen, (module.name, name))
        found = None
        for statement in statements(module.tree.body):
            if isinstance(statement, ast.ClassDef) and statement.name == name:
                found = (module, statement)
            elif isinstance(statement, ast.ImportFrom):
                found = self.imported(module, statement, name, seen) or found
            elif isinstance(statement, ast.Assign) and any(is_name(target, name) for target in statement.targets):
                value = statement.value
                found = self.definition(module, value.id, seen) if isinstance(value, ast.Name) else UNKNOWN
                found = found or UNKNOWN
        return found

    def imported(self, module, statement, name, seen):
        source = absolute(module, statement)
        for alias in statement.names:
            if alias.name == "*":
                found = self.definition(self.module(source), name, seen) if self.module(source) else None
                if found or (not self.module(source) and not is_standard(source) and name == "Main"):
                    return found or UNKNOWN
            elif (alias.asname or alias.name) == name:
                return self.outside(source, alias.name, seen)
        return None

    def outside(self, module, name, seen):
        """What another module has under a name; the standard library has nothing that is a verb."""
        if self.module(module):
            return self.definition(self.module(module), name, seen) or UNKNOWN
        return STANDARD if is_standard(module) else UNKNOWN

    def methods(self, module, node, seen=()):
        """The names of a class's methods, with what it inherits; UNKNOWN among them when it may have others."""
        if node in seen:
            return set()
        names = set()
        for statement in statements(node.body):
            if isinstance(statement, ast.FunctionDef):
                names.add(UNKNOWN if statement.name == "__getattr__" else statement.name)
            elif isinstance(statement, ast.Assign):
                names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
        for base in node.bases:
            found = self.base(module, base)
            if found is UNKNOWN:
                names.add(UNKNOWN)
            elif isinstance(found, tuple):
                names |= self.methods(*found, (*seen, node))
        return names

    def base(self, module, base):
        if isinstance(base, ast.Subscript):  # Generic[T]
            base = base.value
        if isinstance(base, ast.Name):
            return STANDARD if base.id == "object" else self.definition(module, base.id) or UNKNOWN
        if isinstance(base, ast.Attribute) and isinstance(base.value, ast.Name):
            for statement in statements(module.tree.body):
                if isinstance(statement, ast.Import):
                    for alias in statement.names:
                        if (alias.asname or alias.name) == base.value.id:
                            return self.outside(alias.name, base.attr, ())
        return UNKNOWN


STANDARD = object()  # of the standard library


class Module:
    def __init__(self, tree, name, package):
        self.tree = tree
        self.name = name
        self.package = package


def parse(folder, file):
    path = os.path.join(folder, file)
    if os.path.getsize(path) > MOST_SOURCE_BYTES:
        raise Mistake(f"{file} is larger than 16 MiB")
    with open(path, "rb") as source:
        text = source.read()
    version = ".".join(map(str, sys.version_info[:3]))
    try:
        return ast.parse(text, file)
    except SyntaxError as error:
        line = f" in line {error.lineno}" if error.lineno else ""
        raise Mistake(f"{file} is not valid for Python {version}: {error.msg}{line}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Mistake(f"{file} is not valid for Python {version}: {error or type(error).__name__}") from None


def statements(body):
    """Those of a body and of everything in it that is not a scope of its own."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from statements(getattr(statement, part, []))
        for handler in getattr(statement, "handlers", []):
            yield from statements(handler.body)


def is_name(node, name):
    return isinstance(node, ast.Name) and node.id == name


def absolute(module, statement):
    if statement.level == 0:
        return statement.module or ""
    above = module.package.split(".") if module.package else []
    above = above[: len(above) - (statement.level - 1)] if statement.level > 1 else above
    return ".".join([*above, *([statement.module] if statement.module else [])])


def is_standard(module):
    return module.split(".")[0] in sys.stdlib_module_names


def source(folder):
    sources = Sources(folder)
    verbs = []
    for file, possible in VERBS.items():
        if not os.path.isfile(os.path.join(folder, file)):
            continue
        module = sources.module(file[: -len(".py")])
        main = sources.definition(module, "Main")
        if main is None or main is STANDARD:
            raise Mistake(f"{file} has no class Main")
        methods = {UNKNOWN} if main is UNKNOWN else sources.methods(*main)
        # What comes from elsewhere cannot be judged without running it; the run will tell.
        verbs += [verb for verb in possible if verb in methods or UNKNOWN in methods]
    return {"verbs": verbs, "version": ".".join(map(str, sys.version_info[:3]))}


def requirement_lines(folder, file, seen):
    """(file, line number, text) of everything asked for; a file may include others."""
    if file in seen:
        return
    seen.add(file)
    try:
        with open(os.path.join(folder, file), encoding="utf-8-sig", errors="replace") as lines:
            text = lines.read().replace("\\\n", " ")
    except OSError:
        return
    for number, line in enumerate(text.split("\n"), 1):
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        include = re.match(r"(?:-r|--requirement)[ =]\s*(\S+)", line)
        if include:
            yield from requirement_lines(folder, include.group(1), seen)
        elif line and not line.startswith("-"):
            yield file, number, re.sub(r"\s--\S.*", "", line).strip()


def specifiers():
    """The library that knows versions and markers, if this Python has it."""
    for name in ("packaging.requirements", "pip._vendor.packaging.requirements"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


def look_up(text, versions):
    """(name, installed version or none, whether that version is one that was asked for), or none for what cannot be
    looked up."""
    match = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*(.*)", text, re.DOTALL)
    if not match or re.match(r"[a-z+]+:", text) or "/" in match.group(1):
        return None
    name, rest = match.group(1), match.group(3)
    asked = None
    if versions and not rest.startswith("@"):
        try:
            asked = versions.Requirement(text)
        except Exception:
            raise Mistake(f"requirements name '{text}', which is no requirement") from None
        if asked.marker and not asked.marker.evaluate({"extra": ""}):
            return None
    elif ";" in rest:
        return None
    try:
        installed = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        # Some are asked for by the name of their module.
        there = importlib.util.find_spec(re.sub(r"[-.]", "_", name)) is not None
        return name, "unknown" if there else None, True
    return name, installed, asked is None or asked.specifier.contains(installed, prereleases=True)


def requirements(folder):
    versions = specifiers()
    answer = {"missing": [], "different": [], "found": {}, "version": ".".join(map(str, sys.version_info[:3]))}
    seen = set()
    for start in REQUIREMENT_FILES:
        for file, number, text in requirement_lines(folder, start, seen):
            looked_up = look_up(text, versions)
            if looked_up is None:
                continue
            name, installed, suits = looked_up
            if installed is None:
                answer["missing"].append({"requirement": text, "file": file, "line": number})
                continue
            answer["found"][name] = installed
            if not suits:
                answer["different"].append({"requirement": text, "installed": installed})
    return answer


def main():
    questions = {"source": source, "requirements": requirements}
    if len(sys.argv) != 3 or sys.argv[1] not in questions:
        sys.exit(__doc__)
    try:
        answer = questions[sys.argv[1]](sys.argv[2])
    except Mistake as mistake:
        answer = {"error": str(mistake)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
