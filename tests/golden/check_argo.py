#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges exports for Argo Workflows.

    check_argo.py FILE.yaml...   checks the files, then that planted mistakes in them are found

With TRAINYARD_ARGO_SCHEMA, the path of Argo's own api/jsonschema/schema.json, it is that schema which judges, and since it
forbids no key, each key is looked up among the properties of its object. Without, a list of the keys and types that exports
use, taken from that schema, judges instead. What no schema tells is checked in both cases: names, references, and that
nothing but references stands in double braces.
"""

import copy
import json
import os
import re
import sys

import jsonschema
import yaml

ROOT = "io.argoproj.workflow.v1alpha1.WorkflowTemplate"
TEXTS = "texts by name"

# Of Argo Workflows 4.1. A name in brackets is a list of it; QUANTITY is a text.
KEYS = {
    "WorkflowTemplate": {"apiVersion": "text", "kind": "text", "metadata": "ObjectMeta", "spec": "WorkflowSpec"},
    "ObjectMeta": {"name": "text", "annotations": TEXTS, "labels": TEXTS},
    "WorkflowSpec": {
        "entrypoint": "text", "activeDeadlineSeconds": "integer", "arguments": "Arguments", "templates": ["Template"],
        "imagePullSecrets": ["Name"],
    },
    "Arguments": {"parameters": ["Parameter"], "artifacts": ["Artifact"]},
    "Parameter": {"name": "text", "value": "text", "default": "text", "description": "text", "enum": ["text"]},
    "Artifact": {
        "name": "text", "path": "text", "globalName": "text", "optional": "boolean", "archive": "Archive", "s3": "S3",
    },
    "Archive": {"none": "Nothing"},
    "Nothing": {},
    "S3": {"key": "text"},
    "Template": {
        "name": "text", "activeDeadlineSeconds": "text", "podSpecPatch": "text", "metadata": "Metadata",
        "inputs": "Artifacts", "outputs": "Artifacts", "container": "Container", "volumes": ["Volume"],
    },
    "Metadata": {"labels": TEXTS, "annotations": TEXTS},
    "Artifacts": {"artifacts": ["Artifact"]},
    "Container": {
        "image": "text", "command": ["text"], "args": ["text"], "env": ["EnvVar"], "resources": "Resources",
        "volumeMounts": ["VolumeMount"],
    },
    "EnvVar": {"name": "text", "value": "text", "valueFrom": "EnvVarSource"},
    "EnvVarSource": {"secretKeyRef": "SecretKey"},
    "SecretKey": {"name": "text", "key": "text", "optional": "boolean"},
    "Resources": {"requests": TEXTS, "limits": TEXTS},
    "VolumeMount": {"name": "text", "mountPath": "text", "readOnly": "boolean", "subPath": "text"},
    "Volume": {"name": "text", "persistentVolumeClaim": "Claim", "secret": "SecretVolume"},
    "Claim": {"claimName": "text", "readOnly": "boolean"},
    "SecretVolume": {"secretName": "text", "items": ["KeyToPath"]},
    "KeyToPath": {"key": "text", "path": "text"},
    "Name": {"name": "text"},
}
REQUIRED = {
    "WorkflowTemplate": ["metadata", "spec"], "Container": ["image"], "Parameter": ["name"], "Artifact": ["name"],
    "EnvVar": ["name"], "SecretKey": ["key"], "VolumeMount": ["name", "mountPath"], "Volume": ["name"],
    "Claim": ["claimName"], "KeyToPath": ["key", "path"],
}

OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
REFERENCE = re.compile(r"\{\{workflow\.parameters\.([A-Za-z0-9_]+)\}\}")
SAP_MANDATORY = {
    "annotations": ["scenarios.ai.sap.com/name", "executables.ai.sap.com/name"],
    "labels": ["scenarios.ai.sap.com/id", "ai.sap.com/version"],
}


def listed_mistakes(value, kind, where):
    """By the list above."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for number, item in enumerate(value):
            yield from listed_mistakes(item, kind[0], f"{where}[{number}]")
    elif kind in ("text", "boolean", "integer"):
        wanted = {"text": str, "boolean": bool, "integer": int}[kind]
        if type(value) is not wanted:
            yield f"{where} is {value!r}, no {kind}"
    elif not isinstance(value, dict):
        yield f"{where} is no object"
    elif kind == TEXTS:
        for key, text in value.items():
            yield from listed_mistakes(text, "text", f"{where}.{key}")
    else:
        for key in REQUIRED.get(kind, []):
            if key not in value:
                yield f"{where} has no {key}"
        for key, item in value.items():
            if key in KEYS[kind]:
                yield from listed_mistakes(item, KEYS[kind][key], f"{where}.{key}")
            else:
                yield f"{where} has an unknown key {key}"


def unknown_keys(value, schema, definitions, where):
    """Keys that Argo's schema does not name, which it would let pass."""
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from unknown_keys(item, schema.get("items", {}), definitions, f"{where}[{number}]")
    elif isinstance(value, dict):
        properties, free = schema.get("properties", {}), schema.get("additionalProperties")
        for key, item in value.items():
            if key in properties:
                yield from unknown_keys(item, properties[key], definitions, f"{where}.{key}")
            elif not free:
                yield f"{where} has an unknown key {key}"


def schema_mistakes(document, schema):
    root = {"$schema": schema["$schema"], "definitions": schema["definitions"], "$ref": f"#/definitions/{ROOT}"}
    for error in jsonschema.Draft202012Validator(root).iter_errors(document):
        yield "/".join(str(part) for part in error.absolute_path) + ": " + error.message
    yield from unknown_keys(document, schema["definitions"][ROOT], schema["definitions"], "$")


def texts_in(value, where="$"):
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_in(item, f"{where}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from texts_in(item, f"{where}[{number}]")


def repeated(names):
    return sorted({name for name in names if names.count(name) > 1})


def other_mistakes(document):
    """What no schema tells."""
    if document.get("apiVersion") != "argoproj.io/v1alpha1" or document.get("kind") != "WorkflowTemplate":
        yield "it is no WorkflowTemplate of argoproj.io/v1alpha1"
    metadata, spec = document.get("metadata", {}), document.get("spec", {})
    name = metadata.get("name", "")
    if not OBJECT_NAME.fullmatch(name) or len(name) > 52:
        yield f"its name '{name}' is none for Kubernetes and CronWorkflows"
    labels = dict(metadata.get("labels", {}))
    templates = spec.get("templates", [])
    if spec.get("entrypoint") not in [template.get("name") for template in templates]:
        yield "its entry point is no template of it"
    parameters = [parameter.get("name") for parameter in spec.get("arguments", {}).get("parameters", [])]
    for parameter in repeated(parameters):
        yield f"the parameter {parameter} is there twice"
    for where, text in texts_in(spec):
        for reference in REFERENCE.findall(text):
            if reference not in parameters:
                yield f"{where} refers to {reference}, which is no parameter"
        rest = REFERENCE.sub("", text)
        if "{{" in rest or "}}" in rest:
            yield f"{where} has braces that Argo would read"
    for template in templates:
        labels.update(template.get("metadata", {}).get("labels", {}))
        container = template.get("container", {})
        volumes = [volume.get("name") for volume in template.get("volumes", [])]
        mounts = container.get("volumeMounts", [])
        if sorted(volumes) != sorted(mount.get("name") for mount in mounts):
            yield f"the volumes {volumes} are not those that are mounted"
        places = [mount.get("mountPath") for mount in mounts]
        places += [artifact.get("path") for artifact in template.get("inputs", {}).get("artifacts", [])]
        for twice in repeated(places) + repeated([variable.get("name") for variable in container.get("env", [])]):
            yield f"{twice} is there twice"
        secret_seen = False
        for variable in container.get("env", []):
            secret_seen = secret_seen or "secretKeyRef" in variable.get("valueFrom", {})
            if secret_seen and "value" in variable:
                yield f"{variable['name']} comes after a secret, which Kubernetes would put into it where it asks"
            if "value" in variable and re.search(r"\$[($]", variable["value"]):
                yield f"{variable['name']} has a dollar sign that Kubernetes would read"
    for key, label in labels.items():
        if not LABEL.fullmatch(label):
            yield f"the label {key} is '{label}', which Kubernetes refuses"
    if any(key.endswith("ai.sap.com/id") for key in labels):
        for part, keys in SAP_MANDATORY.items():
            for key in keys:
                if key not in metadata.get(part, {}):
                    yield f"SAP AI Core wants {key} among the {part}"
        for template in templates:
            if "ai.sap.com/resourcePlan" not in template.get("metadata", {}).get("labels", {}):
                yield "SAP AI Core wants ai.sap.com/resourcePlan among the labels of a template"
            if template.get("container", {}).get("command") != ["/bin/sh", "-c"]:
                yield 'SAP AI Core wants the command ["/bin/sh", "-c"]'


def mistakes_in(document, schema):
    found = schema_mistakes(document, schema) if schema else listed_mistakes(document, "WorkflowTemplate", "$")
    return list(found) + list(other_mistakes(document))


def planted(document):
    """The document with one mistake, each time another."""

    def broken(what, change):
        copied = copy.deepcopy(document)
        change(copied, copied["spec"]["templates"][0], copied["spec"]["templates"][0]["container"])
        return what, copied

    yield broken("a misspelt key", lambda all, step, box: box.update(enviroment=[]))
    yield broken("a misspelt key of an output", lambda all, step, box: step["outputs"]["artifacts"][0].update(pth="/x"))
    yield broken("no image", lambda all, step, box: box.pop("image"))
    yield broken("a number for a text", lambda all, step, box: box.update(image=1))
    yield broken("a text for a list", lambda all, step, box: box.update(args="x"))
    yield broken("a name with an underscore", lambda all, step, box: all["metadata"].update(name="a_b"))
    yield broken("no entry point", lambda all, step, box: all["spec"].update(entrypoint="other"))
    yield broken("a reference to nothing", lambda all, step, box: box["args"].append("{{workflow.parameters.nothing}}"))
    yield broken("an expression", lambda all, step, box: box["args"].append("{{=1}}"))
    yield broken("a variable twice", lambda all, step, box: box["env"].append(box["env"][0]))


def main(files):
    path = os.environ.get("TRAINYARD_ARGO_SCHEMA")
    schema = None
    if path:
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
    failures = 0
    for name in files:
        with open(name, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        for mistake in mistakes_in(document, schema):
            failures += 1
            print(f"{name}: {mistake}", file=sys.stderr)
        for what, broken in planted(document):
            if not mistakes_in(broken, schema):
                failures += 1
                print(f"{name}: nobody notices {what}", file=sys.stderr)
    if failures:
        return 1
    print(f"{len(files)} exports are good for {path or 'the list of keys'}")
    return 0 if files else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
