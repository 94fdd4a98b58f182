// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/values/in_toto.hpp"

// What a version was made from, how and by whom: SLSA Provenance v1 (slsa.dev/spec/v1.0/provenance). The level that it
// makes good is Build L1, provenance that exists: it is made and signed on the machine and by the user that ran the
// package, so it says nothing against that user. Pure.
namespace trainyard {

inline constexpr std::string_view kSlsaProvenance = "https://slsa.dev/provenance/v1";

// A version as statements name it: "digits-1.1.zip" by the digest of its zip, and "digits@1.1" by its tree digest, which is
// the SHA-256 of the tree's canonical document and so the same however the files are packed.
std::vector<InTotoSubject> subjects_of(const RecordedVersion& version);
RecordedVersion recorded(const VersionRecord& version);

// A dataset of a run as a resource: its URI, and its tree digest where it was read.
Json resource_of(const RecordedInput& input);

// Of the version that a run made. `results` is the SHA-256 of its _results.json. REQUIRES: the run made one.
InTotoStatement slsa_statement(const RunRecord& run, const Digest& results);
// The same as the JSON document.
Json slsa_provenance(const RunRecord& run, const Digest& results);

// Of a version that somebody uploaded: nothing is known of what came before.
InTotoStatement slsa_statement(const VersionRecord& upload);

}  // namespace trainyard
