// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/runs/sqlite_statement.hpp"
#include "storage/values/digest.hpp"

// Where each file stands in which tree, by digest: what the index of uses is large of. The entries lie in a few tables,
// each written once in the order of its key, as in a log-structured merge tree (O'Neil and others, 1996): digests are
// spread evenly, so that adding a tree to one large table would write nearly all of it again.
//
//   segment   (number, entries)                                   the tables that there are
//   entry_<n> (digest, tree, directory, name)                     the key is all of it
//
// Entries of trees that are no longer in the table `tree` count for nothing, and go when tables are merged.
namespace trainyard {

inline constexpr const char* kSegmentTables = R"(
  CREATE TABLE segment (number INTEGER PRIMARY KEY AUTOINCREMENT, entries INTEGER);
)";

// Entries on their way into a segment; some 80 bytes each.
class EntryBatch {
 public:
  void add(const Digest& digest, std::int64_t tree, std::int64_t directory, std::string_view name);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Writes a segment of its own, within a transaction of the caller, and is empty then.
  Result<void> write(sqlite3* database);

 private:
  struct Entry {
    Digest digest;
    std::uint32_t tree;
    std::uint32_t directory;
    std::size_t name_begin;
    std::size_t name_bytes;
  };

  [[nodiscard]] std::string_view name(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name_begin, entry.name_bytes);
  }

  std::vector<Entry> entries_;
  std::string names_;
};

enum class Merge { when_many, all };

// Makes few segments of many, without the entries of trees that are gone; within a transaction of the caller.
Result<void> merge_segments(sqlite3* database, Merge merge);

// Finds entries in all segments that there were when it was made. Single-threaded; ends before its database.
class EntryLookup {
 public:
  using See = std::function<void(std::int64_t tree, std::int64_t directory, std::string_view name)>;

  static Result<EntryLookup> prepare(sqlite3* database);
  Result<void> find(const Digest& digest, const See& see);

 private:
  explicit EntryLookup(std::vector<Statement> statements) : statements_(std::move(statements)) {}

  std::vector<Statement> statements_;
};

// The digests of living trees' entries from `first` to `last`, at most `most` of them, sorted.
Result<std::vector<Digest>> digests_between(sqlite3* database, const Digest& first, const Digest& last,
                                            std::size_t most);

}  // namespace trainyard
