// SPDX-License-Identifier: Apache-2.0
#include "storage/uses/use_index.hpp"

#include <sqlite3.h>

#include <unordered_map>

#include "storage/runs/sqlite_statement.hpp"
#include "storage/uses/digest_bytes.hpp"
#include "storage/uses/entry_segments.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kEntriesOfBatch = std::size_t{1} << 20U;

// The numbers of directories by their paths; those of one tree mostly stand together.
class Directories {
 public:
  static Result<Directories> of(sqlite3* database) {
    auto find = TRY(Statement::prepare(database, "SELECT id FROM directory WHERE path = ?"));
    auto add = TRY(Statement::prepare(database, "INSERT INTO directory (path) VALUES (?)"));
    return Directories(database, std::move(find), std::move(add));
  }

  Result<std::int64_t> number(std::string_view path) {
    if (const auto known = known_.find(std::string(path)); known != known_.end()) return known->second;
    find_.reset();
    find_.bind_bytes(1, path);
    std::int64_t number = 0;
    if (TRY(find_.step())) {
      number = find_.integer(0);
      // No table can be dropped while a statement reads.
      find_.reset();
    } else {
      add_.reset();
      add_.bind_bytes(1, path);
      TRY(add_.step());
      number = sqlite3_last_insert_rowid(database_);
    }
    if (known_.size() >= kMostKnown) known_.clear();
    known_.emplace(path, number);
    return number;
  }

 private:
  static constexpr std::size_t kMostKnown = 100'000;

  Directories(sqlite3* database, Statement find, Statement add)
      : database_(database), find_(std::move(find)), add_(std::move(add)) {}

  sqlite3* database_;
  Statement find_;
  Statement add_;
  std::unordered_map<std::string, std::int64_t> known_;
};

// Yields how many files it has.
Result<std::int64_t> add_entries(const Tree& tree, std::int64_t number, Directories& directories, EntryBatch& batch) {
  std::int64_t files = 0;
  const char* folder = nullptr;
  std::int64_t directory = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Tree::View entry = tree.view(i);
    if (entry.digest == nullptr) continue;
    if (files == 0 || entry.folder.data() != folder) directory = TRY(directories.number(entry.folder));
    folder = entry.folder.data();
    batch.add(*entry.digest, number, directory, entry.name);
    ++files;
  }
  return files;
}

// What merging left unused, if that is much: the next merge would use it, but may be long in coming.
Result<void> give_back_pages(sqlite3* database) {
  auto counts = TRY(Statement::prepare(
      database, "SELECT freelist_count, page_count FROM pragma_freelist_count(), pragma_page_count()"));
  TRY(counts.step());
  const bool much = 3 * counts.integer(0) > counts.integer(1);
  counts.reset();
  if (!much) return {};
  return execute(database, "PRAGMA incremental_vacuum");
}

// The first that is wanted after `last`.
Result<std::optional<std::pair<std::int64_t, Digest>>> next_wanted(sqlite3* database, std::int64_t last) {
  auto row = TRY(
      Statement::prepare(database, "SELECT id, digest FROM tree WHERE files IS NULL AND id > ? ORDER BY id LIMIT 1"));
  row.bind(1, last);
  if (!TRY(row.step())) return std::optional<std::pair<std::int64_t, Digest>>();
  const Digest digest = TRY(digest_from_bytes(row.bytes(1)));
  return std::optional(std::pair(row.integer(0), digest));
}

}  // namespace

Result<std::vector<UseIndex::Place>> UseIndex::places() const {
  auto rows = TRY(Statement::prepare(database_.get(), "SELECT folder, look FROM place ORDER BY folder"));
  std::vector<Place> places;
  while (TRY(rows.step())) places.push_back({rows.text(0), rows.text(1)});
  return places;
}

Result<std::vector<std::string>> UseIndex::names(const std::string& folder) const {
  auto rows = TRY(Statement::prepare(database_.get(), "SELECT name FROM record WHERE folder = ? ORDER BY name"));
  rows.bind(1, folder);
  std::vector<std::string> names;
  while (TRY(rows.step())) names.push_back(rows.text(0));
  return names;
}

Result<std::vector<UseIndex::Name>> UseIndex::unsettled() const {
  auto rows = TRY(Statement::prepare(database_.get(), "SELECT folder, name FROM record WHERE settled = 0 ORDER BY id"));
  std::vector<Name> names;
  while (TRY(rows.step())) names.push_back({rows.text(0), rows.text(1)});
  return names;
}

Result<std::uint64_t> UseIndex::wanted_trees() const {
  auto count = TRY(Statement::prepare(database_.get(), "SELECT count(*) FROM tree WHERE files IS NULL"));
  TRY(count.step());
  return static_cast<std::uint64_t>(count.integer(0));
}

Result<void> UseIndex::as_one(const std::function<Result<void>()>& change) {
  let_go_.clear();
  TRY(execute(database_.get(), "BEGIN IMMEDIATE"));
  const auto changed = change();
  const auto ended = execute(database_.get(), changed.ok() ? "COMMIT" : "ROLLBACK");
  return changed.ok() ? ended : changed;
}

Result<void> UseIndex::note_place(const Place& place) {
  auto put = TRY(Statement::prepare(database_.get(), "INSERT OR REPLACE INTO place VALUES (?, ?)"));
  put.bind(1, place.folder);
  put.bind(2, place.look);
  TRY(put.step());
  return {};
}

Result<void> UseIndex::forget_place(const std::string& folder) {
  for (const std::string& name : TRY(names(folder))) TRY(forget({folder, name}));
  auto gone = TRY(Statement::prepare(database_.get(), "DELETE FROM place WHERE folder = ?"));
  gone.bind(1, folder);
  TRY(gone.step());
  return {};
}

Result<void> UseIndex::forget_record(std::int64_t record) {
  auto trees = TRY(Statement::prepare(database_.get(), "SELECT tree FROM held WHERE record = ?"));
  trees.bind(1, record);
  while (TRY(trees.step())) let_go_.insert(trees.integer(0));
  for (const char* const sql : {"DELETE FROM held WHERE record = ?", "DELETE FROM record WHERE id = ?"}) {
    auto gone = TRY(Statement::prepare(database_.get(), sql));
    gone.bind(1, record);
    TRY(gone.step());
  }
  return {};
}

Result<void> UseIndex::forget(const Name& name) {
  auto find = TRY(Statement::prepare(database_.get(), "SELECT id FROM record WHERE folder = ? AND name = ?"));
  find.bind(1, name.folder);
  find.bind(2, name.name);
  if (!TRY(find.step())) return {};
  return forget_record(find.integer(0));
}

Result<std::int64_t> UseIndex::tree_of(const Digest& digest) {
  if (const auto known = TRY(number_of(digest))) return *known;
  auto add = TRY(Statement::prepare(database_.get(), "INSERT INTO tree (digest) VALUES (?)"));
  add.bind_bytes(1, bytes_of(digest));
  TRY(add.step());
  return sqlite3_last_insert_rowid(database_.get());
}

Result<void> UseIndex::note(const Name& name, const std::optional<UseRecord>& record) {
  TRY(forget(name));
  auto put = TRY(Statement::prepare(
      database_.get(),
      "INSERT INTO record (folder, name, settled, kind, title, run, package, folded, version, parent, at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  const UseRecord empty{UseRecord::Kind::run, "", "", "", "", "", Instant{0}, false, {}};
  const UseRecord& noted = record ? *record : empty;
  put.bind(1, name.folder);
  put.bind(2, name.name);
  put.bind(3, std::int64_t{noted.settled ? 1 : 0});
  put.bind(4, static_cast<std::int64_t>(noted.kind));
  int at = 5;
  for (const std::string& text :
       {noted.title, noted.run, noted.package, folded_case(noted.package), noted.version, noted.parent})
    put.bind(at++, text);
  put.bind(at, noted.at.microseconds);
  TRY(put.step());
  const std::int64_t number = sqlite3_last_insert_rowid(database_.get());
  auto hold = TRY(Statement::prepare(database_.get(), "INSERT OR IGNORE INTO held VALUES (?, ?, ?)"));
  for (const UseRecord::Held& held : noted.held) {
    hold.reset();
    hold.bind(1, TRY(tree_of(held.tree)));
    hold.bind(2, number);
    hold.bind(3, static_cast<std::int64_t>(held.part));
    TRY(hold.step());
  }
  return {};
}

Result<void> UseIndex::forget_trees() {
  sqlite3* const database = database_.get();
  auto drop = TRY(Statement::prepare(
      database, "DELETE FROM tree WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM held WHERE held.tree = ?1)"));
  bool dropped = false;
  for (const std::int64_t tree : let_go_) {
    drop.reset();
    drop.bind(1, tree);
    TRY(drop.step());
    dropped = dropped || sqlite3_changes(database) > 0;
  }
  let_go_.clear();
  if (!dropped) return {};
  auto counts =
      TRY(Statement::prepare(database, "SELECT (SELECT total(entries) FROM segment), (SELECT total(files) FROM tree)"));
  TRY(counts.step());
  const bool mostly_gone = counts.number(0) > 2 * counts.number(1);
  counts.reset();
  if (mostly_gone) TRY(merge_segments(database, Merge::all));
  return {};
}

Result<void> UseIndex::add_trees(const Load& load) {
  sqlite3* const database = database_.get();
  std::int64_t last = 0;
  for (bool more = true; more;) {
    TRY(as_one([&]() -> Result<void> {
      auto directories = TRY(Directories::of(database));
      auto note = TRY(Statement::prepare(database, "UPDATE tree SET files = ?2 WHERE id = ?1"));
      EntryBatch batch;
      while (batch.size() < kEntriesOfBatch) {
        const auto wanted = TRY(next_wanted(database, last));
        more = wanted.has_value();
        if (!more) break;
        last = wanted->first;
        const auto tree = load(wanted->second);
        if (!tree) continue;
        note.reset();
        note.bind(1, last);
        note.bind(2, TRY(add_entries(*tree, last, directories, batch)));
        TRY(note.step());
      }
      TRY(batch.write(database));
      return merge_segments(database, Merge::when_many);
    }));
  }
  return give_back_pages(database);
}

}  // namespace trainyard
