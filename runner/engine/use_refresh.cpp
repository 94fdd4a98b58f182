// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/use_refresh.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "runner/engine/run_roots.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/files/folder_look.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

namespace {

using Name = UseIndex::Name;

constexpr const char* kPackages = "packages";
constexpr const char* kSnapshots = "snapshots";
constexpr const char* kDatasets = "datasets";
constexpr const char* kRuns = "runs";
constexpr std::string_view kSuffix = ".json";

bool is_below(const std::string& folder, const char* above) { return folder.starts_with(std::string(above) + "/"); }

UseRecord record_of(const VersionRecord& version) {
  const VersionDraft& content = version.content;
  return {UseRecord::Kind::version,
          content.name.text() + "@" + version.version.text(),
          content.run ? content.run->text() : "",
          content.name.text(),
          version.version.text(),
          content.parent ? content.parent->text() : "",
          content.created_at,
          true,
          {{UsePart::package, content.tree.digest}}};
}

UseRecord record_of(const Snapshot& snapshot) {
  return {UseRecord::Kind::snapshot, snapshot.id(), snapshot.run ? snapshot.run->text() : "",   "", "", "",
          snapshot.created_at,       true,          {{UsePart::snapshot, snapshot.tree.digest}}};
}

UseRecord record_of(const DatasetVersion& dataset) {
  return {UseRecord::Kind::dataset,
          dataset.text(),
          "",
          "",
          "",
          "",
          dataset.created_at,
          true,
          {{UsePart::dataset, dataset.tree.digest}}};
}

std::optional<UsePart> part_of(const std::string& part, RunType type) {
  if (part == "data") return type == RunType::evaluation ? UsePart::evaluation_data : UsePart::training_data;
  if (part == "evaluation data") return UsePart::evaluation_data;
  if (part == "artifacts") return UsePart::artifacts;
  return std::nullopt;  // a package of a run is that of a version, or of none yet
}

UseRecord record_of(const StoredRun& run) {
  UseRecord record{UseRecord::Kind::run,
                   run.plan.name.text(),
                   run.plan.run.text(),
                   run.plan.parent.content.name.text(),
                   "",
                   run.plan.parent.version.text(),
                   run.plan.created_at,
                   false,
                   {}};
  if (!run.journal.empty()) {
    const auto* const published = std::get_if<state::Published>(&run.journal.back().state);
    if (published != nullptr) record.version = published->version.text();
  }
  for (const StoreRoot& root : roots_of(run, RunLife::over)) {
    if (const auto part = part_of(root.part, run.plan.request.type)) record.held.push_back({*part, root.tree});
  }
  return record;
}

// None when it is gone, or not there yet.
Result<std::optional<UseRecord>> read_run(const Path& path) {
  const RunFolder folder(path);
  // Looked at first: what is written until then is read.
  const bool over = is_there(folder.results());
  const auto run = TRY(read_stored_run(folder, RunLife::active));
  if (!run) return std::optional<UseRecord>();
  UseRecord record = record_of(*run);
  record.settled = over;
  return std::optional(std::move(record));
}

Result<std::optional<UseRecord>> read_record(const Path& root, const Name& name) {
  const Path path = root / name.folder / name.name;
  if (name.folder == kRuns) return read_run(path);
  const auto text = read_file(path, limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return std::optional<UseRecord>();
  if (!text.ok()) return text.error();
  if (is_below(name.folder, kPackages)) return std::optional(record_of(TRY(VersionRecord::parse(*text))));
  const Json json = TRY(parse_json(*text, "the record"));
  if (is_below(name.folder, kDatasets)) return std::optional(record_of(TRY(dataset_version_from(json))));
  return std::optional(record_of(TRY(snapshot_from(json))));
}

class Refresh {
 public:
  Refresh(UseIndex& index, const Store& store, const UseRefreshWords& words)
      : index_(index), store_(store), words_(words) {}

  Result<void> records() {
    for (const auto& [folder, look] : TRY(index_.places())) looks_.emplace(folder, look);
    for (const Name& name : TRY(index_.unsettled())) TRY(read(name));
    for (const char* const above : {kPackages, kDatasets}) TRY(folders_in(above));
    for (const char* const folder : {kSnapshots, kRuns}) TRY(records_in(folder));
    return index_.forget_trees();
  }

  Result<void> trees() {
    const std::uint64_t wanted = TRY(index_.wanted_trees());
    if (wanted == 0) return {};
    std::uint64_t number = 0;
    return index_.add_trees([&](const Digest& digest) -> std::optional<Tree> {
      words_.doing("indexing files: tree " + std::to_string(++number) + " of " + std::to_string(wanted));
      auto tree = load_tree(digest, store_.objects());
      if (tree.ok()) return std::move(*tree);
      words_.trouble("the files of a tree are not among the answers: " + tree.error().message);
      return std::nullopt;
    });
  }

 private:
  // The look of a folder, and whether it has to be read again.
  struct Look {
    std::string look;
    bool changed = true;
  };
  Result<Look> look_at(const std::string& folder) const {
    std::string look = TRY(folder_look(store_.root() / folder));
    const auto known = looks_.find(folder);
    const bool same = known != looks_.end() && !look.empty() && known->second == look;
    return Look{std::move(look), !same};
  }

  Result<void> folders_in(const std::string& above) {
    const Look look = TRY(look_at(above));
    std::vector<std::string> known;
    for (const auto& [folder, unused] : looks_) {
      if (is_below(folder, above.c_str())) known.push_back(folder);
    }
    std::vector<std::string> there = known;
    if (look.changed) {
      there.clear();
      for (const std::string& name : TRY(list_folder(store_.root() / above))) {
        if (is_folder(store_.root() / above / name)) there.push_back(above + "/" + name);
      }
      std::vector<std::string> gone;
      std::set_difference(known.begin(), known.end(), there.begin(), there.end(), std::back_inserter(gone));
      for (const std::string& folder : gone) TRY(index_.forget_place(folder));
      TRY(index_.note_place({above, look.look}));
    }
    for (const std::string& folder : there) TRY(records_in(folder));
    return {};
  }

  Result<void> records_in(const std::string& folder) {
    const auto look = look_at(folder);
    if (!look.ok() && look.error().code == Errc::not_found) return {};
    if (!look.ok()) return look.error();
    if (!look->changed) return {};
    std::vector<std::string> there;
    for (const std::string& name : TRY(list_folder(store_.root() / folder))) {
      if (folder == kRuns ? RunId::parse(name).ok() : name.ends_with(kSuffix)) there.push_back(name);
    }
    const std::vector<std::string> known = TRY(index_.names(folder));
    std::vector<std::string> difference;
    std::set_difference(known.begin(), known.end(), there.begin(), there.end(), std::back_inserter(difference));
    for (const std::string& name : difference) TRY(index_.forget({folder, name}));
    difference.clear();
    std::set_difference(there.begin(), there.end(), known.begin(), known.end(), std::back_inserter(difference));
    for (const std::string& name : difference) TRY(read({folder, name}));
    return index_.note_place({folder, look->look});
  }

  Result<void> read(const Name& name) {
    words_.doing("indexing records: " + std::to_string(++read_));
    const auto record = read_record(store_.root(), name);
    if (!record.ok()) {
      words_.trouble("a record is not among the answers: '" + (store_.root() / name.folder / name.name).string() +
                     "' cannot be read: " + record.error().message);
    }
    return index_.note(name, record.ok() ? *record : std::nullopt);
  }

  UseIndex& index_;
  const Store& store_;
  const UseRefreshWords& words_;
  std::map<std::string, std::string> looks_;  // by folder, as they were
  std::uint64_t read_ = 0;
};

}  // namespace

Result<bool> uses_are_current(const UseIndex& index, const Store& store) {
  const auto places = TRY(index.places());
  if (places.empty() || TRY(index.wanted_trees()) != 0 || !TRY(index.unsettled()).empty()) return false;
  return std::all_of(places.begin(), places.end(), [&](const UseIndex::Place& place) {
    const auto look = folder_look(store.root() / place.folder);
    return look.ok() && !look->empty() && *look == place.look;
  });
}

Result<void> refresh_uses(UseIndex& index, const Store& store, const UseRefreshWords& words) {
  Refresh refresh(index, store, words);
  TRY(index.as_one([&] { return refresh.records(); }));
  return refresh.trees();
}

}  // namespace trainyard
