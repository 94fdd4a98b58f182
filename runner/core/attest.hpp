// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "runner/core/run_record.hpp"
#include "storage/values/in_toto.hpp"

// What there is to attest. Pure; making and signing it is runner/engine/attesting.hpp.
namespace trainyard {

inline constexpr std::string_view kTestResult = "https://in-toto.io/attestation/test-result/v0.1";

// What a run says of the version that it made: its provenance, and of a full run how good it was found. None for a run that
// made no version. `results` is the SHA-256 of its _results.json.
std::vector<InTotoStatement> statements_on_made(const RunRecord& run, const Digest& results);

// What an evaluation says of the version that it evaluated; none for a run of another type and for one that gave no score.
std::optional<InTotoStatement> statement_on_evaluated(const RunRecord& run);

// Whether both say the same kind of thing of the same content. How they say it may differ, from one Trainyard to another.
bool same_claim(const InTotoStatement& a, const InTotoStatement& b);

// What a statement says that it is, for people: "provenance", "model signature", "test result", or the type itself.
std::string claim_text(const InTotoStatement& statement);

// The digest of _results.json that a provenance names; none for other statements.
std::optional<Digest> results_in(const InTotoStatement& provenance);

}  // namespace trainyard
