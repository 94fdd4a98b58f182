// SPDX-License-Identifier: Apache-2.0
// What the index of uses tells.
#include <sqlite3.h>

#include <algorithm>
#include <unordered_map>

#include "storage/runs/sqlite_statement.hpp"
#include "storage/uses/digest_bytes.hpp"
#include "storage/uses/entry_segments.hpp"
#include "storage/uses/use_index.hpp"
#include "storage/values/names.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

namespace {

constexpr const char* kRecord = "SELECT r.kind, r.title, r.run, r.package, r.version, r.parent, r.at, r.settled";

UseRecord record_from(const Statement& row) {
  return {static_cast<UseRecord::Kind>(row.integer(0)),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          Instant{row.integer(6)},
          row.integer(7) != 0,
          {}};
}

// The text of a path whose directory stands apart.
class PathTexts {
 public:
  static Result<PathTexts> of(sqlite3* database) {
    return PathTexts(TRY(Statement::prepare(database, "SELECT path FROM directory WHERE id = ?")));
  }

  Result<std::string> text(std::int64_t directory, std::string_view name) {
    find_.reset();
    find_.bind(1, directory);
    if (!TRY(find_.step())) return fail(Errc::corrupt, "it lacks a directory");
    std::string path(find_.bytes(0));
    if (!path.empty()) path += '/';
    path += name;
    const auto parsed = RelPath::parse(path);
    if (!parsed.ok()) return fail(Errc::corrupt, parsed.error().message);
    return parsed->text();
  }

 private:
  explicit PathTexts(Statement find) : find_(std::move(find)) {}

  Statement find_;
};

// All 64 digits, those that are missing being `fill`.
Result<Digest> filled(std::string_view hex, char fill) {
  std::string digits(hex);
  digits.resize(2 * Digest::kBytes, fill);
  return Digest::parse(digits);
}

}  // namespace

Result<std::vector<UseIndex::Found>> UseIndex::find(std::span<const Asked> asked, std::size_t most_paths,
                                                    const std::function<void(std::size_t)>& progress) const {
  auto lookup = TRY(EntryLookup::prepare(database_.get()));
  auto texts = TRY(PathTexts::of(database_.get()));
  struct FirstPlace {
    std::int64_t directory;
    std::string name;
  };
  struct InTree {
    Found found;
    std::vector<FirstPlace> first;
    const Asked* last = nullptr;
  };
  std::unordered_map<std::int64_t, InTree> trees;
  std::size_t done = 0;
  for (const Asked& file : asked) {
    TRY(lookup.find(file.digest, [&](std::int64_t tree, std::int64_t directory, std::string_view name) {
      InTree& in = trees[tree];
      if (in.last != &file) in.found.files += file.files;
      in.last = &file;
      ++in.found.places;
      if (in.first.size() < most_paths) in.first.push_back({directory, std::string(name)});
    }));
    progress(++done);
  }
  std::vector<Found> all;
  for (auto& [number, in] : trees) {
    in.found.tree = number;
    for (const FirstPlace& place : in.first) in.found.paths.push_back(TRY(texts.text(place.directory, place.name)));
    std::sort(in.found.paths.begin(), in.found.paths.end());
    all.push_back(std::move(in.found));
  }
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) { return a.tree < b.tree; });
  return all;
}

Result<std::vector<Digest>> UseIndex::beginning_with(std::string_view hex) const {
  return digests_between(database_.get(), TRY(filled(hex, '0')), TRY(filled(hex, 'f')), 2);
}

Result<std::vector<UseIndex::Holder>> UseIndex::holders(std::span<const Found> found) const {
  const std::string sql =
      std::string(kRecord) +
      ", h.part, t.digest FROM held h JOIN record r ON r.id = h.record JOIN tree t ON t.id = h.tree "
      "WHERE h.tree = ?";
  auto rows = TRY(Statement::prepare(database_.get(), sql.c_str()));
  std::vector<Holder> holders;
  for (std::size_t i = 0; i < found.size(); ++i) {
    rows.reset();
    rows.bind(1, found[i].tree);
    while (TRY(rows.step())) {
      const Digest tree = TRY(digest_from_bytes(rows.bytes(9)));
      holders.push_back({i, static_cast<UsePart>(rows.integer(8)), record_from(rows), tree});
    }
  }
  return holders;
}

Result<std::optional<std::int64_t>> UseIndex::number_of(const Digest& tree) const {
  auto row = TRY(Statement::prepare(database_.get(), "SELECT id FROM tree WHERE digest = ?"));
  row.bind_bytes(1, bytes_of(tree));
  if (!TRY(row.step())) return std::optional<std::int64_t>();
  return std::optional(row.integer(0));
}

// Runs tell of versions that were taken away since.
Result<std::vector<UseIndex::Descendant>> UseIndex::descendants(const std::string& package,
                                                                const std::string& version) const {
  auto rows = TRY(Statement::prepare(database_.get(), R"(
    WITH RECURSIVE made(version, parent) AS (
      SELECT version, parent FROM record WHERE folded = ?1 AND parent = ?2 AND version <> ''
      UNION
      SELECT r.version, r.parent FROM record r JOIN made ON r.folded = ?1 AND r.parent = made.version AND r.version <> '')
    SELECT version, parent FROM made)"));
  rows.bind(1, folded_case(package));
  rows.bind(2, version);
  std::vector<Descendant> all;
  while (TRY(rows.step())) all.push_back({rows.text(0), rows.text(1)});
  return all;
}

Result<std::optional<UseRecord>> UseIndex::version(const std::string& package, const std::string& version) const {
  auto row = TRY(Statement::prepare(
      database_.get(),
      (std::string(kRecord) + " FROM record r WHERE r.folded = ? AND r.version = ? AND r.version <> '' AND r.kind = " +
       std::to_string(static_cast<int>(UseRecord::Kind::version)))
          .c_str()));
  row.bind(1, folded_case(package));
  row.bind(2, version);
  if (!TRY(row.step())) return std::optional<UseRecord>();
  return std::optional(record_from(row));
}

}  // namespace trainyard
