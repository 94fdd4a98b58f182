// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "storage/store/store.hpp"
#include "storage/uses/use_index.hpp"

namespace trainyard {

// What whoever waits for an index of uses is told.
struct UseRefreshWords {
  std::function<void(const std::string& words)> doing;  // often, and only for who looks at it
  std::function<void(const std::string& sentence)>
      trouble;  // a record or tree that cannot be read; the rest is indexed
};

// Whether the index tells of the store as it is now. Writes nothing.
[[nodiscard]] Result<bool> uses_are_current(const UseIndex& index, const Store& store);

// Reads the records that are new or were not settled, forgets those that are gone, and indexes the trees that are new.
// REQUIRES: nobody else changes the index.
Result<void> refresh_uses(UseIndex& index, const Store& store, const UseRefreshWords& words);

}  // namespace trainyard
