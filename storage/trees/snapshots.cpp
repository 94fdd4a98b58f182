// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/snapshots.hpp"

#include <algorithm>

#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSnapshotSchema = "trainyard.snapshot/1";
constexpr std::string_view kSuffix = ".json";
constexpr std::size_t kShortestPrefix = 4;

Result<Snapshot> read_snapshot(const Path& path) {
  const auto json = parse_json(TRY(read_file(path, limits::kRecordBytes)), "the snapshot record");
  auto snapshot = json.ok() ? snapshot_from(*json) : Result<Snapshot>(json.error());
  if (!snapshot.ok())
    return fail(Errc::corrupt, "the record '" + path.string() + "' cannot be read: " + snapshot.error().message);
  return snapshot;
}

}  // namespace

Json to_json(const Snapshot& snapshot) {
  return {{"schema", kSnapshotSchema},
          {"tree", to_json(snapshot.tree)},
          {"created_at", snapshot.created_at.text()},
          {"source", snapshot.source},
          {"run", snapshot.run ? Json(snapshot.run->text()) : Json(nullptr)}};
}

Result<Snapshot> snapshot_from(const Json& json) {
  Fields fields(json, "the snapshot record");
  fields.schema(kSnapshotSchema);
  const auto tree = fields.nested("tree", tree_summary_from);
  const auto created_at = fields.parsed("created_at", Instant::parse);
  std::string source = fields.text("source");
  const auto run = fields.parsed_or_null("run", RunId::parse);
  TRY(fields.finish());
  return Snapshot{*tree, *created_at, std::move(source), run};
}

Result<void> Snapshots::add(const Snapshot& snapshot) const {
  if (is_there(path_of(snapshot))) return sync_folder(folder_);
  const std::string text = canonical(to_json(snapshot)) + "\n";
  const RelPath path = TRY(record_path(snapshot.id()));
  StoreJournal::Session session = TRY(journal_.begin());
  auto published = journal_.publish(
      session, {StoreEvent::Action::snapshot_added, snapshot.created_at, snapshot.id(), path, sha256(text), text});
  if (!published.ok() && published.error().code == Errc::exists) return {};
  return published;
}

Result<void> Snapshots::remove(const Snapshot& snapshot, Instant now) const {
  StoreJournal::Session session = TRY(journal_.begin());
  if (!is_there(path_of(snapshot))) return sync_folder(folder_);
  const RelPath path = TRY(record_path(snapshot.id()));
  return journal_.remove(session, {StoreEvent::Action::snapshot_removed, now, snapshot.id(), path});
}

Path Snapshots::path_of(const Snapshot& snapshot) const { return folder_ / (snapshot.id() + std::string(kSuffix)); }

Result<RelPath> Snapshots::record_path(const std::string& id) const {
  return RelPath::parse(folder_.filename().string() + "/" + id + std::string(kSuffix));
}

Result<std::vector<Snapshot>> Snapshots::list() const {
  std::vector<Snapshot> snapshots;
  for (const std::string& file : TRY(list_folder(folder_))) {
    if (file.ends_with(kSuffix)) snapshots.push_back(TRY(read_snapshot(folder_ / file)));
  }
  std::stable_sort(snapshots.begin(), snapshots.end(),
                   [](const Snapshot& a, const Snapshot& b) { return a.created_at < b.created_at; });
  return snapshots;
}

Result<Snapshot> Snapshots::find(const std::string& id) const {
  std::vector<std::string> matches;
  for (const std::string& file : TRY(list_folder(folder_))) {
    if (file.ends_with(kSuffix) && id.size() >= kShortestPrefix && file.starts_with(id)) matches.push_back(file);
  }
  if (matches.size() > 1)
    return fail(Errc::invalid,
                "'" + id + "' is the beginning of " + std::to_string(matches.size()) + " snapshots; give more digits");
  if (matches.empty())
    return fail(Errc::not_found, "there is no snapshot '" + id + "'; 'trainyard snapshot list' shows those there are");
  return read_snapshot(folder_ / matches.front());
}

}  // namespace trainyard
