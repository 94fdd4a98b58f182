// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "storage/objects/object_store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// The distinct objects of some files of a tree, each with the files that have it: what to ask a store for, and where to
// put what comes.
class TreeObjects {
 public:
  // `files` are indices in the tree, ascending, each of a file. `tree` outlives this.
  TreeObjects(const Tree& tree, std::vector<std::uint32_t> files);

  [[nodiscard]] std::span<const Digest> digests() const { return digests_; }
  // The indices of the files in the tree, ascending.
  [[nodiscard]] std::span<const std::uint32_t> files_of(std::size_t which) const {
    return std::span(files_).subspan(begins_[which], begins_[which + 1] - begins_[which]);
  }

 private:
  std::vector<Digest> digests_;
  std::vector<std::uint32_t> files_;   // by digest
  std::vector<std::uint32_t> begins_;  // of each digest's part of files_, and the end
};

// Receives what it was told to expect.
class TreeReceiver : public ObjectReceiver {
 public:
  // Nothing that was expected before is still to come. `wanted` outlives what follows.
  virtual void expect(const TreeObjects& wanted) = 0;
};

// Reads the objects of the tree's wanted files, some ten thousand files at a time: what is to be known about each
// object while it is read would otherwise be most of what a large tree needs of the memory.
Result<void> stream_files(const Tree& tree, const std::function<bool(const Digest&)>& wanted, ObjectStore& objects,
                          TreeReceiver& receiver);

}  // namespace trainyard
