// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "storage/trees/open_below.hpp"
#include "storage/trees/sparse_writer.hpp"
#include "storage/trees/tree_objects.hpp"
#include "storage/trees/verify.hpp"

namespace trainyard {

// Makes files out of the objects that a store hands over: all files of an object at once, each with as few calls to the
// system as can be. Never follows a link and never writes to a file that was there. Open are only the files whose
// objects come in several pieces.
class TreeWriter final : public TreeReceiver {
 public:
  // All outlive this; the folder is empty.
  TreeWriter(const Tree& tree, const Path& folder, const TreeProgress& progress);

  // All folders of the tree. Before anything is received.
  Result<void> make_folders();

  void expect(const TreeObjects& wanted) override;
  Result<void> piece(std::size_t which, std::string_view bytes) override;
  // Any other verdict than a good one ends the writing.
  Result<void> end(std::size_t which, const Result<void>& verdict) override;

 private:
  // A file whose object comes in several pieces.
  struct Growing {
    UniqueFd fd;
    SparseWriter writer;
    Path shown;
  };

  Result<void> make_folder(std::string_view path);
  Result<UniqueFd> create(const Tree::View& file, int flags);
  Result<void> write_whole(const Tree::View& file, std::string_view bytes);
  Result<Growing*> growing(std::size_t which);
  Result<void> finish(std::size_t which, std::unique_ptr<Growing> growing);

  const Tree& tree_;
  const std::uint64_t files_;
  const TreeProgress& progress_;
  const TreeObjects* wanted_ = nullptr;
  OpenFolders folders_;
  std::vector<std::uint64_t> sizes_;  // bytes that came; each counted by the thread that has the object
  std::mutex mutex_;
  std::unordered_map<std::size_t, std::unique_ptr<Growing>> growing_;  // guarded by mutex_, as is done_
  std::uint64_t done_ = 0;
};

}  // namespace trainyard
