#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does to an export for Argo Workflows what Argo and Kubernetes do to its text, and runs the container's command here.

    argo_stand_in.py EXPORT.yaml FOLDER DATA PROGRAMS [NAME=VALUE...]

Neither Argo nor Kubernetes is here: this is what their sources say of variables. Argo marshals to JSON, puts each value in
as Go's strconv.Quote writes it, first into the arguments and then twice over into the template, and wants JSON again
(util/template, workflow/common/util.go, v4.1.2). Kubernetes replaces $(NAME) in variables and arguments by earlier
variables and makes one of two dollar signs (third_party/forked/golang/expansion). Absolute paths of the container become
ones below FOLDER; DATA is its input artifact 'data' and 'evaluation-data', PROGRAMS the folder with trainyard. NAME=VALUE
is what somebody who submits gives for a parameter; secret:NAME=VALUE the key of a Secret.
"""

import json
import os
import re
import sys

import yaml

WORDS = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"'}


def go_quoted(text):
    """strconv.Quote without its quotes."""
    quoted = ""
    for c in text:
        if c in WORDS:
            quoted += WORDS[c]
        elif ord(c) < 0x20 or ord(c) == 0x7F:
            quoted += f"\\x{ord(c):02x}"
        elif not c.isprintable():
            quoted += f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
        else:
            quoted += c
    return quoted


def replaced(value, variables):
    """What Argo makes of an object."""
    text, out = json.dumps(value, ensure_ascii=False), ""
    while "{{" in text:
        before, _, rest = text.partition("{{")
        if "}}" not in rest:
            break
        tag, _, text = rest.partition("}}")
        if tag.startswith("="):
            raise SystemExit(f"Argo would compute: {tag}")
        name = tag.strip()
        out += before + (go_quoted(variables[name]) if name in variables else "{{" + tag + "}}")
    return json.loads(out + text)


def expanded(text, variables):
    """What Kubernetes makes of a text."""
    out, at = "", 0
    while at < len(text):
        c = text[at]
        after = text[at + 1 : at + 2]
        if c == "$" and after == "$":
            out, at = out + "$", at + 2
        elif c == "$" and after == "(" and ")" in text[at:]:
            end = text.index(")", at)
            name = text[at + 2 : end]
            out, at = out + variables.get(name, f"$({name})"), end + 1
        else:
            out, at = out + c, at + 1
    return out


def main(export, folder, data, programs, *given):
    with open(export, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    given = dict(item.split("=", 1) for item in given)
    spec = document["spec"]
    (step,) = spec["templates"]
    values = {}
    for parameter in spec.get("arguments", {}).get("parameters", []):
        default = parameter.get("value", parameter.get("default"))
        values[parameter["name"]] = given.get(parameter["name"], default)
    known = {"workflow.name": "INTERPOLATED", "workflow.uid": "INTERPOLATED"}
    known |= {f"workflow.parameters.{name}": text for name, text in values.items()}
    values = replaced(values, known)
    known |= {f"workflow.parameters.{name}": text for name, text in values.items()}
    container = replaced(replaced(step, known), known)["container"]

    variables = {}
    for variable in container["env"]:
        if "value" in variable:
            variables[variable["name"]] = expanded(variable["value"], variables)
        else:
            reference = variable["valueFrom"]["secretKeyRef"]
            value = given.get("secret:" + reference["key"])
            if value is not None:
                variables[variable["name"]] = value
            elif not reference.get("optional"):
                raise SystemExit(f"there is no secret {reference}")
    command = [expanded(text, variables) for text in container["command"] + container["args"]]
    places = {"/tmp/trainyard": os.path.join(folder, "work")}
    for artifact in step.get("inputs", {}).get("artifacts", []):
        places[artifact["path"]] = data
    # All at once: what a path becomes may look like another one.
    place = re.compile("(" + "|".join(map(re.escape, places)) + r")(?![\w-])")
    command = [place.sub(lambda found: places[found.group()], text) for text in command]
    # A container has what its image gives it, and nothing of this machine's user.
    variables = {"PATH": f"{programs}:/usr/bin:/bin", "INTERPOLATED": "INTERPOLATED", **variables}
    os.chdir(folder)
    # This process becomes the container's, so that whoever started it can stop that.
    os.execve(command[0], command, variables)


if __name__ == "__main__":
    main(*sys.argv[1:])
