// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
// bytes is the identity of the content; it depends on no store, and `sha256sum` of those bytes tells it.
//
//   tree  = {"entries":[entry,…],"schema":"trainyard.tree/1"}    canonical JSON; entries sorted by the bytes of paths
//   entry = {"digest":hex|null,"executable":bool,"kind":"file"|"folder","path":RelPath text,"size":integer}
//
// A million entries are ordinary, so they are kept packed (about 60 bytes and the name) and the canonical bytes are
// written and read in a stream.
class Tree {
 public:
  // An entry without a copy; valid while the tree is. Its path is folder + '/' + name, or the name alone.
  struct View {
    std::string_view folder;  // "" for the root
    std::string_view name;
    TreeEntry::Kind kind = TreeEntry::Kind::file;
    bool executable = false;
    std::uint64_t size = 0;
    const Digest* digest = nullptr;  // null for a folder
  };
  // Whether two entries of one path are alike in everything else.
  friend bool same_content(const View& a, const View& b) {
    if (a.kind != b.kind || a.size != b.size || a.executable != b.executable) return false;
    return a.digest == nullptr || *a.digest == *b.digest;
  }
  class Entries;  // a range of TreeEntry, by value: size(), [i], begin(), end()

  Tree() = default;

  // Sorts. Refuses a path twice, and a file that is also used as a folder.
  static Result<Tree> of(std::vector<TreeEntry> entries);
  static Result<Tree> from_canonical(std::string_view bytes);

  [[nodiscard]] std::size_t size() const { return packed_.size(); }
  [[nodiscard]] View view(std::size_t index) const;
  [[nodiscard]] TreeEntry entry(std::size_t index) const;
  [[nodiscard]] Entries entries() const;
  [[nodiscard]] std::optional<std::size_t> index_of(const RelPath& path) const;
  [[nodiscard]] std::optional<TreeEntry> find(const RelPath& path) const;
  [[nodiscard]] std::uint64_t files() const;
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::string canonical() const;
  // The same bytes, in pieces of some 64 KiB.
  void write_canonical(const std::function<void(std::string_view)>& sink) const;
  [[nodiscard]] Digest digest() const;

  friend bool operator==(const Tree& a, const Tree& b);

 private:
  friend class TreeBuilder;
  struct Packed {
    Digest digest;
    std::uint64_t size;
    std::uint64_t name_begin : 40;
    std::uint64_t name_bytes : 16;
    std::uint64_t empty_folder : 1;
    std::uint64_t executable : 1;
    std::uint32_t folder;  // an index into folders_
  };

  // Sorted by path. A vector would for a moment need twice its size whenever it grows.
  std::deque<Packed> packed_;
  std::vector<std::string> folders_;  // paths without a slash at the end, "" among them
  std::string names_;
};

// Valid while the tree is. Each access makes a TreeEntry, so keep what is used twice.
class Tree::Entries {
 public:
  class Iterator {
   public:
    struct Pointer {
      TreeEntry entry;
      const TreeEntry* operator->() const { return &entry; }
    };
    using iterator_category = std::random_access_iterator_tag;
    using value_type = TreeEntry;
    using difference_type = std::ptrdiff_t;
    using reference = TreeEntry;
    using pointer = Pointer;

    Iterator() = default;
    Iterator(const Tree& tree, std::size_t index) : tree_(&tree), index_(index) {}

    TreeEntry operator*() const { return tree_->entry(index_); }
    Pointer operator->() const { return {**this}; }
    TreeEntry operator[](difference_type n) const { return *(*this + n); }
    Iterator& operator+=(difference_type n) {
      index_ += static_cast<std::size_t>(n);
      return *this;
    }
    Iterator& operator-=(difference_type n) { return *this += -n; }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator++(int) { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) { return std::exchange(*this, *this - 1); }
    friend Iterator operator+(Iterator at, difference_type n) { return at += n; }
    friend Iterator operator+(difference_type n, Iterator at) { return at += n; }
    friend Iterator operator-(Iterator at, difference_type n) { return at -= n; }
    friend difference_type operator-(const Iterator& a, const Iterator& b) {
      return static_cast<difference_type>(a.index_) - static_cast<difference_type>(b.index_);
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }
    friend auto operator<=>(const Iterator& a, const Iterator& b) { return a.index_ <=> b.index_; }

   private:
    const Tree* tree_ = nullptr;
    std::size_t index_ = 0;
  };

  explicit Entries(const Tree& tree) : tree_(&tree) {}

  [[nodiscard]] std::size_t size() const { return tree_->size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  TreeEntry operator[](std::size_t index) const { return tree_->entry(index); }
  [[nodiscard]] TreeEntry front() const { return tree_->entry(0); }
  [[nodiscard]] TreeEntry back() const { return tree_->entry(size() - 1); }
  [[nodiscard]] Iterator begin() const { return {*tree_, 0}; }
  [[nodiscard]] Iterator end() const { return {*tree_, size()}; }
  [[nodiscard]] std::reverse_iterator<Iterator> rbegin() const { return std::make_reverse_iterator(end()); }
  [[nodiscard]] std::reverse_iterator<Iterator> rend() const { return std::make_reverse_iterator(begin()); }

 private:
  const Tree* tree_;
};

// Puts a tree together in the order of its paths' bytes, without a path string for each entry. A file's digest may
// come later, from any thread, but not while another entry is added.
class TreeBuilder {
 public:
  void reserve(std::size_t name_bytes);
  // A folder's number for `add`; "" is the root. Any order; the same path twice is two numbers.
  std::uint32_t folder(std::string_view path);
  // Paths are valid RelPaths and come in ascending order; `finish` checks the order. Yields the entry's index.
  std::size_t add_file(std::uint32_t folder, std::string_view name, std::uint64_t size, bool executable);
  std::size_t add_empty_folder(std::uint32_t folder, std::string_view name);
  void set_digest(std::size_t index, const Digest& digest) { tree_.packed_[index].digest = digest; }
  [[nodiscard]] std::size_t size() const { return tree_.size(); }
  [[nodiscard]] Tree::View view(std::size_t index) const { return tree_.view(index); }
  // Every file has its digest by now. Refuses what Tree::of refuses, and a wrong order.
  Result<Tree> finish() &&;

 private:
  friend class Tree;
  friend class TreeReader;

  // As `folder`, for paths that come in the order of entries: the same path is the same number.
  std::uint32_t open_folder(std::string_view path);
  std::size_t add(std::uint32_t folder, std::string_view name, Tree::Packed packed);
  [[nodiscard]] Result<void> check() const;

  Tree tree_;
  std::vector<std::uint32_t> open_;  // the last one of open_folder, after those that it is in
};

// Reads a tree's canonical bytes as they come, in pieces of any size. Accepts the canonical form alone; after a
// refusal it accepts nothing.
class TreeReader {
 public:
  Result<void> feed(std::string_view piece);
  Result<Tree> finish() &&;

 private:
  enum class Stage { start, entries, end, refused };
  class Cursor;

  Result<void> take(std::string_view piece);
  // Reads what is whole at the start of the text, and yields its length.
  Result<std::size_t> read(std::string_view text);
  Result<void> read_part(Cursor& cursor, char first);
  Result<void> read_entry(Cursor& cursor);
  Result<std::string_view> path_from(std::string_view text);
  Result<void> add(std::string_view path, std::uint64_t size, bool executable, const std::optional<Digest>& digest);
  [[nodiscard]] Error wrong(const std::string& why) const;
  [[nodiscard]] Error misses(const std::string& part) const;

  TreeBuilder builder_;
  Stage stage_ = Stage::start;
  std::string rest_;  // what came and is not yet a whole entry
  std::string path_;  // of the entry being read, where its text is not plain, and the text it should have
  std::string text_;
};

// What a record keeps of a tree.
struct TreeSummary {
  Digest digest;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;

  static TreeSummary of(const Tree& tree) { return {tree.digest(), tree.files(), tree.bytes()}; }
  friend bool operator==(const TreeSummary&, const TreeSummary&) = default;
};

// One path that two trees do not have alike.
struct TreeDifference {
  enum class Kind { added, removed, changed };  // changed: other bytes, or another executable bit, or file and folder
  Kind kind = Kind::added;
  RelPath path;
  std::optional<TreeEntry> before;  // none when added
  std::optional<TreeEntry> after;   // none when removed
};

// In the order of paths.
std::vector<TreeDifference> difference(const Tree& before, const Tree& after);

}  // namespace trainyard
