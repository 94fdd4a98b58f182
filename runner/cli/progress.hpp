// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runner/cli/terminal.hpp"
#include "runner/engine/hold_alone.hpp"
#include "storage/trees/verify.hpp"
#include "storage/values/json.hpp"

// What several commands say in the same words.
namespace trainyard {

// "[####    ]  40%  read 4 of 10 files", drawn on `line`, which outlives it.
TreeProgress progress_on(StatusLine& line, const std::string& verb, const std::string& noun = "file");

// Tells on stderr when it has to wait.
WaitForWriters waiting_for_writers(bool no_wait);

// "3 files, 1.5 MiB"
std::string content_text(const TreeSummary& tree);

// What --sample and --seed ask for: all when no share is given; "5%" of the objects else. Without a seed a new one is
// made up, which the command tells, so that its choice can be repeated.
Result<VerifySample> parse_sample(const std::string& share, const std::string& seed);
bool takes_all(const VerifySample& sample);
// ", a sample of 5% with --seed 7" or nothing.
std::string sample_text(const VerifySample& sample);
// {"share", "seed"} or null.
Json sample_json(const VerifySample& sample);

}  // namespace trainyard
