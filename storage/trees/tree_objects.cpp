// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/tree_objects.hpp"

#include <algorithm>
#include <utility>

namespace trainyard {

namespace {

constexpr std::size_t kFilesAtOnce = std::size_t{1} << 15U;

}  // namespace

TreeObjects::TreeObjects(const Tree& tree, std::vector<std::uint32_t> files) : files_(std::move(files)) {
  const auto digest = [&](std::uint32_t file) -> const Digest& { return *tree.view(file).digest; };
  std::sort(files_.begin(), files_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto order = digest(a) <=> digest(b);
    return order != 0 ? order < 0 : a < b;
  });
  digests_.reserve(files_.size());
  begins_.reserve(files_.size() + 1);
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    if (i != 0 && digest(files_[i]) == digest(files_[i - 1])) continue;
    begins_.push_back(i);
    digests_.push_back(digest(files_[i]));
  }
  begins_.push_back(static_cast<std::uint32_t>(files_.size()));
}

Result<void> stream_files(const Tree& tree, const std::function<bool(const Digest&)>& wanted, ObjectStore& objects,
                          TreeReceiver& receiver) {
  for (std::uint32_t next = 0; next < tree.size();) {
    std::vector<std::uint32_t> files;
    files.reserve(std::min<std::size_t>(kFilesAtOnce, tree.size() - next));
    for (; next < tree.size() && files.size() < kFilesAtOnce; ++next) {
      const Digest* const digest = tree.view(next).digest;
      if (digest != nullptr && wanted(*digest)) files.push_back(next);
    }
    const TreeObjects some(tree, std::move(files));
    receiver.expect(some);
    TRY(objects.stream_each(some.digests(), receiver));
  }
  return {};
}

}  // namespace trainyard
