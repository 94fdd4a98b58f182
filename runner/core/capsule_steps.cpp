// SPDX-License-Identifier: Apache-2.0
#include "runner/core/capsule_steps.hpp"

#include <algorithm>

namespace trainyard {

namespace {

constexpr std::string_view kProvenance = "provenance";
constexpr std::string_view kSaysModelSignature = "model signature";

// What verify.py says of an archive and its list.
std::string compared(const std::string& archive, const std::string& list, std::uint64_t files) {
  return archive + ": what " + list + ", and nothing else (files: " + std::to_string(files) + ")\n";
}

std::string step_command(const std::string& step) { return "python3 verify.py " + step + "\n"; }

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string record_of(const std::string& version) {
  std::string name = version;
  std::replace(name.begin(), name.end(), '@', '-');
  return "versions/" + name + ".json";
}

std::string number_of(const std::string& version) { return version.substr(version.find('@') + 1); }

CapsuleStep integrity() {
  return {"The files are whole",
          "`SHA256SUMS` has the SHA-256 of every other file.",
          "sha256sum --check --strict --quiet SHA256SUMS && echo 'every file is as SHA256SUMS says'\n",
          "every file is as SHA256SUMS says\n",
          "nothing was damaged on the way.",
          "anything about who made the files: whoever changes one can change `SHA256SUMS` too."};
}

CapsuleStep fingerprints(const CapsuleManifest& capsule) {
  std::string prints;
  for (const CapsuleKey& key : capsule.keys) prints += key.id + "  keys/" + key.name + ".pub.pem\n";
  return {
      "The keys are those that you expect",
      "Ask the owner of the store for the fingerprints of the keys, by a way that whoever gave you this file could not "
      "change: by telephone, on paper, from a web page of theirs. `trainyard keys list` shows them there. They have to "
      "be "
      "these:",
      "sha256sum keys/*.pub.pem\n",
      std::move(prints),
      "when the owner confirms them: what these keys have signed, the owner of their private halves has signed.",
      "anything at all when you leave the asking out. All that follows is worth as much as this step."};
}

CapsuleStep signatures(const CapsuleManifest& capsule) {
  std::string unwrapped;
  std::vector<std::string> files;
  for (const CapsuleSigned& one : capsule.signatures) {
    unwrapped += one.name + ": " + joined(one.keys, ", ") + "\n";
    for (const std::string& key : one.keys) files.push_back("check/" + one.name + "." + key + ".sig");
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) unwrapped += file + ": Signature Verified Successfully\n";
  return {"The signatures are right",
          "Each signed document is a DSSE envelope: a payload, and signatures over its type and its bytes with their "
          "lengths in "
          "front. `unwrap` writes what was signed to `check/NAME.pae` and each signature to `check/NAME.KEY.sig`, and "
          "prints "
          "who has signed; openssl (3.0 or newer) does the rest. To see what an attestation says: `sed -n 1p "
          "signed/attestations.intoto.jsonl | python3 -c 'import base64, json, sys; "
          "print(base64.b64decode(json.load(sys.stdin)[\"payload\"]).decode())'`.",
          step_command("unwrap") +
              "for signature in check/*.sig; do\n"
              "  signed=${signature%.sig}\n"
              "  printf '%s: ' \"$signature\"\n"
              "  openssl pkeyutl -verify -rawin -pubin -inkey \"keys/${signed##*.}.pub.pem\" -in \"${signed%.*}.pae\" "
              "-sigfile \"$signature\"\n"
              "done\n",
          std::move(unwrapped),
          "these very documents were signed with these keys, and not a byte of them was changed since.",
          "that what they say is true. A key signs what its owner gives it; the store's own key lies beside the store, "
          "without a "
          "password."};
}

CapsuleStep subjects(const CapsuleManifest& capsule) {
  std::string prints;
  const bool same = capsule.zip == CapsuleManifest::Zip::as_recorded;
  for (const CapsuleSigned& one : capsule.signatures) {
    if (one.name.starts_with("attestation-") && one.says != kSaysModelSignature)
      prints += one.name + " is about this " + (same ? "package" : "tree, and another zip of it") + "\n";
  }
  return {"They are about this package",
          "An attestation names the SHA-256 of the zip, and that of the tree document, which is the identity of the "
          "content. "
          "Compare by eye with `sha256sum package/*`, if you like." +
              std::string(
                  same ? ""
                       : " The zip that was uploaded had other bytes than the one here, which Trainyard packed of the "
                         "same files; so the tree decides."),
          step_command("subjects"),
          std::move(prints),
          "what was signed was signed about this package and no other.",
          "which files are in it; that comes next."};
}

CapsuleStep files(const CapsuleManifest& capsule) {
  const std::string zip = capsule_package(capsule.version);
  return {"The package has the files of its tree",
          "`package/tree.json` lists every file with its size, whether it can be run, and its SHA-256.",
          step_command("files"),
          compared(zip, "package/tree.json lists", capsule.version.tree.files),
          "the zip has exactly the files of that list, byte for byte.",
          "that they are good for anything."};
}

CapsuleStep model(const CapsuleManifest& capsule) {
  return {
      "The model signature is about these files",
      "`signed/model.sig` is a signature as OpenSSF Model Signing has them, which other programs verify as well: "
      "`model_signing verify key FOLDER --signature signed/model.sig --public_key keys/…`. Its signature was checked "
      "above; here its list is held against the files.",
      step_command("model"),
      compared("signed/model.sig", "the package has", capsule.signed_files),
      "the same as the two steps above, in the words of another standard. `.git`, `.gitattributes`, `.github`, "
      "`.gitignore` and `model.sig` in the root folder are left out of it.",
      "who may run which file: it does not sign that."};
}

CapsuleStep results(const CapsuleManifest& capsule) {
  std::string prints;
  for (const CapsuleSigned& one : capsule.signatures) {
    if (one.says == kProvenance) prints += one.name + " names run/_results.json\n";
  }
  return {"The story of the run is the signed one",
          "`run/_results.json` tells of the run that made the version: which package, data, parameters, machine, "
          "times, metrics. "
          "The provenance names its SHA-256.",
          step_command("results"),
          prints + "run/_results.json tells of this package\n",
          prints.empty() ? "the story tells of this package; nobody has signed a provenance that names it."
                         : "this is the story that was told when the run ended, and it is about this package.",
          "that the run went as told. Runner and store belong to one user: this is SLSA Build level 1. The logs and "
          "`run/journal.jsonl` are what the store has now; nobody has signed them."};
}

CapsuleStep artifacts(const CapsuleManifest& capsule) {
  return {"The artifacts are those of the run",
          "What the run made for people: `tar -tvf run/artifacts.tar` lists it.",
          step_command("artifacts"),
          compared("run/artifacts.tar", "run/artifacts.tree.json lists", capsule.artifacts->files),
          "these are the files that the run left when it ended.",
          "that what they show is right."};
}

CapsuleStep data(const CapsuleManifest& capsule) {
  std::string prints;
  bool left_out = false;
  for (const CapsuleData& one : capsule.data) {
    left_out = left_out || one.files == CapsuleData::Files::left_out;
    const std::string tree = "data/" + one.input + ".tree.json";
    if (one.list == CapsuleData::List::present) prints += tree + ": the list that the run read\n";
    if (one.files == CapsuleData::Files::included)
      prints += compared("data/" + one.input + ".tar", tree + " lists", one.tree->files);
  }
  return {"The data is what the run read",
          "A list has every file of a dataset with its SHA-256, by which you can tell whether a folder of yours is the "
          "same data." +
              std::string(left_out ? " The files themselves are not here; 'trainyard capsule --data' adds them where "
                                     "the store has kept them."
                                   : ""),
          step_command("data"),
          std::move(prints),
          "the run read files with exactly these digests.",
          "where the data came from, and whether it may be used."};
}

CapsuleStep records(const CapsuleManifest& capsule) {
  std::vector<std::string> chain = {capsule.version.text()};
  chain.insert(chain.end(), capsule.ancestors.begin(), capsule.ancestors.end());
  if (capsule.lost) chain.push_back(*capsule.lost);
  std::string prints;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const bool lost = capsule.lost && i + 1 == chain.size();
    prints += record_of(chain[i]) +
              (lost                    ? " is not here"
               : i + 1 == chain.size() ? ": uploaded"
                                       : ": made from " + number_of(chain[i + 1])) +
              "\n";
  }
  return {"The version comes of those before it",
          "Each record names the version that it was made from.",
          step_command("records"),
          std::move(prints),
          "how one came of the other, as the store has it.",
          "that no record was changed; the journal shows that."};
}

CapsuleStep journal(const CapsuleManifest& capsule) {
  const CapsuleJournal& told = *capsule.journal;
  std::vector<std::string> names = {record_of(capsule.version.text())};
  for (const std::string& ancestor : capsule.ancestors) names.push_back(record_of(ancestor));
  for (const char* const name : {"run/_results.json", "signed/attestations.intoto.jsonl"}) {
    if (capsule.has(name)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  std::string prints = std::to_string(told.proofs.size()) + " lines were among the " + std::to_string(told.head.size) +
                       " of the signed journal\n";
  for (const std::string& name : names) {
    if (std::find(told.not_told.begin(), told.not_told.end(), name) == told.not_told.end())
      prints += name + " is as the journal has it\n";
  }
  const std::string exceptions = joined(told.not_told, " ");
  return {"The store's journal tells of it",
          "Every change of a store is a line of its journal, and the store signs the root of a Merkle tree (RFC 6962) "
          "of all lines. "
          "`journal/lines.jsonl` has the lines about this version, and `capsule.json` the way of each to the root." +
              (exceptions.empty() ? std::string() : " Files older than the journal are named: no line tells of them."),
          step_command("journal" + (exceptions.empty() ? "" : " " + exceptions)),
          std::move(prints),
          "these lines were in the journal that the key has signed, and the records, results and attestations here are "
          "those "
          "that the lines tell of.",
          "that these are all lines about it, and that the owner of the key has not written another journal since. "
          "Against that, "
          "keep heads of the journal (`trainyard journal head`) where the owner cannot reach them."};
}

}  // namespace

std::vector<CapsuleStep> capsule_steps(const CapsuleManifest& capsule) {
  std::vector<CapsuleStep> steps = {integrity()};
  const bool attested = std::any_of(capsule.signatures.begin(), capsule.signatures.end(), [](const CapsuleSigned& one) {
    return one.name.starts_with("attestation-") && one.says != kSaysModelSignature;
  });
  if (!capsule.keys.empty()) steps.push_back(fingerprints(capsule));
  if (!capsule.signatures.empty()) steps.push_back(signatures(capsule));
  if (attested) steps.push_back(subjects(capsule));
  steps.push_back(files(capsule));
  if (capsule.has_signed("model")) steps.push_back(model(capsule));
  if (capsule.has("run/_results.json")) {
    steps.push_back(results(capsule));
    if (capsule.artifacts) steps.push_back(artifacts(capsule));
    const bool lists = std::any_of(capsule.data.begin(), capsule.data.end(),
                                   [](const CapsuleData& one) { return one.list == CapsuleData::List::present; });
    if (lists) steps.push_back(data(capsule));
  }
  steps.push_back(records(capsule));
  if (capsule.journal) steps.push_back(journal(capsule));
  return steps;
}

}  // namespace trainyard
