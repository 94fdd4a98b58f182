// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runner/engine/capsule.hpp"
#include "runner/engine/capsule_folder.hpp"
#include "runner/engine/capsule_journal.hpp"
#include "storage/keys/key_ring.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/values/dsse.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

// Puts what the store has of a version into the folder of a capsule, part by part, and notes what it has not. For one use.
class CapsuleContents {
 public:
  // All outlive it.
  CapsuleContents(const VersionRecord& version, const Lineage& lineage, const Store& store,
                  const CapsuleOptions& options, CapsuleFolder& folder)
      : version_(version), lineage_(lineage), store_(store), options_(options), folder_(folder) {}

  Result<CapsuleManifest> gather();

 private:
  Result<void> package();
  Result<void> records();
  Result<void> run();
  Result<void> logs(const RunFolder& run);
  Result<void> artifacts(const TreeSummary& told);
  Result<void> data(const RunRecord& run);
  Result<void> files_of(const Tree& tree, CapsuleData& data);
  Result<void> attestations();
  Result<void> model_signature();
  Result<void> journal();
  Result<void> hold_against(JournalExcerpt& excerpt);
  Result<void> keys();
  Result<void> documents();

  void missing(const std::string& sentence) { manifest_.missing.push_back(printable(sentence)); }
  // A signed document under the name that verify.py gives it. Says who has signed it; a key counts when it is known here.
  void note_signed(const std::string& name, const std::string& says, const DsseEnvelope& envelope);
  // The tree as a tar. `not_found` and `corrupt` when the store has not all of it; then nothing is left of it.
  Result<void> tar(const std::string& name, const std::string& what, const Tree& tree);
  [[nodiscard]] std::string text() const { return manifest_.version.text(); }

  const VersionRecord& version_;
  const Lineage& lineage_;
  const Store& store_;
  const CapsuleOptions& options_;
  CapsuleFolder& folder_;
  CapsuleManifest manifest_{{version_.content.name, version_.version, version_.content.tree, version_.content.zip}};
  std::vector<StoredKey> ring_;
  std::set<std::string> signers_;   // the names of keys
  std::set<std::string> subjects_;  // of the lines of the journal that belong here
};

}  // namespace trainyard
