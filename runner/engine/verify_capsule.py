#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks a capsule, one step at a time, with Python's standard library alone. VERIFY.md tells what each step shows.

    python3 verify.py STEP      a step is the name of a function below the line of dashes
"""

import base64
import codecs
import hashlib
import json
import pathlib
import sys
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CHECK = HERE / "check"  # what `unwrap` writes, for openssl
PROVENANCE = "https://slsa.dev/provenance/v1"
MODEL = "https://model_signing/signature/v1.0"
UPLOAD = "urn:trainyard:build:upload:1"


def need(condition, complaint):
    if not condition:
        raise SystemExit(f"WRONG: {complaint}")


def sha256(file):
    """Of an open file, or of one that is named from the capsule's folder."""
    if isinstance(file, str):
        with open(HERE / file, "rb") as opened:
            return sha256(opened)
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def document(name):
    return json.loads((HERE / name).read_bytes())


def package():
    """The one zip in package/."""
    zips = sorted(file.name for file in (HERE / "package").glob("*.zip"))
    need(len(zips) == 1, "package/ must have one zip")
    return f"package/{zips[0]}"


def envelopes():
    """Each signed document: its name, its envelope, and the key that it names where its signatures name none."""
    attestations = HERE / "signed/attestations.intoto.jsonl"
    if attestations.exists():
        for number, line in enumerate(attestations.read_bytes().splitlines(), 1):
            yield f"attestation-{number}", json.loads(line), ""
    if (HERE / "signed/model.sig").exists():
        bundle = document("signed/model.sig")
        yield "model", bundle["dsseEnvelope"], bundle["verificationMaterial"]["publicKey"]["hint"]
    if (HERE / "signed/journal-head.json").exists():
        yield "journal-head", document("signed/journal-head.json"), ""


def payload(envelope):
    return base64.b64decode(envelope["payload"], validate=True)


def statements():
    """What was signed about the package."""
    for name, envelope, _ in envelopes():
        if envelope["payloadType"] == "application/vnd.in-toto+json":
            yield name, json.loads(payload(envelope))


# A tree document writes '%', and every byte of a name that is not UTF-8, as %HH.
codecs.register_error("percent", lambda error: ("".join(f"%{byte:02X}" for byte in error.object[error.start:error.end]), error.end))


def text_of(name):
    return name.replace("%", "%25").encode("utf-8", "surrogateescape").decode("utf-8", "percent")


def files_of_zip(name):
    """Path, whether it can be run, SHA-256 of each file; None for an empty folder. Below the one root folder."""
    with zipfile.ZipFile(HERE / name) as archive:
        for entry in archive.infolist():
            path = entry.filename.partition("/")[2]
            if entry.is_dir():
                if path:
                    yield text_of(path.rstrip("/")), False, None
                continue
            with archive.open(entry) as file:
                yield text_of(path), bool(entry.external_attr >> 16 & 0o100), sha256(file)


def files_of_tar(name):
    with tarfile.open(HERE / name, "r:", encoding="utf-8", errors="surrogateescape") as archive:
        for entry in archive:
            need(entry.isfile() or entry.isdir(), f"{name} has something that is no file: {entry.name!r}")
            file = archive.extractfile(entry)
            yield text_of(entry.name), file is not None and bool(entry.mode & 0o100), sha256(file) if file else None


def compare(name, found, tree):
    """That an archive has what the tree document lists, and nothing else. Yields the number of files."""
    listed = {entry["path"]: (entry["executable"], entry["digest"]) for entry in document(tree)["entries"]}
    seen = set()
    for path, executable, digest in found:
        need(path not in seen, f"{name} has {path!r} twice")
        need(path in listed, f"{name} has {path!r}, which {tree} does not list")
        need((executable, digest) == listed[path], f"{path!r} in {name} is not the one that {tree} lists")
        seen.add(path)
    for path in listed:
        need(path in seen, f"{name} lacks {path!r}, which {tree} lists")
    return sum(digest is not None for _, digest in listed.values())


def root_of(leaf, index, size, path):
    """The root of the Merkle tree (RFC 6962) in which the leaf stands; the algorithm of RFC 9162, section 2.1.3.2."""
    need(index < size, "a line stands behind the end of the signed journal")
    last, root = size - 1, leaf
    for sibling in path:
        need(last != 0, "a proof is too long")
        if index % 2 == 1 or index == last:
            root = hashlib.sha256(b"\1" + sibling + root).digest()
            while index % 2 == 0 and index != 0:
                index, last = index >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\1" + root + sibling).digest()
        index, last = index >> 1, last >> 1
    need(last == 0, "a proof is too short")
    return root


# ---------------------------------------------------------------------------------------------------------- the steps


def unwrap():
    """check/NAME.pae is what was signed (DSSE: type and payload with their lengths), check/NAME.KEY.sig a signature."""
    keys = {sha256(f"keys/{file.name}"): file.name.removesuffix(".pub.pem") for file in (HERE / "keys").glob("*.pub.pem")}
    CHECK.mkdir(exist_ok=True)
    for old in CHECK.iterdir():
        old.unlink()
    for name, envelope, hint in envelopes():
        kind, body = envelope["payloadType"].encode(), payload(envelope)
        (CHECK / f"{name}.pae").write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body))
        signers = []
        for signature in envelope["signatures"]:
            key = keys.get(signature.get("keyid") or hint)
            if key:
                (CHECK / f"{name}.{key}.sig").write_bytes(base64.b64decode(signature["sig"], validate=True))
                signers.append(key)
        need(signers, f"{name} has no signature of a key in keys/")
        print(f"{name}: {', '.join(sorted(signers))}")


def subjects():
    """What is attested is attested of this very package."""
    zip_digest, tree_digest = sha256(package()), sha256("package/tree.json")
    for name, statement in statements():
        if statement["predicateType"] == MODEL:
            continue
        about = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
        zips = [digest for subject, digest in about.items() if subject.endswith(".zip")]
        trees = [digest for subject, digest in about.items() if not subject.endswith(".zip")]
        need(trees == [tree_digest], f"{name} is about another tree than package/tree.json")
        # An uploaded zip was unpacked and is packed anew here; the tree tells that the files are the same.
        definition = statement["predicate"].get("buildDefinition", {})
        need(zips == [zip_digest] or definition.get("buildType") == UPLOAD, f"{name} is about another zip than {package()}")
        print(f"{name} is about this {'package' if zips == [zip_digest] else 'tree, and another zip of it'}")


def files():
    """The zip has the files of the tree."""
    count = compare(package(), files_of_zip(package()), "package/tree.json")
    print(f"{package()}: what package/tree.json lists, and nothing else (files: {count})")


def model():
    """The model signature is about these files."""
    (statement,) = [json.loads(payload(envelope)) for name, envelope, _ in envelopes() if name == "model"]
    predicate = statement["predicate"]
    ignored = [text_of(path) for path in predicate["serialization"]["ignore_paths"]]
    wanted = {text_of(entry["name"]): entry["digest"] for entry in predicate["resources"]}
    found = {}
    for path, _, digest in files_of_zip(package()):
        if digest and not any(path == other or path.startswith(other + "/") for other in ignored):
            found[path] = digest
    need(wanted == found, "signed/model.sig lists other files than the package has")
    print(f"signed/model.sig: what the package has, and nothing else (files: {len(found)})")


def results():
    """The story of the run is the one that the provenance names, and it tells of this package."""
    digest = sha256("run/_results.json")
    for name, statement in statements():
        if statement["predicateType"] == PROVENANCE:
            byproducts = statement["predicate"]["runDetails"].get("byproducts", [])
            named = [one["digest"]["sha256"] for one in byproducts if one["name"] == "_results.json"]
            need(named == [digest], f"{name} names other results than run/_results.json")
            print(f"{name} names run/_results.json")
    made = document("run/_results.json")["traceability"]["version"]
    need(made["tree"]["digest"] == sha256("package/tree.json"), "run/_results.json tells of another tree")
    need(made["zip"]["digest"] == sha256(package()), "run/_results.json tells of another zip")
    print("run/_results.json tells of this package")


def artifacts():
    """What the run made for people is what its results say."""
    told = document("run/_results.json")["traceability"]["artifacts"]["digest"]
    need(sha256("run/artifacts.tree.json") == told, "run/artifacts.tree.json is not the tree that the results name")
    count = compare("run/artifacts.tar", files_of_tar("run/artifacts.tar"), "run/artifacts.tree.json")
    print(f"run/artifacts.tar: what run/artifacts.tree.json lists, and nothing else (files: {count})")


def data():
    """The lists of files are those of the data that the run read; and the files, where they are here."""
    for dataset in document("run/_results.json")["traceability"]["datasets"]:
        name = dataset["input"]
        tree, archive = f"data/{name}.tree.json", f"data/{name}.tar"
        if (HERE / tree).exists():
            need(sha256(tree) == dataset["tree"]["digest"], f"{tree} is not the tree that the results name")
            print(f"{tree}: the list that the run read")
        if (HERE / archive).exists():
            count = compare(archive, files_of_tar(archive), tree)
            print(f"{archive}: what {tree} lists, and nothing else (files: {count})")


def records():
    """Each version's record leads to the one before, and the first is that of this package."""
    capsule = document("capsule.json")
    wanted, digest = capsule["version"]["version"], sha256("package/tree.json")
    while wanted:
        name = f"versions/{capsule['version']['package']}-{wanted}.json"
        if not (HERE / name).exists():
            print(f"{name} is not here")
            return
        record = document(name)
        need(record["version"] == wanted, f"{name} is the record of another version")
        need(digest in (None, record["tree"]["digest"]), f"{name} has another tree")
        print(f"{name}: {'made from ' + record['parent'] if record['parent'] else 'uploaded'}")
        # What the run was given is what the record of its parent says.
        made = record["run"] and (HERE / "run/_results.json").exists() and wanted == capsule["version"]["version"]
        digest = document("run/_results.json")["traceability"]["parent"]["tree"]["digest"] if made else None
        wanted = record["parent"]


def journal(*not_told):
    """The lines were in the signed journal, and the files here are those that the lines tell of."""
    (head,) = [json.loads(payload(envelope)) for name, envelope, _ in envelopes() if name == "journal-head"]
    capsule = document("capsule.json")
    lines = (HERE / "journal/lines.jsonl").read_bytes().splitlines()
    proofs = capsule["journal"]["proofs"]
    need(len(lines) == len(proofs), "journal/lines.jsonl and the proofs in capsule.json are not of the same length")
    this = f"{capsule['version']['package']}@{capsule['version']['version']}"
    told = {}
    for line, proof in zip(lines, proofs):
        path = [bytes.fromhex(node) for node in proof["path"]]
        root = root_of(hashlib.sha256(b"\0" + line).digest(), proof["line"], head["size"], path)
        entry = json.loads(line)
        what = f"{entry['action']} of {entry['subject']}"
        need(root.hex() == head["root"] and entry["sequence"] == proof["line"], f"the line '{what}' was not in the signed journal")
        if entry["action"] == "version_published":
            told[f"versions/{entry['subject'].replace('@', '-')}.json"] = entry["digest"]
        if entry["action"] == "version_attested" and entry["subject"] == this:
            told["signed/attestations.intoto.jsonl"] = entry["digest"]  # the last one counts
        if entry["action"] == "run_ended":
            told["run/_results.json"] = entry["digest"]
    print(f"{len(lines)} lines were among the {head['size']} of the signed journal")
    here = [f"versions/{file.name}" for file in (HERE / "versions").iterdir()]
    for name in sorted(here + ["run/_results.json", "signed/attestations.intoto.jsonl"]):
        if not (HERE / name).exists() or name in not_told:
            continue
        need(name in told, f"no line of the journal tells of {name}")
        need(sha256(name) == told[name], f"{name} is not the file that the journal tells of")
        print(f"{name} is as the journal has it")


STEPS = [unwrap, subjects, files, model, results, artifacts, data, records, journal]

if __name__ == "__main__":
    chosen = [step for step in STEPS if sys.argv[1:2] == [step.__name__]]
    if not chosen:
        raise SystemExit(__doc__ + "\nSteps: " + " ".join(step.__name__ for step in STEPS))
    try:
        chosen[0](*sys.argv[2:])
    except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise SystemExit(f"WRONG: something here is damaged: {error!r}")
