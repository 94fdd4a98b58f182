// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runner/cli/command.hpp"
#include "runner/cli/known_runs.hpp"

namespace trainyard {

// Which runs to list, and in which order.
struct RunFilter {
  enum class Key { started, took, score, name };

  std::optional<PackageReference> package;
  std::optional<std::string> status;  // as it is shown
  std::optional<RunType> type;
  std::optional<std::string> experiment;
  std::vector<std::string> tags;  // NAME, or NAME=VALUE
  Key key = Key::started;
  bool reverse = false;
  std::size_t limit = 100;  // 0 for all
};

// `invalid` names the option.
Result<RunFilter> filter_of(const command::RunsList& command);

bool fits(const KnownRun& run, const RunFilter& filter);

// Leaves those that fit, sorted, the greatest last unless it is reversed, and of these as many as are wanted. Yields how
// many more there are.
std::size_t select_runs(std::vector<KnownRun>& runs, const RunFilter& filter);

}  // namespace trainyard
