// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/rel_path.hpp"
#include "storage/values/result.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

// One file of a tree, or one empty folder. Folders with something in them are implied by their files.
struct TreeEntry {
  enum class Kind { file, empty_folder };

  RelPath path;
  Kind kind = Kind::file;
  std::uint64_t size = 0;  // bytes; 0 for a folder
  bool executable = false;
  std::optional<Digest> digest;  // of a file's bytes; none for a folder

  friend bool operator==(const TreeEntry&, const TreeEntry&) = default;
};

// The content of a folder as a value: what is in it, not when or by whom it was written. The digest of the canonical
// bytes is the identity of the content.
//
//   tree  = {"entries":[entry,…],"schema":"trainyard.tree/1"}    canonical JSON; entries sorted by the bytes of paths
//   entry = {"digest":hex|null,"executable":bool,"kind":"file"|"folder","path":RelPath text,"size":integer}
class Tree {
 public:
  Tree() = default;

  // Sorts. Refuses a path twice, and a file that is also used as a folder.
  static Result<Tree> of(std::vector<TreeEntry> entries);
  static Result<Tree> from_canonical(std::string_view bytes);

  [[nodiscard]] const std::vector<TreeEntry>& entries() const { return entries_; }
  [[nodiscard]] const TreeEntry* find(const RelPath& path) const;
  [[nodiscard]] std::uint64_t files() const;
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::string canonical() const;
  [[nodiscard]] Digest digest() const { return sha256(canonical()); }

  friend bool operator==(const Tree&, const Tree&) = default;

 private:
  std::vector<TreeEntry> entries_;
};

// What a record keeps of a tree.
struct TreeSummary {
  Digest digest;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;

  static TreeSummary of(const Tree& tree) { return {tree.digest(), tree.files(), tree.bytes()}; }
  friend bool operator==(const TreeSummary&, const TreeSummary&) = default;
};

}  // namespace trainyard
