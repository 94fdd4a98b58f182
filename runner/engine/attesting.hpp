// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/keys/signing_key.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/store/store.hpp"
#include "storage/values/model_signing.hpp"
#include "storage/values/version_record.hpp"

// Makes and signs what is attested of versions. Each of these can be repeated: what is there is not made again. They are
// about things that exist already, so when one fails, nothing is lost, and `sign_version` makes up for it.
namespace trainyard {

// What a run that is over attests, by its _results.json and with the key of the store: provenance and model signature of the
// version that it made, and of a full run how good that was found; of an evaluation, in the run's own folder, how good the
// version was that it evaluated. Nothing of a run that failed.
Result<void> attest_run(const RunFolder& folder, const Store& store);

// The provenance and the model signature of a version that was uploaded or imported.
Result<void> attest_upload(const VersionRecord& version, const Store& store);

// What to tell whoever has a version that could not be attested.
std::string not_attested(const std::string& version, const Error& why);

// What `sign_version` did, in numbers of statements.
struct Signed {
  std::size_t made = 0;               // were not there
  std::size_t added = 0;              // had signatures, but none of this key
  std::size_t there = 0;              // were signed by this key
  std::vector<std::string> left_out;  // what cannot be made, and why: one sentence each
};

// Makes what of a version's statements is missing, and signs those that are there and lack a signature of the key, which is in
// the store's ring. `corrupt` for a statement that is there and that no known key has signed rightly: a signature of ours
// would make it look true.
Result<Signed> sign_version(const VersionRecord& version, const Store& store, const SigningKey& key, Instant now);

// The model signature of a version as other programs take it: a bundle with the one signature of `key`, else with that of the
// key of the store, else with any. `not_found` when there is none that is right and by an ECDSA key, which is all that the
// specification allows.
Result<SigstoreBundle> model_signature(const VersionRecord& version, const Store& store,
                                       const std::optional<std::string>& key);

}  // namespace trainyard
