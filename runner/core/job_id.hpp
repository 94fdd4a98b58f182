// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>

namespace trainyard {

// How an executor finds a job again, also from another process and after a restart. Only the executor that gave it
// reads it.
struct JobId {
  std::string text;
  friend auto operator<=>(const JobId&, const JobId&) = default;
};

}  // namespace trainyard
