// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/store_roots.hpp"

#include <algorithm>

#include "runner/engine/run_roots.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/packages/decisions.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

namespace {

// Beside the decisions of stores that had no journal yet.
constexpr std::string_view kOldLock = "decisions.lock";
constexpr std::string_view kKindNames[] = {"version", "snapshot", "dataset", "run"};

Error unknown(const Path& path, const std::string& place) {
  return fail(Errc::corrupt, "'" + path.string() + "' is nothing that Trainyard keeps among its " + place +
                                 "; move it out of the store");
}

// The records of one kind, each <name of the file>.json.
class RecordReader {
 public:
  explicit RecordReader(StoreRoots& found) : found_(found) {}

  void versions(const Path& packages) {
    for_each(packages, "packages", [&](const Path& folder, const std::string& package) {
      for_each(folder, "packages", [&](const Path& path, const std::string& file) {
        if (file == kDecisionsFile || file == kOldLock || file.ends_with(kRemovedSuffix)) return;
        if (file.ends_with(kAttestationsSuffix)) return;
        if (!file.ends_with(kSuffix)) return add_unknown(path, "packages");
        const auto record = read(path, VersionRecord::parse);
        if (!record) return;
        const std::string owner = record->content.name.text() + "@" + record->version.text();
        const bool in_place =
            record->content.name.folded() == package && record->version.text() + std::string(kSuffix) == file;
        add(path, in_place, {StoreRoot::Kind::version, owner, "", record->content.tree.digest});
      });
    });
  }

  void snapshots(const Path& folder) {
    for_each(folder, "snapshots", [&](const Path& path, const std::string& file) {
      if (!file.ends_with(kSuffix)) return add_unknown(path, "snapshots");
      const auto record = read(path, [](std::string_view text) -> Result<Snapshot> {
        return snapshot_from(TRY(parse_json(text, "the snapshot record")));
      });
      if (!record) return;
      add(path, record->id() + std::string(kSuffix) == file,
          {StoreRoot::Kind::snapshot, record->id(), "", record->tree.digest});
    });
  }

  void datasets(const Path& datasets) {
    for_each(datasets, "datasets", [&](const Path& folder, const std::string& dataset) {
      for_each(folder, "datasets", [&](const Path& path, const std::string& file) {
        if (!file.ends_with(kSuffix)) return add_unknown(path, "datasets");
        const auto record = read(path, [](std::string_view text) -> Result<DatasetVersion> {
          return dataset_version_from(TRY(parse_json(text, "the dataset record")));
        });
        if (!record) return;
        const bool in_place =
            record->name.folded() == dataset && std::to_string(record->number) + std::string(kSuffix) == file;
        add(path, in_place, {StoreRoot::Kind::dataset, record->text(), "", record->tree.digest});
      });
    });
  }

  void runs(const Store& store) {
    // In this order: a run that begins or ends meanwhile is taken for an active one, or not seen at all.
    const std::set<std::string> all = names_of_runs(store.runs());
    const std::set<std::string> active = names_of_runs(store.active());
    for (const std::string& name : all) {
      const RunLife life = active.count(name) != 0 ? RunLife::active : RunLife::over;
      const auto run = read_stored_run(RunFolder(store.runs() / name), life);
      if (!run.ok()) {
        found_.unreadable.push_back(run.error());
      } else if (*run) {
        for (StoreRoot& root : roots_of(**run, life)) found_.roots.push_back(std::move(root));
      }
    }
  }

 private:
  static constexpr std::string_view kSuffix = ".json";
  static constexpr std::string_view kRemovedSuffix = ".removed";

  template <class See>
  void for_each(const Path& folder, const char* place, See see) {
    const auto names = list_folder(folder);
    if (!names.ok()) {
      found_.unreadable.push_back(is_there(folder) && !is_folder(folder) ? unknown(folder, place) : names.error());
      return;
    }
    for (const std::string& name : *names) see(folder / name, name);
  }

  std::set<std::string> names_of_runs(const Path& folder) {
    std::set<std::string> runs;
    for_each(folder, "runs", [&](const Path& path, const std::string& name) {
      if (RunId::parse(name).ok()) {
        runs.insert(name);
      } else {
        add_unknown(path, "runs");
      }
    });
    return runs;
  }

  // None when it cannot be read, which has been noted then, or is gone.
  template <class Parse>
  auto read(const Path& path, Parse parse) -> std::optional<typename decltype(parse(std::string_view()))::Value> {
    const auto text = read_file(path, limits::kRecordBytes);
    if (!text.ok() && text.error().code == Errc::not_found) return std::nullopt;
    auto record = text.ok() ? parse(std::string_view(*text)) : decltype(parse(std::string_view()))(text.error());
    if (record.ok()) return std::move(*record);
    const Errc code = record.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
    found_.unreadable.push_back(
        fail(code, "the record '" + path.string() + "' cannot be read: " + record.error().message));
    return std::nullopt;
  }

  void add(const Path& path, bool in_place, StoreRoot root) {
    if (in_place) {
      found_.roots.push_back(std::move(root));
    } else {
      found_.unreadable.push_back(
          fail(Errc::corrupt, "the record '" + path.string() + "' says that it is " + text_of(root)));
    }
  }

  void add_unknown(const Path& path, const char* place) { found_.unreadable.push_back(unknown(path, place)); }

  StoreRoots& found_;
};

}  // namespace

std::string_view name_of(StoreRoot::Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::string text_of(const StoreRoot& root) {
  const std::string owner = std::string(name_of(root.kind)) + " " + root.owner;
  return root.part.empty() ? owner : "the " + root.part + " of " + owner;
}

Result<std::vector<StoreRoot>> StoreRoots::complete() const {
  if (unreadable.empty()) return roots;
  const std::size_t others = unreadable.size() - 1;
  return fail(unreadable.front().code, "it cannot be told what the store has to keep: " + unreadable.front().message +
                                           (others == 0 ? "" : " (and " + std::to_string(others) + " more)"));
}

StoreRoots read_store_roots(const Store& store) {
  StoreRoots found;
  RecordReader reader(found);
  reader.versions(store.packages());
  reader.snapshots(store.snapshots());
  reader.datasets(store.datasets());
  reader.runs(store);
  return found;
}

}  // namespace trainyard
