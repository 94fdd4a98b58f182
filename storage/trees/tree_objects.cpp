// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/tree_objects.hpp"

#include <algorithm>

namespace trainyard {

TreeObjects::TreeObjects(const Tree& tree) : TreeObjects(tree, [](const Digest&) { return true; }) {}

TreeObjects::TreeObjects(const Tree& tree, const std::function<bool(const Digest&)>& wanted) {
  for (std::uint32_t i = 0; i < tree.size(); ++i) {
    const Digest* const digest = tree.view(i).digest;
    if (digest != nullptr && wanted(*digest)) files_.push_back(i);
  }
  const auto digest = [&](std::uint32_t file) -> const Digest& { return *tree.view(file).digest; };
  std::sort(files_.begin(), files_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto order = digest(a) <=> digest(b);
    return order != 0 ? order < 0 : a < b;
  });
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    if (i != 0 && digest(files_[i]) == digest(files_[i - 1])) continue;
    begins_.push_back(i);
    digests_.push_back(digest(files_[i]));
  }
  begins_.push_back(static_cast<std::uint32_t>(files_.size()));
}

}  // namespace trainyard
