// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/values/rel_path.hpp"

namespace trainyard {

// The rules for the names in a package's zip, one place for reader and writer: everything lies in one root folder, no
// name could leave it or mean something else on another system, and no two name the same place, also where upper and
// lower case are the same. A folder counts as named by everything inside it.
class ZipNames {
 public:
  // The next name: "root/a/b" is a file, "root/a/" a folder. Yields its path below the root folder, or none for the
  // root folder itself. The errors are `invalid` and name the entry. REQUIRES: the bytes of `name` outlive this.
  Result<std::optional<RelPath>> add(std::string_view name);

  // After the last name: the root folder. `invalid` when nothing is in it.
  [[nodiscard]] Result<std::string> root() const;

 private:
  struct Place {
    std::string_view name;  // as it was written
    bool folder = false;
    bool listed = false;  // has an entry of its own
  };
  Result<void> occupy(std::string_view entry, std::string_view path, bool folder);

  std::string root_;
  bool filled_ = false;
  std::deque<std::string> folded_;                      // the keys of places_ where folding changed something
  std::unordered_map<std::string_view, Place> places_;  // by the path without regard to case
};

}  // namespace trainyard
