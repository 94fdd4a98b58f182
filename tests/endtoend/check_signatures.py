#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what Trainyard signs as other programs do, with nothing of Trainyard: the standard library and the program openssl.

    check_signatures.py dsse BUNDLE.intoto.jsonl KEY.pub.pem      each envelope has a right signature of the key
    check_signatures.py model FOLDER MODEL.SIG KEY.pub.pem        the steps of the verifier of OpenSSF model signing
    check_signatures.py shapes BUNDLE.intoto.jsonl                each statement has what its specification requires

Prints the predicate types, or the number of files; says what is wrong and exits with 1.
"""

import base64
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

PAYLOAD = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
MODEL = "https://model_signing/signature/v1.0"
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+")
SHA256 = re.compile(r"[0-9a-f]{64}")


def need(condition, complaint):
    if not condition:
        raise SystemExit(complaint)


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)


def pae(payload_type, payload):
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def is_right(signature, message, key):
    with tempfile.TemporaryDirectory() as folder:
        signature_file, message_file = pathlib.Path(folder, "signature"), pathlib.Path(folder, "message")
        signature_file.write_bytes(signature)
        message_file.write_bytes(message)
        described = openssl("pkey", "-pubin", "-in", key, "-noout", "-text")
        need(described.returncode == 0, f"openssl does not take the key: {described.stderr}")
        if "ED25519" in described.stdout.upper():
            checked = openssl("pkeyutl", "-verify", "-pubin", "-inkey", key, "-rawin", "-in", message_file,
                              "-sigfile", signature_file)
        else:
            checked = openssl("dgst", "-sha256", "-verify", key, "-signature", signature_file, message_file)
        return checked.returncode == 0


def payload_of(envelope, key):
    """The payload, once a signature of the key over it is right."""
    payload = base64.b64decode(envelope["payload"], validate=True)
    message = pae(envelope["payloadType"], payload)
    signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    need(any(is_right(signature, message, key) for signature in signatures), "no signature of the key is right")
    need(envelope["payloadType"] == PAYLOAD, f"the payload is {envelope['payloadType']}")
    return payload


def envelopes(bundle):
    return [json.loads(line) for line in pathlib.Path(bundle).read_text().splitlines()]


def check_dsse(bundle, key):
    for envelope in envelopes(bundle):
        print(json.loads(payload_of(envelope, key))["predicateType"])


def model_files(folder, ignored):
    """As the verifier walks a model: whole files, in the order of their paths."""
    found = {}
    for path in folder.glob("**/*"):
        name = pathlib.PurePosixPath(path.relative_to(folder).as_posix())
        if any(name == one or one in name.parents for one in ignored):
            continue
        need(not path.is_symlink(), f"{name} is a link")
        if path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).digest()
    return sorted(found.items())


def check_model(folder, signature, key):
    bundle = json.loads(pathlib.Path(signature).read_text())
    need(bundle["mediaType"] == BUNDLE, f"the bundle is {bundle['mediaType']}")
    material = bundle["verificationMaterial"]
    need(material["publicKey"]["hint"] == hashlib.sha256(pathlib.Path(key).read_bytes()).hexdigest(), "another key")
    need(material["tlogEntries"] == [] and len(bundle["dsseEnvelope"]["signatures"]) == 1, "not signed with a plain key")
    statement = json.loads(payload_of(bundle["dsseEnvelope"], key))
    need(statement["_type"] == STATEMENT and statement["predicateType"] == MODEL, "not a model signature")
    need(len(statement["subject"]) == 1, "not one subject")
    serialization = statement["predicate"]["serialization"]
    need(serialization["method"] == "files" and serialization["hash_type"] == "sha256", "another serialization")
    need(serialization["allow_symlinks"] is False, "links are allowed")
    signed = [(pathlib.PurePosixPath(one["name"]), bytes.fromhex(one["digest"])) for one in statement["predicate"]["resources"]]
    root = hashlib.sha256(b"".join(digest for _, digest in signed)).hexdigest()
    need(root == statement["subject"][0]["digest"]["sha256"], "the root digest is not that of the files")
    there = model_files(pathlib.Path(folder), [pathlib.PurePosixPath(one) for one in serialization["ignore_paths"]])
    need(signed == sorted(signed), "the files are not in the order of paths")
    need(there == signed, f"signature mismatch: {sorted(str(name) for name, _ in set(there) ^ set(signed))}")
    print(len(signed))


def check_resource(resource):
    need(any(key in resource for key in ("uri", "digest", "content")), f"a resource without content: {resource}")
    need(all(SHA256.fullmatch(one) for one in resource.get("digest", {}).values()), f"a digest of {resource}")
    need(URI.fullmatch(resource.get("uri", "x:y")), f"a URI of {resource}")


def check_provenance(predicate):
    build, run = predicate["buildDefinition"], predicate["runDetails"]
    need(URI.fullmatch(build["buildType"]) and URI.fullmatch(run["builder"]["id"]), "what must be a URI is none")
    need(isinstance(build["externalParameters"], dict) and build["externalParameters"], "no external parameters")
    need(set(build) <= {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"}, f"{set(build)}")
    need(set(run) <= {"builder", "metadata", "byproducts"}, f"{set(run)}")
    need(set(run["builder"]) <= {"id", "version", "builderDependencies"}, f"{set(run['builder'])}")
    need(set(run["metadata"]) <= {"invocationId", "startedOn", "finishedOn"}, f"{set(run['metadata'])}")
    need(all(TIME.fullmatch(run["metadata"][key]) for key in ("startedOn", "finishedOn")), "a time")
    for resource in build.get("resolvedDependencies", []) + run.get("byproducts", []):
        check_resource(resource)


def check_shapes(bundle):
    for envelope in envelopes(bundle):
        statement = json.loads(base64.b64decode(envelope["payload"]))
        need(set(statement) == {"_type", "subject", "predicateType", "predicate"}, f"{set(statement)}")
        need(statement["_type"] == STATEMENT and statement["subject"], "not a statement")
        names = [subject["name"] for subject in statement["subject"]]
        need(len(set(names)) == len(names), "a subject twice")
        need(all(SHA256.fullmatch(one["digest"]["sha256"]) for one in statement["subject"]), "a digest of a subject")
        if statement["predicateType"] == PROVENANCE:
            check_provenance(statement["predicate"])
        if statement["predicateType"] == TEST_RESULT:
            need(statement["predicate"]["result"] in ("PASSED", "WARNED", "FAILED"), "no result")
            for resource in statement["predicate"]["configuration"]:
                check_resource(resource)
        print(statement["predicateType"])


def main():
    commands = {"dsse": (check_dsse, 2), "model": (check_model, 3), "shapes": (check_shapes, 1)}
    command, count = commands.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0))
    if command is None or len(sys.argv) != 2 + count:
        print(__doc__, file=sys.stderr)
        return 2
    command(*sys.argv[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
