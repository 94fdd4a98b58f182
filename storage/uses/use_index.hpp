// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/uses/use_record.hpp"
#include "storage/values/tree.hpp"

struct sqlite3;

namespace trainyard {

// An index in SQLite of every file of every tree that a record of a store names: which trees a file is in, where, and whose
// trees these are. The store is the truth: the index is brought up to date with it each time, which costs a look at a few
// folders when nothing changed, and can be removed at any time. A tree is indexed once, however many records name it, and
// forgotten with the last of them. Single-threaded; other processes may use the same file, but only one at a time changes
// it, which a lock of the caller sees to.
//
//   place      (folder, look)            the folders of records, as they looked when they were read
//   record     (…)                       by folder and name: a UseRecord
//   tree       (id, digest, files)       files is null until the tree is indexed
//   held       (tree, record, part)
//   directory  (id, path)                of all trees together
//   entry_<n>  (digest, tree, directory, name)      storage/uses/entry_segments.hpp
class UseIndex {
 public:
  // `not_found` when there is none; `corrupt`, also later, when it is damaged or something else, and has to be made again.
  static Result<UseIndex> open(const Path& file);
  // Makes an empty one, in place of what is there. `scratch` is a folder of the same file system. For who has the lock.
  static Result<void> make(const Path& file, const Path& scratch);
  // One that nobody keeps; on disk where it is large.
  static Result<UseIndex> unkept();

  // --- What is known

  struct Place {
    std::string folder;  // of the store, such as "packages/digits"
    std::string look;    // folder_look()
  };
  struct Name {
    std::string folder;
    std::string name;
  };
  [[nodiscard]] Result<std::vector<Place>> places() const;
  // The names of a place's records, sorted.
  [[nodiscard]] Result<std::vector<std::string>> names(const std::string& folder) const;
  // Records that were not settled, or could not be read.
  [[nodiscard]] Result<std::vector<Name>> unsettled() const;
  [[nodiscard]] Result<std::uint64_t> wanted_trees() const;

  // --- Changes

  // All of `change` happens, or nothing of it.
  Result<void> as_one(const std::function<Result<void>()>& change);
  Result<void> note_place(const Place& place);
  // With all its records.
  Result<void> forget_place(const std::string& folder);
  // None: there is such a record, and it has to be read again.
  Result<void> note(const Name& name, const std::optional<UseRecord>& record);
  Result<void> forget(const Name& name);
  // Forgets the trees that no record names any more. The last of a change.
  Result<void> forget_trees();

  // Indexes the trees that are wanted. `load` yields none for one that cannot be had; it stays wanted. Done in parts, each
  // of which is kept.
  using Load = std::function<std::optional<Tree>(const Digest& digest)>;
  Result<void> add_trees(const Load& load);

  // --- Answers

  struct Found {
    std::int64_t tree = 0;
    std::uint64_t files = 0;         // how many of those that were asked for are in it
    std::uint64_t places = 0;        // how many of its own files these are
    std::vector<std::string> paths;  // the texts of the first of them
  };
  struct Asked {
    Digest digest;
    std::uint64_t files = 1;  // with this digest
  };
  // By tree. `progress` is told how many were looked up.
  Result<std::vector<Found>> find(std::span<const Asked> asked, std::size_t most_paths,
                                  const std::function<void(std::size_t)>& progress) const;
  // The digests, two at most, that begin with these hexadecimal digits.
  [[nodiscard]] Result<std::vector<Digest>> beginning_with(std::string_view hex) const;

  struct Holder {
    std::size_t found = 0;  // an index into those that were asked for
    UsePart part = UsePart::snapshot;
    UseRecord record;  // without what it holds
    Digest tree;
  };
  [[nodiscard]] Result<std::vector<Holder>> holders(std::span<const Found> found) const;
  // None when no record names it.
  [[nodiscard]] Result<std::optional<std::int64_t>> number_of(const Digest& tree) const;

  struct Descendant {
    std::string version;
    std::string parent;
  };
  // The versions that were made from a version, and those made from these, once for each parent.
  [[nodiscard]] Result<std::vector<Descendant>> descendants(const std::string& package,
                                                            const std::string& version) const;
  // Its record; none when it was taken away.
  [[nodiscard]] Result<std::optional<UseRecord>> version(const std::string& package, const std::string& version) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  explicit UseIndex(sqlite3* database) : database_(database) {}

  static Result<void> remove(const Path& file);
  Result<void> forget_record(std::int64_t record);
  Result<std::int64_t> tree_of(const Digest& digest);

  std::unique_ptr<sqlite3, Close> database_;
  std::set<std::int64_t> let_go_;  // trees that lost a record in this change
};

}  // namespace trainyard
