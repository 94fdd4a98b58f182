// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

#include "storage/values/tree.hpp"

// Paths of a tree's entries compared as they are kept, in two pieces: by the bytes of the whole path, without making it.
namespace trainyard {

struct PathOrder {
  std::size_t shared = 0;  // the bytes at the start that both have
  int order = 0;           // below 0: the first comes first; 0: the same path
};

PathOrder path_order(const Tree::View& a, const Tree::View& b);

// Below 0 when the entry comes before the path, 0 when it has that path.
int compare_path(const Tree::View& entry, std::string_view path);

std::size_t path_bytes(const Tree::View& entry);
// REQUIRES: at < path_bytes(entry)
char path_byte(const Tree::View& entry, std::size_t at);

}  // namespace trainyard
