#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the schemas and their golden examples, or files against one schema.

    check_schemas.py                        every schema is one; valid and refused examples pass, invalid ones do not
    check_schemas.py --schema NAME FILE...  each file passes; of a .jsonl file, each line
"""

import argparse
import json
import pathlib
import sys

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schemas"
SUFFIX = ".schema.json"
# A rule that no schema can say is the code's alone: examples in refused/ pass here and are refused there.
KINDS = {"valid": True, "refused": True, "invalid": False}
SHARED = "values"


def unique(pairs):
    """An object whose keys are all different."""
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"has a key twice: {sorted(key for key in set(keys) if keys.count(key) > 1)}")
    return dict(pairs)


def read(text):
    return json.loads(text, object_pairs_hook=unique)


class Schemas:
    def __init__(self):
        files = sorted(SCHEMAS.glob("*" + SUFFIX))
        self.by_name = {path.name[: -len(SUFFIX)]: read(path.read_text()) for path in files}
        self.store = {schema["$id"]: schema for schema in self.by_name.values()}

    def validator(self, name):
        schema = self.by_name[name]
        resolver = jsonschema.RefResolver(schema["$id"], schema, store=self.store)
        return jsonschema.Draft7Validator(schema, resolver=resolver)

    def mistake(self, name, text):
        """What is wrong with the text of a document, or None."""
        try:
            document = read(text)
        except ValueError as error:
            return str(error)
        error = jsonschema.exceptions.best_match(self.validator(name).iter_errors(document))
        return error and f"{'/'.join(map(str, error.absolute_path)) or 'the document'}: {error.message[:300]}"


def undescribed(schema, where):
    """The properties below a schema that have no sentence about them."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from undescribed(item, f"{where}/{index}")
    elif isinstance(schema, dict):
        for key, value in schema.get("properties", {}).items():
            # Inside a condition the properties only repeat what stands elsewhere.
            if not any(part in where.split("/") for part in ("oneOf", "if", "then", "else")) and "description" not in value:
                yield f"{where}/{key}"
        for key, value in schema.items():
            yield from undescribed(value, f"{where}/{key}")


def problems_of_schemas(schemas):
    for name, schema in schemas.by_name.items():
        try:
            jsonschema.Draft7Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            yield f"{name}{SUFFIX} is no JSON Schema: {error.message}"
        if schema["$id"] != f"urn:trainyard:schema:{name}:1":
            yield f"{name}{SUFFIX} has the $id {schema['$id']}"
        if name == SHARED:
            continue
        for where in undescribed(schema, name):
            yield f"{where} has no description"
        for kind, least in (("valid", 1), ("invalid", 3)):
            if len(list((SCHEMAS / "examples" / name / kind).glob("*.json"))) < least:
                yield f"examples/{name}/{kind} has fewer than {least} examples"


def problems_of_examples(schemas):
    for path in sorted((SCHEMAS / "examples").rglob("*.json")):
        name, kind, _ = path.relative_to(SCHEMAS / "examples").parts
        mistake = schemas.mistake(name, path.read_text())
        if KINDS[kind] and mistake:
            yield f"{path.relative_to(SCHEMAS)}: {mistake}"
        if not KINDS[kind] and not mistake:
            yield f"{path.relative_to(SCHEMAS)} passes, but should not"


def problems_of_files(schemas, name, files):
    for file in files:
        text = pathlib.Path(file).read_text()
        for number, line in enumerate(text.splitlines() if file.endswith(".jsonl") else [text], 1):
            mistake = schemas.mistake(name, line)
            if mistake:
                yield f"{file}, {'line' if file.endswith('.jsonl') else 'document'} {number}: {mistake}"


def main():
    arguments = argparse.ArgumentParser(description="Checks schemas, examples and documents.")
    arguments.add_argument("--schema", metavar="NAME", help="the schema that the files are to pass")
    arguments.add_argument("files", nargs="*", metavar="FILE")
    given = arguments.parse_args()
    schemas = Schemas()
    if given.schema is not None:
        if given.schema not in schemas.by_name or not given.files:
            arguments.error(f"give files, and one of the schemas {', '.join(schemas.by_name)}")
        problems = list(problems_of_files(schemas, given.schema, given.files))
    else:
        problems = list(problems_of_schemas(schemas)) + list(problems_of_examples(schemas))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
