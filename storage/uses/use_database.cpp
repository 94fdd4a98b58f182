// SPDX-License-Identifier: Apache-2.0
// The file of the index of uses: made, recognised and removed.
#include <sqlite3.h>

#include "storage/runs/sqlite_statement.hpp"
#include "storage/uses/entry_segments.hpp"
#include "storage/uses/use_index.hpp"

namespace trainyard {

namespace {

constexpr std::int64_t kForm = 1;
constexpr std::int64_t kApplication = 0x74797573;  // "tyus"
constexpr int kBusyMilliseconds = 5000;

constexpr const char* kCreate = R"(
  CREATE TABLE place (folder TEXT PRIMARY KEY, look TEXT) WITHOUT ROWID;
  CREATE TABLE record (id INTEGER PRIMARY KEY, folder TEXT, name TEXT, settled INTEGER, kind INTEGER, title TEXT, run TEXT,
                       package TEXT, folded TEXT, version TEXT, parent TEXT, at INTEGER);
  CREATE UNIQUE INDEX record_name ON record (folder, name);
  CREATE INDEX record_unsettled ON record (id) WHERE settled = 0;
  CREATE INDEX record_parent ON record (folded, parent, version) WHERE version <> '';
  CREATE INDEX record_version ON record (folded, version) WHERE version <> '';
  CREATE TABLE tree (id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB UNIQUE, files INTEGER);
  CREATE INDEX tree_wanted ON tree (id) WHERE files IS NULL;
  CREATE TABLE held (tree INTEGER, record INTEGER, part INTEGER, PRIMARY KEY (tree, record, part)) WITHOUT ROWID;
  CREATE INDEX held_record ON held (record);
  CREATE TABLE directory (id INTEGER PRIMARY KEY, path BLOB UNIQUE);
)";

Result<std::int64_t> pragma(sqlite3* database, const char* name) {
  auto value = TRY(Statement::prepare(database, ("PRAGMA " + std::string(name)).c_str()));
  TRY(value.step());
  return value.integer(0);
}

Result<void> set_pragma(sqlite3* database, const char* name, std::int64_t value) {
  return execute(database, ("PRAGMA " + std::string(name) + " = " + std::to_string(value)).c_str());
}

Result<void> check_form(sqlite3* database) {
  if (TRY(pragma(database, "application_id")) == kApplication && TRY(pragma(database, "user_version")) == kForm)
    return {};
  return fail(Errc::corrupt, "it is something else");
}

Result<void> create_tables(sqlite3* database) {
  TRY(set_pragma(database, "page_size", 8192));
  TRY(execute(database, "PRAGMA auto_vacuum = INCREMENTAL"));
  TRY(execute(database, "PRAGMA journal_mode = WAL"));
  TRY(execute(database, "BEGIN"));
  TRY(execute(database, kCreate));
  TRY(execute(database, kSegmentTables));
  TRY(set_pragma(database, "application_id", kApplication));
  TRY(set_pragma(database, "user_version", kForm));
  return execute(database, "COMMIT");
}

// What is asked of an index that is made already writes nothing, so that nobody waits for who changes it.
Result<void> prepare(sqlite3* database) {
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  TRY(check_form(database));
  // What a power cut loses is read again from the store; a file that it tore would tell something else than that does.
  return execute(database, "PRAGMA synchronous = NORMAL");
}

Result<sqlite3*> open_database(const Path& file, int flags, Result<void> (*begin)(sqlite3*)) {
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | flags, nullptr);
  const auto begun = code == SQLITE_OK ? begin(database) : Result<void>(sqlite_error(database));
  if (begun.ok()) return database;
  sqlite3_close(database);
  return begun.error();
}

Error within_index(const Path& file, Error error) {
  return within("the index of uses '" + file.string() + "'", std::move(error));
}

}  // namespace

void UseIndex::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Result<UseIndex> UseIndex::open(const Path& file) {
  if (!is_there(file)) return fail(Errc::not_found, "there is no index of uses '" + file.string() + "'");
  const auto database = open_database(file, 0, prepare);
  if (!database.ok()) return within_index(file, database.error());
  return UseIndex(*database);
}

Result<UseIndex> UseIndex::unkept() {
  const auto database = open_database("", SQLITE_OPEN_CREATE, create_tables);
  if (!database.ok()) return database.error();
  return UseIndex(*database);
}

// Elsewhere first: somebody may open it the moment that it is there.
Result<void> UseIndex::make(const Path& file, const Path& scratch) {
  TRY(remove(file));
  const Path made = scratch_name(scratch, "uses-");
  const auto database = open_database(made, SQLITE_OPEN_CREATE, create_tables);
  if (!database.ok()) return within_index(made, database.error());
  const bool closed = sqlite3_close(*database) == SQLITE_OK;
  const auto moved = closed ? rename_path(made, file) : fail(Errc::io, "an index of uses could not be closed");
  if (!moved.ok()) static_cast<void>(remove(made));
  return moved;
}

Result<void> UseIndex::remove(const Path& file) {
  for (const char* const suffix : {"", "-wal", "-shm"}) TRY(remove_file(file.string() + suffix));
  return {};
}

}  // namespace trainyard
