// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/pulled_records.hpp"

#include "runner/engine/run_roots.hpp"
#include "runner/engine/version_share.hpp"
#include "storage/archives/archive_reader.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

Error contradiction(const PublishedVersion& publication, const PackageVersion& version, const std::string& why) {
  return fail(Errc::corrupt, "what was published as " + publication.package.text() + "@" + publication.version.text() +
                                 " is not right: the records of version " + version.text() + " " + why);
}

Result<Tree> below(const Tree& tree, std::string_view folder) {
  const RelPath root = TRY(RelPath::parse(folder));
  std::vector<TreeEntry> entries;
  for (TreeEntry entry : tree.entries()) {
    if (entry.path == root || !entry.path.is_within(root)) continue;
    entry.path = TRY(RelPath::parse(std::string_view(entry.path.bytes()).substr(folder.size() + 1)));
    entries.push_back(std::move(entry));
  }
  return Tree::of(std::move(entries));
}

Result<std::string> read_in(const Tree& tree, std::string_view path, ObjectStore& objects) {
  const auto entry = tree.find(TRY(RelPath::parse(path)));
  if (!entry || !entry->digest) return fail(Errc::not_found, "have no '" + std::string(path) + "'");
  return objects.read(*entry->digest, limits::kRecordBytes);
}

Result<PulledRecords> records_in(const Path& tar, PackObjects& objects) {
  const Tree tree = TRY(read_archive(tar, objects));
  TRY(objects.sync());
  std::string text = TRY(read_in(tree, kSharedRecord, objects));
  auto version = TRY(VersionRecord::parse(text));
  PulledRecords records{std::move(version), std::move(text), {}, {}, {}};
  Tree run = TRY(below(tree, kSharedRun));
  if (run.size() == 0) return records;
  records.results = TRY(read_in(run, "_results.json", objects));
  records.run = TRY(run_record_from(TRY(parse_json(*records.results, "the results"))));
  records.run_files = std::move(run);
  return records;
}

// Nothing but what the publisher's store writes, and in agreement with what is above and before it.
Result<void> check(const PulledRecords& records, const PublishedVersion& publication, const PackageVersion& version,
                   const std::optional<PackageVersion>& before) {
  const VersionDraft& content = records.version.content;
  if (canonical(to_json(records.version)) + "\n" != records.text)
    return contradiction(publication, version, "are not written as records are");
  if (content.name != publication.package || records.version.version != version)
    return contradiction(publication, version,
                         "are those of " + content.name.text() + "@" + records.version.version.text());
  if (before && content.parent != before)
    return contradiction(publication, version, "do not name version " + before->text() + " as its parent");
  if (!records.run) return {};
  const RunRecord& run = *records.run;
  const bool made_it = content.run == run.run && run.version && run.version->package == content.name &&
                       run.version->version == version && run.version->tree == content.tree;
  if (!made_it) return contradiction(publication, version, "have a run that did not make it");
  return {};
}

}  // namespace

Result<std::vector<PulledRecords>> read_pulled_records(const PublishedVersion& publication, const PullFolder& folder,
                                                       PackObjects& objects) {
  std::vector<PulledRecords> all;
  for (const PublishedStep& step : publication.steps) {
    auto records = records_in(folder.file_of(step.layers.front()), objects);
    if (!records.ok()) {
      if (records.error().code == Errc::io || records.error().code == Errc::incompatible) return records.error();
      return contradiction(publication, step.version, "cannot be read: " + records.error().message);
    }
    const auto before = all.empty() ? std::nullopt : std::optional(all.back().version.version);
    TRY(check(*records, publication, step.version, before));
    all.push_back(std::move(*records));
  }
  if (sha256(all.back().text) != publication.record.digest)
    return contradiction(publication, publication.version, "are not those that the manifest names");
  return all;
}

Result<void> keep_pulled_run(const PulledRecords& records, PackObjects& objects, const Store& store, Instant now) {
  if (!records.run) return {};
  const RunId& id = records.run->run;
  const RunFolder folder = RunFolders(store.runs(), store.active()).folder(id);
  if (is_there(folder.path())) return {};
  const Path scratch = scratch_name(store.scratch(), "pulled-run");
  const auto make = [&]() -> Result<void> {
    TRY(make_folder(scratch));
    TRY(materialise(*records.run_files, objects, scratch));
    if (!TRY(read_stored_run(RunFolder(scratch), RunLife::over)))
      return fail(Errc::corrupt, "the run " + id.text() + " was published without its plan");
    if (records.run->artifacts) {
      const Tree artifacts = TRY(load_tree(records.run->artifacts->digest, store.objects()));
      TRY(make_folder(scratch / "artifacts"));
      TRY(materialise(artifacts, store.objects(), scratch / "artifacts"));
    }
    const RelPath path = TRY(results_path(id));
    TRY(store.journal().tell({StoreEvent::Action::run_ended, now, id.text(), path, sha256(*records.results)}));
    TRY(rename_path(scratch, folder.path()));
    return sync_folder(store.runs());
  };
  const auto made = make();
  TRY(remove_tree(scratch));
  return made;
}

}  // namespace trainyard
