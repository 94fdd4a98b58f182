// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/keys/key_ring.hpp"
#include "storage/store/store.hpp"
#include "storage/values/in_toto.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// One envelope, held against the keys of the store and against what it is about.
struct AttestationCheck {
  std::optional<InTotoStatement> statement;  // only when somebody has signed it rightly: else it says nothing
  std::vector<StoredKey> signers;            // whose signatures are right, each key once
  std::vector<std::string> problems;         // one sentence each

  [[nodiscard]] bool good() const { return !signers.empty() && problems.empty(); }
};

// All attestations of a version in the order in which they were made: whether their signatures are right and by keys of the
// store's ring, and whether they are about the version as the store has it now: its zip, its tree, each file of it, and the
// results of the run that made it, where those are still there. Empty when nothing is attested of it.
Result<std::vector<AttestationCheck>> check_attestations(const VersionRecord& version, const Store& store);

// The same for what an evaluation attests, in the folder of the run; `evaluated` is the version that it is about.
Result<std::vector<AttestationCheck>> check_run_attestations(const Path& run_folder, const VersionRecord& evaluated,
                                                             const Store& store);

}  // namespace trainyard
