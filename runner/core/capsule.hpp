// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/values/merkle.hpp"

// A capsule: a zip with all that somebody needs to check a version on a machine without Trainyard. Pure; writing one is
// runner/engine/capsule.hpp.
namespace trainyard {

// One dataset of the run that made the version.
struct CapsuleData {
  enum class List { absent, present };  // of its files with their digests: data/<input>.tree.json
  enum class Files {
    included,     // data/<input>.tar
    left_out,     // nobody asked for them
    unavailable,  // the store has not all of their bytes
  };

  std::string input;                     // "train_data" or "evaluation_data"
  std::string source;                    // as RecordedInput has it
  std::optional<TreeSummary> tree = {};  // none when it was not read
  List list = List::absent;
  Files files = Files::left_out;
};

// A public key: keys/<name>.pub.pem.
struct CapsuleKey {
  std::string name;
  std::string id;  // SHA-256 in hex of that file
};

// A signed document, by the name that verify.py gives it, and the keys that have signed it, by name.
struct CapsuleSigned {
  std::string name;  // "attestation-1", "model", "journal-head"
  std::string says;  // what, for people
  std::vector<std::string> keys;
};

// A line of the store's journal, and its way to the root (RFC 6962, section 2.1.1).
struct CapsuleProof {
  std::uint64_t line = 0;
  std::vector<Digest> path;
};

// The lines of the journal that are in the capsule, in journal/lines.jsonl and here in the same order.
struct CapsuleJournal {
  MerkleHead head;  // that the store has signed
  std::vector<CapsuleProof> proofs;
  std::vector<std::string> not_told;  // files of the capsule of which no line tells: they are older than the journal
};

struct CapsuleFile {
  std::string path;
  std::string what;  // for people
};

// What is in a capsule: its file capsule.json. Schema: schemas/capsule.schema.json.
struct CapsuleManifest {
  enum class Zip {
    as_recorded,
    packed_anew,  // of the same files; the recorded one was packed by somebody else
  };

  RecordedVersion version;  // with the zip that is in the capsule
  Zip zip = Zip::as_recorded;
  std::optional<RunId> run = {};              // that made it
  std::optional<TreeSummary> artifacts = {};  // of that run; none when they are not here
  std::vector<std::string> ancestors = {};    // "digits@1.1", the parent first; those whose records are here
  std::optional<std::string> lost = {};       // the ancestor at which they end because its record is gone
  std::vector<CapsuleData> data = {};
  std::vector<CapsuleKey> keys = {};
  std::vector<CapsuleSigned> signatures = {};  // in the order in which verify.py takes them
  std::uint64_t signed_files = 0;              // that the model signature lists
  std::optional<CapsuleJournal> journal = {};
  std::vector<CapsuleFile> files = {};    // all but this one and those about the whole
  std::vector<std::string> missing = {};  // what is not here that could have been: one sentence each

  [[nodiscard]] bool has(std::string_view path) const;
  [[nodiscard]] bool has_signed(std::string_view name) const;
};

Json to_json(const CapsuleManifest& capsule);

// "digits-1.1-capsule", the folder that a capsule unpacks to.
std::string capsule_folder(const RecordedVersion& version);
// "package/digits-1.1.zip", as the provenance names it.
std::string capsule_package(const RecordedVersion& version);

// VERIFY.md: how to check the capsule with a shell, step by step, what each step has to print, and what it shows.
std::string capsule_guide(const CapsuleManifest& capsule);

}  // namespace trainyard
