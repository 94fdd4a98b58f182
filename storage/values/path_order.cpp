// SPDX-License-Identifier: Apache-2.0
#include "storage/values/path_order.hpp"

#include <algorithm>
#include <cstdint>

namespace trainyard {

namespace {

int byte_order(char a, char b) { return static_cast<std::uint8_t>(a) < static_cast<std::uint8_t>(b) ? -1 : 1; }

std::size_t shared_bytes(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t shared = 0;
  while (shared < most && a[shared] == b[shared]) ++shared;
  return shared;
}

bool same_folder(const Tree::View& a, const Tree::View& b) {
  if (a.folder.size() != b.folder.size()) return false;
  return a.folder.data() == b.folder.data() || a.folder == b.folder;
}

}  // namespace

std::size_t path_bytes(const Tree::View& entry) {
  return entry.folder.empty() ? entry.name.size() : entry.folder.size() + 1 + entry.name.size();
}

char path_byte(const Tree::View& entry, std::size_t at) {
  if (entry.folder.empty()) return entry.name[at];
  if (at < entry.folder.size()) return entry.folder[at];
  return at == entry.folder.size() ? '/' : entry.name[at - entry.folder.size() - 1];
}

PathOrder path_order(const Tree::View& a, const Tree::View& b) {
  const std::size_t a_bytes = path_bytes(a);
  const std::size_t b_bytes = path_bytes(b);
  const std::size_t most = std::min(a_bytes, b_bytes);
  std::size_t shared = 0;
  if (same_folder(a, b)) {
    shared = a_bytes - a.name.size() + shared_bytes(a.name, b.name);
  } else {
    shared = shared_bytes(a.folder, b.folder);
    while (shared < most && path_byte(a, shared) == path_byte(b, shared)) ++shared;
  }
  if (shared < most) return {shared, byte_order(path_byte(a, shared), path_byte(b, shared))};
  if (a_bytes == b_bytes) return {shared, 0};
  return {shared, a_bytes < b_bytes ? -1 : 1};
}

int compare_path(const Tree::View& entry, std::string_view path) {
  const std::size_t folder = entry.folder.size();
  if (folder != 0) {
    const int order = entry.folder.compare(path.substr(0, folder));
    if (order != 0) return order;
    if (path.size() == folder) return 1;
    if (path[folder] != '/') return byte_order('/', path[folder]);
    path.remove_prefix(folder + 1);
  }
  return entry.name.compare(path);
}

}  // namespace trainyard
