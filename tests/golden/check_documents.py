#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds documents for other tools against what those tools expect.

    check_documents.py                    all in documents/, and that planted mistakes in them are found
    check_documents.py FORMAT FILE...     these files; FORMAT is cyclonedx, openlineage, prov, croissant, dot or svg

cyclonedx   the published schema (published/)
openlineage the part of the specification that is used here, as a schema of our own (own/): the published one is not at hand
prov        read by the package `prov`, Debian's python3-prov, and written again as PROV-N
croissant   what the specification requires, as a schema of our own (own/)
dot         drawn by Graphviz
svg         read as XML; every text in it fits its box by count of characters
"""

import json
import pathlib
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
SUFFIXES = {
    "cyclonedx": ".cdx.json", "openlineage": ".openlineage.jsonl", "prov": ".prov.json", "croissant": ".croissant.json",
    "dot": ".dot", "svg": ".svg",
}


def read(path):
    return json.loads(path.read_text())


def mistakes(validator, document):
    for error in validator.iter_errors(document):
        yield f"{'/'.join(map(str, error.absolute_path)) or 'the document'}: {error.message[:300]}"


def check_cyclonedx(text):
    schema = read(HERE / "published" / "bom-1.6.SNAPSHOT.schema.json")
    base = schema["$id"].rsplit("/", 1)[0] + "/"
    names = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    store = {base + name: read(HERE / "published" / name) for name in names}
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    document = json.loads(text)
    yield from mistakes(jsonschema.Draft7Validator(schema, resolver=resolver), document)
    # What the schema cannot say: a reference leads somewhere, and no name is given twice.
    names = re.findall(r'"bom-ref": ?"([^"]+)"', text)
    if len(names) != len(set(names)):
        yield "a bom-ref is there twice"
    model = document["metadata"]["component"]
    used = [data["ref"] for data in model.get("modelCard", {}).get("modelParameters", {}).get("datasets", [])]
    used += [name for one in document["dependencies"] for name in [one["ref"], *one["dependsOn"]]]
    for name in set(used) - set(names):
        yield f"the reference {name} leads nowhere"


def check_openlineage(text):
    validator = jsonschema.Draft202012Validator(read(HERE / "own" / "openlineage_event.schema.json"))
    seen = {}
    for number, line in enumerate(text.splitlines(), 1):
        event = json.loads(line)
        for mistake in mistakes(validator, event):
            yield f"line {number}: {mistake}"
        if isinstance(event.get("run"), dict):
            seen.setdefault(event["run"].get("runId"), []).append(event.get("eventType"))
    for run, types in seen.items():
        if len(types) != 2 or types[0] != "START" or types[1] not in ("COMPLETE", "FAIL", "ABORT"):
            yield f"the run {run} has the events {types}"


def check_prov(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from prov.model import ProvDocument, ProvActivity, ProvEntity, ProvAgent
    try:
        document = ProvDocument.deserialize(content=text, format="json")
    except Exception as error:  # The package raises whatever it stumbles over.
        yield f"cannot be read: {type(error).__name__}: {error}"
        return
    document.get_provn()
    known = {record.identifier for kind in (ProvActivity, ProvEntity, ProvAgent) for record in document.get_records(kind)}
    for record in document.get_records():
        if record.is_relation():
            for _, value in record.formal_attributes:
                if hasattr(value, "uri") and value not in known:
                    yield f"{record.get_provn()} speaks of {value}, which is not there"


def check_croissant(text):
    document = json.loads(text)
    yield from mistakes(jsonschema.Draft7Validator(read(HERE / "own" / "croissant.schema.json")), document)
    names = [one.get("@id") for one in document.get("distribution", [])]
    if len(names) != len(set(names)):
        yield "an @id is there twice"


def check_dot(text):
    drawn = subprocess.run(["dot", "-Tsvg"], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if drawn.returncode != 0 or drawn.stderr:
        yield f"dot says: {drawn.stderr.decode()}"
        return
    picture = xml.etree.ElementTree.fromstring(drawn.stdout)
    shown = sum(element.get("class") == "node" for element in picture.iter("{http://www.w3.org/2000/svg}g"))
    told = len(re.findall(r"^  \".*\[shape=", text, re.MULTILINE))
    if shown != told:
        yield f"{told} nodes are told and {shown} drawn"


def check_svg(text):
    try:
        picture = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError as error:
        yield f"is no XML: {error}"
        return
    names = {element.tag.split("}")[1] for element in picture.iter()}
    if not {"title", "desc", "text", "rect", "path"} <= names or picture.get("role") != "img":
        yield f"lacks what makes it a picture for everybody; it has {sorted(names)}"
    if names & {"script", "image", "use", "foreignObject", "style"} or "href" in text:
        yield "needs more than itself"
    for element in picture.iter("{http://www.w3.org/2000/svg}text"):
        most = 31 if element.get("font-weight") else 35
        if len(element.text or "") > most and element.get("font-size") is None:
            yield f"the text {element.text!r} is longer than its box"


CHECKS = {
    "cyclonedx": check_cyclonedx, "openlineage": check_openlineage, "prov": check_prov, "croissant": check_croissant,
    "dot": check_dot, "svg": check_svg,
}


def cut(key):
    """The text with the first value of the key taken away."""
    def change(text):
        return re.sub(rf'"{key}": ?("[^"]*"|\d+),?\s*', "", text, count=1)
    return change


# A format, and a change that must not go unseen.
PLANTED = [
    ("cyclonedx", cut("specVersion")),
    ("cyclonedx", lambda text: text.replace('"value": "0.96875"', '"value": 0.96875', 1)),
    ("cyclonedx", lambda text: text.replace('"ref": "data:', '"ref": "nowhere:', 1)),
    ("openlineage", cut("_producer")),
    ("openlineage", cut("eventTime")),
    ("openlineage", lambda text: text.replace("COMPLETE", "OTHER", 1)),
    ("openlineage", lambda text: text + text.splitlines()[0] + "\n"),
    ("prov", lambda text: text.replace('"prov:entity": "trainyard:data', '"prov:entity": "trainyard:nothing', 1)),
    ("prov", lambda text: text.replace('"prefix"', '"prefixes"', 1)),
    ("croissant", cut("conformsTo")),
    ("croissant", lambda text: text.replace('"sha256"', '"sha265"', 1)),
    ("dot", lambda text: text.replace('\\"', '"', 1)),
    ("svg", lambda text: text.replace("&lt;", "<", 1)),
    ("svg", lambda text: text.replace("</desc>", "</desc><script/>", 1)),
]


def main():
    if len(sys.argv) > 2:
        files = [(sys.argv[1], pathlib.Path(file)) for file in sys.argv[2:]]
    else:
        files = [(name, path) for name, suffix in SUFFIXES.items() for path in (HERE / "documents").glob("*" + suffix)]
    problems = [f"{path.name}: {mistake}" for name, path in files for mistake in CHECKS[name](path.read_text())]
    if len(sys.argv) <= 2:
        if {name for name, _ in files} != set(CHECKS):
            problems.append("documents/ has not every format")
        for number, (name, change) in enumerate(PLANTED):
            whole = (HERE / "documents" / ("whole" + SUFFIXES[name])).read_text()
            if change(whole) == whole:
                problems.append(f"the planted mistake {number} in {name} changes nothing")
            elif not list(CHECKS[name](change(whole))):
                problems.append(f"the planted mistake {number} in {name} is not found")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
