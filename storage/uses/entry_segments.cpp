// SPDX-License-Identifier: Apache-2.0
#include "storage/uses/entry_segments.hpp"

#include <algorithm>
#include <set>

#include "storage/uses/digest_bytes.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostSegments = 8;

struct Segment {
  std::int64_t number = 0;
  std::int64_t entries = 0;
};

std::string table_of(std::int64_t number) { return "entry_" + std::to_string(number); }

// The smallest first.
Result<std::vector<Segment>> segments(sqlite3* database) {
  auto rows = TRY(Statement::prepare(database, "SELECT number, entries FROM segment ORDER BY entries, number"));
  std::vector<Segment> all;
  while (TRY(rows.step())) all.push_back({rows.integer(0), rows.integer(1)});
  return all;
}

Result<std::int64_t> make_segment(sqlite3* database) {
  TRY(execute(database, "INSERT INTO segment (entries) VALUES (0)"));
  const std::int64_t number = sqlite3_last_insert_rowid(database);
  const std::string sql = "CREATE TABLE " + table_of(number) +
                          " (digest BLOB, tree INTEGER, directory INTEGER, name BLOB,"
                          " PRIMARY KEY (digest, tree, directory, name)) WITHOUT ROWID";
  TRY(execute(database, sql.c_str()));
  return number;
}

Result<void> set_entries(sqlite3* database, std::int64_t number, std::int64_t entries) {
  auto set = TRY(Statement::prepare(database, "UPDATE segment SET entries = ?2 WHERE number = ?1"));
  set.bind(1, number);
  set.bind(2, entries);
  TRY(set.step());
  return {};
}

// Each entry is written again at most once for each doubling of what it lies among.
std::size_t how_many_to_merge(const std::vector<Segment>& all, Merge merge) {
  if (merge == Merge::all) return all.size();
  if (all.size() <= kMostSegments) return 0;
  std::size_t count = 2;
  std::int64_t entries = all[0].entries + all[1].entries;
  while (count < all.size() && all[count].entries <= entries) entries += all[count++].entries;
  return count;
}

}  // namespace

void EntryBatch::add(const Digest& digest, std::int64_t tree, std::int64_t directory, std::string_view name) {
  entries_.push_back(
      {digest, static_cast<std::uint32_t>(tree), static_cast<std::uint32_t>(directory), names_.size(), name.size()});
  names_ += name;
}

Result<void> EntryBatch::write(sqlite3* database) {
  if (entries_.empty()) return {};
  std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
    if (const auto order = a.digest <=> b.digest; order != 0) return order < 0;
    if (a.tree != b.tree) return a.tree < b.tree;
    if (a.directory != b.directory) return a.directory < b.directory;
    return name(a) < name(b);
  });
  const std::int64_t number = TRY(make_segment(database));
  auto insert = TRY(Statement::prepare(database, ("INSERT INTO " + table_of(number) + " VALUES (?, ?, ?, ?)").c_str()));
  for (const Entry& entry : entries_) {
    insert.reset();
    insert.bind_bytes(1, bytes_of(entry.digest));
    insert.bind(2, std::int64_t{entry.tree});
    insert.bind(3, std::int64_t{entry.directory});
    insert.bind_bytes(4, name(entry));
    TRY(insert.step());
  }
  TRY(set_entries(database, number, static_cast<std::int64_t>(entries_.size())));
  entries_.clear();
  names_.clear();
  return {};
}

Result<void> merge_segments(sqlite3* database, Merge merge) {
  const std::vector<Segment> all = TRY(segments(database));
  const std::size_t count = how_many_to_merge(all, merge);
  if (count == 0) return {};
  const std::int64_t number = TRY(make_segment(database));
  std::string sql = "INSERT INTO " + table_of(number) + " ";
  for (std::size_t i = 0; i < count; ++i) {
    sql += (i == 0 ? "SELECT digest, tree, directory, name FROM "
                   : " UNION ALL SELECT digest, tree, directory, name FROM ") +
           table_of(all[i].number) + " AS entry WHERE EXISTS (SELECT 1 FROM tree WHERE tree.id = entry.tree)";
  }
  sql += " ORDER BY digest, tree, directory, name";
  TRY(execute(database, sql.c_str()));
  TRY(set_entries(database, number, sqlite3_changes(database)));
  for (std::size_t i = 0; i < count; ++i) {
    TRY(execute(database, ("DROP TABLE " + table_of(all[i].number)).c_str()));
    TRY(execute(database, ("DELETE FROM segment WHERE number = " + std::to_string(all[i].number)).c_str()));
  }
  return {};
}

Result<EntryLookup> EntryLookup::prepare(sqlite3* database) {
  std::vector<Statement> statements;
  for (const Segment& segment : TRY(segments(database))) {
    const std::string sql = "SELECT tree, directory, name FROM " + table_of(segment.number) + " WHERE digest = ?";
    statements.push_back(TRY(Statement::prepare(database, sql.c_str())));
  }
  return EntryLookup(std::move(statements));
}

Result<void> EntryLookup::find(const Digest& digest, const See& see) {
  for (Statement& statement : statements_) {
    statement.reset();
    statement.bind_bytes(1, bytes_of(digest));
    while (TRY(statement.step())) see(statement.integer(0), statement.integer(1), statement.bytes(2));
  }
  return {};
}

Result<std::vector<Digest>> digests_between(sqlite3* database, const Digest& first, const Digest& last,
                                            std::size_t most) {
  std::set<Digest> digests;
  for (const Segment& segment : TRY(segments(database))) {
    const std::string table = table_of(segment.number);
    const std::string sql =
        "SELECT DISTINCT digest FROM " + table +
        " WHERE digest >= ?1 AND digest <= ?2 AND EXISTS (SELECT 1 FROM tree WHERE tree.id = " + table +
        ".tree) LIMIT " + std::to_string(most);
    auto rows = TRY(Statement::prepare(database, sql.c_str()));
    rows.bind_bytes(1, bytes_of(first));
    rows.bind_bytes(2, bytes_of(last));
    while (TRY(rows.step())) digests.insert(TRY(digest_from_bytes(rows.bytes(0))));
  }
  std::vector<Digest> sorted(digests.begin(), digests.end());
  if (sorted.size() > most) sorted.resize(most, sorted.front());
  return sorted;
}

}  // namespace trainyard
