// SPDX-License-Identifier: Apache-2.0
#include "storage/runs/run_index.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>

#include "storage/files/folder_look.hpp"
#include "storage/runs/sqlite_statement.hpp"

namespace trainyard {

namespace {

constexpr int kSchemaNumber = 2;
constexpr int kBusyMilliseconds = 5000;

constexpr const char* kCreate = R"(
  CREATE TABLE run (id TEXT PRIMARY KEY, name TEXT, type TEXT, package TEXT, folded TEXT, version TEXT, status TEXT,
                    reason TEXT, made TEXT, experiment TEXT, score REAL, started INTEGER, seconds REAL, over INTEGER,
                    reproduces TEXT, definition TEXT, data TEXT)
    WITHOUT ROWID;
  CREATE INDEX run_started ON run (started, id);
  CREATE INDEX run_name ON run (name);
  CREATE INDEX run_definition ON run (definition) WHERE definition <> '';
  CREATE INDEX run_open ON run (id) WHERE over = 0;
  CREATE TABLE tag (run TEXT, name TEXT, value TEXT, PRIMARY KEY (run, name)) WITHOUT ROWID;
  CREATE TABLE seen (folder TEXT);
)";

// What facts_of reads, in its order.
constexpr const char* kFacts =
    "id, name, type, package, version, status, reason, made, experiment, score, started, seconds, over, reproduces, "
    "definition, data";

Result<void> prepare_schema(sqlite3* database) {
  sqlite3_busy_timeout(database, kBusyMilliseconds);
  // What a power cut loses is read again from the run folders; a file that it tore would tell something else than they do.
  TRY(execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"));
  TRY(execute(database, "BEGIN IMMEDIATE"));
  auto version = TRY(Statement::prepare(database, "PRAGMA user_version"));
  TRY(version.step());
  const auto number = version.integer(0);
  version = TRY(Statement::prepare(database, "SELECT 1"));
  if (number != kSchemaNumber && number != 0) return fail(Errc::corrupt, "it has another form");
  if (number == 0) {
    TRY(execute(database, kCreate));
    TRY(execute(database, ("PRAGMA user_version = " + std::to_string(kSchemaNumber)).c_str()));
  }
  return execute(database, "COMMIT");
}

Result<sqlite3*> open_database(const Path& file) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  const auto prepared = code == SQLITE_OK ? prepare_schema(database) : Result<void>(sqlite_error(database));
  if (prepared.ok()) return database;
  sqlite3_close(database);
  return prepared.error();
}

const char* column_of(RunQuery::Key key) {
  switch (key) {
    case RunQuery::Key::started: return "started";
    case RunQuery::Key::took: return "seconds";
    case RunQuery::Key::score: return "score";
    case RunQuery::Key::name: break;
  }
  return "name";
}

// The conditions of a query, and what is bound to their question marks.
struct Conditions {
  std::string sql;
  std::vector<std::string> values;

  void add(const char* condition, const std::optional<std::string>& value) {
    if (!value) return;
    sql += std::string(sql.empty() ? " WHERE " : " AND ") + condition;
    values.push_back(*value);
  }
};

Conditions conditions_of(const RunQuery& query) {
  Conditions conditions;
  conditions.add("folded = ?", query.package ? std::optional(folded_case(*query.package)) : std::nullopt);
  conditions.add("version = ?", query.version);
  conditions.add("status = ?", query.status);
  conditions.add("type = ?", query.type);
  conditions.add("experiment = ?", query.experiment);
  for (const std::string& tag : query.tags) {
    const std::size_t equals = tag.find('=');
    conditions.add("EXISTS (SELECT 1 FROM tag WHERE tag.run = run.id AND tag.name = ?)", tag.substr(0, equals));
    // The condition before has the name; this one adds the value.
    if (equals == std::string::npos) continue;
    conditions.sql.insert(conditions.sql.size() - 1, " AND tag.value = ?");
    conditions.values.push_back(tag.substr(equals + 1));
  }
  return conditions;
}

RunFacts facts_of(const Statement& row) {
  RunFacts facts;
  facts.id = row.text(0);
  facts.name = row.text(1);
  facts.type = row.text(2);
  facts.package = row.text(3);
  facts.version = row.text(4);
  facts.status = row.text(5);
  facts.reason = row.text(6);
  facts.made = row.text(7);
  facts.experiment = row.text(8);
  if (!row.is_null(9)) facts.score = row.number(9);
  facts.started = Instant{row.integer(10)};
  facts.seconds = row.number(11);
  facts.over = row.integer(12) != 0;
  facts.reproduces = row.text(13);
  facts.definition = row.text(14);
  facts.data = row.text(15);
  return facts;
}

}  // namespace

Result<void> RunIndex::remove(const Path& file) {
  for (const char* const suffix : {"", "-wal", "-shm"}) TRY(remove_file(file.string() + suffix));
  return {};
}

void RunIndex::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Result<RunIndex> RunIndex::open(const Path& file) {
  const auto database = open_database(file);
  if (!database.ok()) return within("the index of runs '" + file.string() + "'", database.error());
  return RunIndex(*database);
}

Result<void> RunIndex::note(const RunFacts& facts) const {
  auto put = TRY(
      Statement::prepare(database_.get(),
                         "INSERT OR REPLACE INTO run (id, name, type, package, folded, version, status, reason, made, "
                         "experiment, score, started, seconds, over, reproduces, definition, data) VALUES "
                         "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  int at = 1;
  for (const std::string& text : {facts.id, facts.name, facts.type, facts.package, folded_case(facts.package),
                                  facts.version, facts.status, facts.reason, facts.made, facts.experiment})
    put.bind(at++, text);
  if (facts.score) put.bind(at, *facts.score);
  put.bind(++at, facts.started.microseconds);
  put.bind(++at, facts.seconds);
  put.bind(++at, std::int64_t{facts.over ? 1 : 0});
  for (const std::string& text : {facts.reproduces, facts.definition, facts.data}) put.bind(++at, text);
  TRY(put.step());
  auto forget = TRY(Statement::prepare(database_.get(), "DELETE FROM tag WHERE run = ?"));
  forget.bind(1, facts.id);
  TRY(forget.step());
  for (const auto& [name, value] : facts.tags) {
    auto tag = TRY(Statement::prepare(database_.get(), "INSERT INTO tag VALUES (?, ?, ?)"));
    tag.bind(1, facts.id);
    tag.bind(2, name);
    tag.bind(3, value);
    TRY(tag.step());
  }
  return {};
}

// What is in the folder and not in the index is noted as not read yet; what is in the index alone is forgotten.
Result<void> RunIndex::match_folder(const Path& runs) const {
  sqlite3* const database = database_.get();
  const std::string look = TRY(folder_look(runs));
  auto seen = TRY(Statement::prepare(database, "SELECT folder FROM seen"));
  const bool known = TRY(seen.step());
  if (known && !look.empty() && seen.text(0) == look) return {};
  std::vector<std::string> there;
  for (const std::string& name : TRY(list_folder(runs)))
    if (RunId::parse(name).ok()) there.push_back(name);
  std::vector<std::string> indexed;
  auto ids = TRY(Statement::prepare(database, "SELECT id FROM run ORDER BY id"));
  while (TRY(ids.step())) indexed.push_back(ids.text(0));
  auto add = TRY(Statement::prepare(database, "INSERT INTO run (id, over) VALUES (?, 0)"));
  auto gone = TRY(Statement::prepare(database, "DELETE FROM run WHERE id = ?"));
  auto untag = TRY(Statement::prepare(database, "DELETE FROM tag WHERE run = ?"));
  const auto each = [](Statement& statement, const std::vector<std::string>& of) -> Result<void> {
    for (const std::string& id : of) {
      statement.reset();
      statement.bind(1, id);
      TRY(statement.step());
    }
    return {};
  };
  std::vector<std::string> difference;
  std::set_difference(there.begin(), there.end(), indexed.begin(), indexed.end(), std::back_inserter(difference));
  TRY(each(add, difference));
  difference.clear();
  std::set_difference(indexed.begin(), indexed.end(), there.begin(), there.end(), std::back_inserter(difference));
  TRY(each(gone, difference));
  TRY(each(untag, difference));
  TRY(execute(database, "DELETE FROM seen"));
  auto keep = TRY(Statement::prepare(database, "INSERT INTO seen VALUES (?)"));
  keep.bind(1, look);
  TRY(keep.step());
  return {};
}

Result<void> RunIndex::refresh(const Path& runs, const Read& read) {
  sqlite3* const database = database_.get();
  TRY(execute(database, "BEGIN IMMEDIATE"));
  const auto refreshed = [&]() -> Result<void> {
    TRY(match_folder(runs));
    std::vector<std::string> open;
    auto ids = TRY(Statement::prepare(database, "SELECT id FROM run WHERE over = 0 ORDER BY id"));
    while (TRY(ids.step())) open.push_back(ids.text(0));
    for (const std::string& id : open) {
      if (const auto facts = read(TRY(RunId::parse(id)))) TRY(note(*facts));
    }
    return {};
  }();
  const auto ended = execute(database, refreshed.ok() ? "COMMIT" : "ROLLBACK");
  return refreshed.ok() ? ended : refreshed;
}

Result<RunsFound> RunIndex::find(const RunQuery& query) const {
  sqlite3* const database = database_.get();
  const Conditions conditions = conditions_of(query);
  const auto bound = [&](const std::string& sql) -> Result<Statement> {
    auto statement = TRY(Statement::prepare(database, sql.c_str()));
    int at = 1;
    for (const std::string& value : conditions.values) statement.bind(at++, value);
    return statement;
  };
  // A run that has not begun has no name yet.
  const std::string where = conditions.sql + (conditions.sql.empty() ? " WHERE " : " AND ") + "name IS NOT NULL";
  RunsFound found;
  auto count = TRY(bound("SELECT count(*) FROM run" + where));
  TRY(count.step());
  const auto all = static_cast<std::size_t>(count.integer(0));
  auto known = TRY(Statement::prepare(database, "SELECT count(*) FROM run"));
  TRY(known.step());
  found.known = static_cast<std::size_t>(known.integer(0));
  auto rows = TRY(bound(std::string("SELECT ") + kFacts + " FROM run" + where + " ORDER BY " + column_of(query.key) +
                        " DESC, id DESC" + (query.limit == 0 ? "" : " LIMIT " + std::to_string(query.limit))));
  auto tags = TRY(Statement::prepare(database, "SELECT name, value FROM tag WHERE run = ?"));
  while (TRY(rows.step())) {
    RunFacts facts = facts_of(rows);
    tags.reset();
    tags.bind(1, facts.id);
    while (TRY(tags.step())) facts.tags[tags.text(0)] = tags.text(1);
    found.runs.push_back(std::move(facts));
  }
  if (!query.reverse) std::reverse(found.runs.begin(), found.runs.end());
  found.left_out = all - found.runs.size();
  return found;
}

Result<std::vector<RunFacts>> RunIndex::defined(const std::string& definition) const {
  // The condition again, word for word, so that its index is used.
  auto rows = TRY(Statement::prepare(
      database_.get(), (std::string("SELECT ") + kFacts +
                        " FROM run WHERE definition = ? AND definition <> '' ORDER BY started DESC, id DESC")
                           .c_str()));
  rows.bind(1, definition);
  std::vector<RunFacts> runs;
  while (TRY(rows.step())) runs.push_back(facts_of(rows));
  return runs;
}

Result<std::vector<RunId>> RunIndex::named(const std::string& wanted) const {
  // Ids have no characters that GLOB gives a meaning; what somebody typed may.
  const bool part = wanted.size() >= 4 && wanted.find_first_not_of("0123456789abcdef-") == std::string::npos;
  auto rows = TRY(Statement::prepare(database_.get(),
                                     part ? "SELECT id FROM run WHERE name = ?1 OR id GLOB ?2 OR id GLOB ?3 ORDER BY id"
                                          : "SELECT id FROM run WHERE name = ?1 ORDER BY id"));
  rows.bind(1, wanted);
  if (part) {
    rows.bind(2, wanted + "*");
    rows.bind(3, "*" + wanted);
  }
  std::vector<RunId> runs;
  while (TRY(rows.step())) runs.push_back(TRY(RunId::parse(rows.text(0))));
  return runs;
}

Result<std::vector<std::string>> RunIndex::names() const {
  auto rows = TRY(Statement::prepare(database_.get(), "SELECT DISTINCT name FROM run WHERE name IS NOT NULL"));
  std::vector<std::string> names;
  while (TRY(rows.step())) names.push_back(rows.text(0));
  return names;
}

}  // namespace trainyard
