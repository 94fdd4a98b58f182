// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "storage/values/json.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// "added", "removed" or "changed".
std::string_view name_of(TreeDifference::Kind kind);

// How two trees differ, for programs: [{"kind", "path", "before", "after"}], null for an entry that is not there.
Json differences_json(const std::vector<TreeDifference>& differences);

// {"kind", "size", "executable", "digest"}, or null.
Json entry_json(const std::optional<TreeEntry>& entry);

}  // namespace trainyard
