// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "storage/values/tree.hpp"

namespace trainyard {

// The distinct objects of a tree's files, each with the files that have it: what to ask a store for, and where to put
// what comes.
class TreeObjects {
 public:
  // Of the files whose object is wanted. `tree` outlives this.
  TreeObjects(const Tree& tree, const std::function<bool(const Digest&)>& wanted);
  explicit TreeObjects(const Tree& tree);

  [[nodiscard]] std::span<const Digest> digests() const { return digests_; }
  [[nodiscard]] std::size_t files() const { return files_.size(); }
  // The indices of the files in the tree, ascending.
  [[nodiscard]] std::span<const std::uint32_t> files_of(std::size_t which) const {
    return std::span(files_).subspan(begins_[which], begins_[which + 1] - begins_[which]);
  }

 private:
  std::vector<Digest> digests_;
  std::vector<std::uint32_t> files_;   // by digest
  std::vector<std::uint32_t> begins_;  // of each digest's part of files_, and the end
};

}  // namespace trainyard
