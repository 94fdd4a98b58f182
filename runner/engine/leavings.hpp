// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/store/store.hpp"
#include "storage/values/instant.hpp"

// Files of a store that are in nobody's way and that nobody will miss: checkouts that no run uses, and scratch of
// processes that died.
namespace trainyard {

struct Leaving {
  Path path;
  std::uint64_t bytes = 0;  // of the files in it
};

struct Leavings {
  std::vector<Leaving> checkouts;
  std::vector<Leaving> scratch;
  [[nodiscard]] std::uint64_t bytes() const;
};

// An error when it cannot be told which checkouts are in use.
Result<Leavings> find_leavings(const Store& store, Instant now);
// Yields what was removed. Waits until nobody writes to the store, and keeps writers out for a moment: a run that begins
// finds its checkout, or makes it anew.
Result<Leavings> remove_leavings(const Store& store, Instant now);

// Removes the checkouts whose trees are chosen, those in use among them. As above otherwise.
Result<void> remove_checkouts(const Store& store, const std::function<bool(const Digest& tree)>& chosen);

// The process that gave a scratch file its name; none for other names. Pure.
std::optional<int> maker_of_scratch(std::string_view name);

}  // namespace trainyard
