#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes capsules and checks each as its VERIFY.md says, word for word, with nothing but the system's own programs; then
tampers with every kind of content, and expects the step that is there for it to fail.

    followed_capsule.py TRAINYARD PACKAGE.zip CHECK_SCHEMAS

PACKAGE.zip is the package `counts` for tests.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

PLAIN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
STEP = re.compile(r"^## \d+\. (.+?)\n.*?^```sh\n(.*?)^```\n\n```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def need(condition, complaint):
    if not condition:
        raise SystemExit(complaint)


class Store:
    def __init__(self, folder, program):
        self.folder, self.program = folder, program
        self.must("init")

    def run(self, *arguments):
        command = [self.program, *map(str, arguments), "--store", self.folder / "store"]
        return subprocess.run(command, env=PLAIN, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def must(self, *arguments):
        done = self.run(*arguments)
        need(done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def capsule(self, version, name, *more):
        """The folder of a new capsule, unpacked in an empty folder by unzip."""
        file = self.folder / f"{name}.zip"
        self.must("capsule", version, "-o", file, *more)
        place = self.folder / name
        place.mkdir()
        subprocess.run(["unzip", "-q", file], cwd=place, env=PLAIN, check=True)
        (folder,) = place.iterdir()
        need(folder.name == version.replace("@", "-") + "-capsule", f"the capsule unpacks to {folder.name}")
        return folder


def steps(folder):
    """Title, commands and output of each step of VERIFY.md."""
    text = (folder / "VERIFY.md").read_text()
    found = STEP.findall(text)
    need(len(found) == text.count("\n```sh\n") == text.count("\n```text\n"), "a box of VERIFY.md is in no step")
    return found


def follow(folder, expected=None):
    """The titles of the steps that fail: that end with another exit code or print something else than VERIFY.md says."""
    failed = []
    for title, commands, prints in expected or steps(folder):
        done = subprocess.run(["bash", "-eu", "-c", commands], cwd=folder, env=PLAIN, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        if done.returncode != 0 or done.stdout != prints:
            failed.append((title, done.returncode, done.stdout))
    return failed


def expect_good(folder, titles, missing=0):
    found = [title for title, _, _ in steps(folder)]
    need(found == titles, f"the steps of {folder} are {found}")
    failed = follow(folder)
    need(not failed, f"{folder} is not found good: {failed}")
    need(len(json.loads((folder / "capsule.json").read_text())["missing"]) == missing, f"other things are missing in {folder}")
    left = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()} - {"SHA256SUMS"}
    summed = {line[66:] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    need(summed == {name for name in left if not name.startswith("check/")}, "SHA256SUMS has other files")
    print(f"good: {folder.name}, {len(found)} steps")


def resum(folder):
    """What whoever tampers does as well."""
    names = [line[66:] for line in (folder / "SHA256SUMS").read_text().splitlines()]
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "SHA256SUMS").write_text("".join(lines))


def expect_found(folder, what, change, title, code=1):
    """That the step finds the change although SHA256SUMS fits, and that without that the first step finds it."""
    expected = steps(folder)
    place = folder.parent.parent / "tampered"
    shutil.copytree(folder, place)
    change(place)
    # Without SHA256SUMS made to fit.
    need(follow(place, expected[:1]), f"{what}: SHA256SUMS does not tell")
    resum(place)
    failed = follow(place, expected)
    titles = [failure[0] for failure in failed]
    need(not any("Traceback" in failure[2] for failure in failed), f"{what}: verify.py does not say what is wrong: {failed}")
    need(title in titles, f"{what}: the step '{title}' does not tell, but {failed}")
    need(dict((failure[0], failure[1]) for failure in failed)[title] == code, f"{what}: {failed}")
    shutil.rmtree(place)
    print(f"found: {what}: {titles}")


def replace(name, old, new):
    def change(folder):
        content = (folder / name).read_bytes()
        need(old in content, f"{name} has no {old!r}")
        (folder / name).write_bytes(content.replace(old, new, 1))
    return change


def flip(name, at):
    def change(folder):
        content = bytearray((folder / name).read_bytes())
        content[at] ^= 1
        (folder / name).write_bytes(content)
    return change


def change_json(name, edit, line=None):
    """Changes one document, or one line of several."""
    def change(folder):
        lines = (folder / name).read_text().splitlines() if line is not None else [(folder / name).read_text()]
        document = json.loads(lines[line or 0])
        edit(document)
        lines[line or 0] = json.dumps(document, sort_keys=True, separators=(",", ":"))
        (folder / name).write_text("".join(text + "\n" for text in lines))
    return change


def change_payload(envelope):
    payload = base64.b64decode(envelope["payload"])
    envelope["payload"] = base64.b64encode(payload.replace(b"counts", b"c0unts", 1)).decode()


def change_signature(envelope):
    sig = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    sig[-1] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(sig).decode()


def change_proof(capsule):
    node = capsule["journal"]["proofs"][0]["path"][0]
    capsule["journal"]["proofs"][0]["path"][0] = ("0" if node[0] != "0" else "1") + node[1:]


def add_file(folder):
    (zip_file,) = (folder / "package").glob("*.zip")
    with zipfile.ZipFile(zip_file, "a") as archive:
        archive.writestr("counts/more.txt", "more")


def other_key(folder):
    key = folder / "keys/other.pem"
    subprocess.run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", key], env=PLAIN, check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", folder / "keys/store.pub.pem"], env=PLAIN, check=True)
    key.unlink()


def tampering(folder):
    zip_name = f"package/{folder.name.removesuffix('-capsule')}.zip"
    size = (folder / zip_name).stat().st_size
    files = "The package has the files of its tree"
    about = "They are about this package"
    right = "The signatures are right"
    story = "The story of the run is the signed one"
    journal = "The store's journal tells of it"
    expect_found(folder, "a byte of the package", flip(zip_name, size // 2), files)
    expect_found(folder, "a byte of the zip that is in no file", flip(zip_name, 10), about)
    expect_found(folder, "a file more in the package", add_file, files)
    expect_found(folder, "the list of files", replace("package/tree.json", b'"executable":true', b'"executable":false'), about)
    expect_found(folder, "the results", replace("run/_results.json", b'"epochs": "3"', b'"epochs": "4"'), story)
    expect_found(folder, "the results, to the journal", replace("run/_results.json", b'"epochs": "3"', b'"epochs": "4"'), journal)
    attestations = "signed/attestations.intoto.jsonl"
    expect_found(folder, "an attestation", change_json(attestations, change_payload, 0), right)
    expect_found(folder, "a signature", change_json(attestations, change_signature, 0), right)
    expect_found(folder, "an attestation that is gone", lambda place: (place / attestations).write_text(
        (place / attestations).read_text().split("\n", 1)[1]), journal)
    expect_found(folder, "the model signature", change_json("signed/model.sig", lambda bundle: change_signature(bundle["dsseEnvelope"])), right)
    expect_found(folder, "what the model signature lists", change_json("signed/model.sig", lambda bundle: bundle["dsseEnvelope"].update(
        payload=base64.b64encode(re.sub(rb'"digest":"[0-9a-f]{4}', b'"digest":"0000', base64.b64decode(
            bundle["dsseEnvelope"]["payload"]))).decode())), "The model signature is about these files")
    expect_found(folder, "the head of the journal", change_json("signed/journal-head.json", change_signature), right)
    expect_found(folder, "the key", other_key, right)
    expect_found(folder, "the key, by its fingerprint", other_key, "The keys are those that you expect", code=0)
    expect_found(folder, "a line of the journal", replace("journal/lines.jsonl", b'"actor":"', b'"actor":"x'), journal)
    expect_found(folder, "a proof", change_json("capsule.json", change_proof), journal)
    expect_found(folder, "the record of the version", replace("versions/counts-1.1.json", b'"change_log":"', b'"change_log":"x'), journal)
    expect_found(folder, "the record of its parent", replace("versions/counts-1.0.json", b'"change_log":"', b'"change_log":"x'), journal)
    expect_found(folder, "the artifacts", replace("run/artifacts.tar", b"trainings 1", b"trainings 9"), "The artifacts are those of the run")
    expect_found(folder, "the data", replace("data/train_data.tar", b"one,two", b"one,tw0"), "The data is what the run read")
    expect_found(folder, "the list of the data", replace("data/train_data.tree.json", b'"size":8', b'"size":9'), "The data is what the run read")
    place = folder.parent.parent / "sums"
    shutil.copytree(folder, place)
    flip("SHA256SUMS", 0)(place)
    need(follow(place)[0][0] == "The files are whole", "a changed SHA256SUMS is not found")


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    program, package, check_schemas = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="trainyard capsule ") as temporary:
        folder = pathlib.Path(temporary).resolve()
        store = Store(folder, program)
        data = folder / "some data"
        for name in ["x.csv", "with space.csv", "new\nline.csv", "back\\slash.csv", "ünï 100%.csv", os.fsdecode(b"\xff.bin"), "sub/-n"]:
            (data / name).parent.mkdir(parents=True, exist_ok=True)
            (data / name).write_text(f"one,two\n{name!r}\n" if name != "x.csv" else "one,two\n")
        (data / "run me").write_text("#!/bin/sh\n")
        (data / "run me").chmod(0o755)
        (data / "empty folder").mkdir()
        store.must("package", "add", package)

        whole, keys, right, about, files, model, story, made, read, chain, told = (
            "The files are whole", "The keys are those that you expect", "The signatures are right", "They are about this package",
            "The package has the files of its tree", "The model signature is about these files",
            "The story of the run is the signed one", "The artifacts are those of the run", "The data is what the run read",
            "The version comes of those before it", "The store's journal tells of it")
        everything = [whole, keys, right, about, files, model, story, made, read, chain, told]

        store.must("run", "training", "counts@1.0", "--dataset", data, "--save-training-data", "--name", "first")
        trained = store.capsule("counts@1.1", "trained", "--data")
        expect_good(trained, everything)
        subprocess.run([sys.executable, "-B", check_schemas, "--schema", "capsule", trained / "capsule.json"], check=True)
        need(b"\xff.bin" in (trained / "data/train_data.tar").read_bytes(), "the data has lost a name")
        need("nothing" not in store.must("keys", "list"), "the store has no keys")
        fingerprint = json.loads(store.must("keys", "list", "--json"))[0]["id"]
        need(fingerprint in (trained / "VERIFY.md").read_text(), "VERIFY.md has another fingerprint than 'keys list'")
        tampering(trained)

        # Somebody else's store makes a capsule that is as good in all but whose key it is.
        (folder / "theirs").mkdir()
        theirs = Store(folder / "theirs", program)
        theirs.must("package", "add", package)
        theirs.must("run", "training", "counts@1.0", "--dataset", data)
        forged = theirs.capsule("counts@1.1", "forged", "--data")
        expect_good(forged, everything, missing=1)
        need("has not kept all of them" in (forged / "VERIFY.md").read_text(), "data that was not kept is not told")
        confirmed = [step for step in steps(trained) if step[0] == keys]
        need([failure[0] for failure in follow(forged, confirmed)] == [keys], "the key of another store has the same fingerprint")

        # The same store, the same bytes; never in the place of something else; and never half.
        store.must("capsule", "counts@1.1", "-o", folder / "again.zip", "--data")
        need((folder / "again.zip").read_bytes() == (folder / "trained.zip").read_bytes(), "two capsules of one version differ")
        refused = store.run("capsule", "counts@1.1", "-o", folder / "again.zip")
        need(refused.returncode == 2 and "is already there" in refused.stderr, f"an existing file is taken: {refused}")
        refused = store.run("capsule", "counts@9.9", "-o", folder / "none.zip")
        need(refused.returncode == 2 and not (folder / "none.zip").exists(), f"a version that is not there: {refused}")
        need(not [name for name in os.listdir(folder) if name.startswith(".")], "something is left beside the capsules")
        need(not list((folder / "store/tmp").glob("capsule*")), "something is left in the store's scratch")
        answer = json.loads(store.must("capsule", "counts@1.1", "-o", folder / "json.zip", "--json"))
        need(answer["digest"] == hashlib.sha256((folder / "json.zip").read_bytes()).hexdigest(), "--json tells another digest")
        need(answer["capsule"]["data"][0]["files"] == "left_out", "--json tells of data")

        # An upload has no run, and its zip was packed by somebody else.
        expect_good(store.capsule("counts@1.0", "uploaded"), [whole, keys, right, about, files, model, chain, told], missing=1)

        # A full run, without data; then the same with a second key, of the other type.
        store.must("run", "full", "counts@1.1", "--dataset", data, "--evaluation-dataset", data, "--name", "whole")
        full = store.capsule("counts@1.2", "full")
        expect_good(full, everything)
        need(not list(full.glob("data/*.tar")) and len(list(full.glob("data/*.tree.json"))) == 2, "a capsule without data has data")
        store.must("keys", "generate", "robot", "--type", "ed25519")
        store.must("sign", "counts@1.2", "--key", "robot")
        both = store.capsule("counts@1.2", "both", "--data")
        need(sorted(file.name for file in both.glob("keys/*")) == ["robot.pub.pem", "store.pub.pem"], "a key is missing")
        expect_good(both, everything)

        # What is missing is said, and the rest is there.
        store.must("store", "purge", "--sha256", hashlib.sha256(b"one,two\n").hexdigest(), "--reason", "a test", "--yes")
        purged = store.capsule("counts@1.1", "purged", "--data")
        expect_good(purged, everything, missing=1)
        need("was purged: a test" in (purged / "VERIFY.md").read_text() and not list(purged.glob("data/*.tar")), "the purge is not told")
        store.must("runs", "delete", "whole")
        store.must("package", "delete", "counts@1.1", "--why", "a test")
        expect_good(store.capsule("counts@1.2", "deleted"), [whole, keys, right, about, files, model, chain, told], missing=1)
        # What was changed in the store is told, and found by whoever checks.
        record = folder / "store/packages/counts/1.2.json"
        good = record.read_text()
        record.chmod(0o644)
        record.write_text(good.replace('"change_log":"', '"change_log":"x'))
        changed = store.capsule("counts@1.2", "changed")
        need([failure[0] for failure in follow(changed)] == [told], "a changed record is not found")
        need("the one here is another" in (changed / "VERIFY.md").read_text(), "a changed record is not told")
        record.write_text(good)
        (folder / "store/packages/counts/1.2.intoto.jsonl").unlink()
        shutil.rmtree(folder / "store/journal")
        expect_good(store.capsule("counts@1.2", "bare"), [whole, files, chain], missing=4)


if __name__ == "__main__":
    main()
