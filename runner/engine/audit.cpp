// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/audit.hpp"

#include <algorithm>

#include "runner/core/slsa_provenance.hpp"
#include "runner/engine/auditor.hpp"
#include "runner/engine/store_check.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kVerdicts[] = {"verified", "unverifiable", "BROKEN"};
constexpr std::string_view kAuditSchema = "trainyard.audit/1";

void add(Audit& audit, std::string link, AuditVerdict verdict, std::string why) {
  audit.links.push_back({std::move(link), verdict, std::move(why)});
}

// What a run used and made: its new version with all that it comes from, or that of the version that it ran.
Result<void> follow(Auditor& auditor, const RunRecord& record) {
  const RecordedVersion& newest = record.version ? *record.version : record.parent;
  auto version = TRY(auditor.same_version((record.version ? "the version that run " : "the version for run ") +
                                              record.name.text() + (record.version ? " made" : ""),
                                          newest));
  return version ? auditor.lineage(std::move(*version)) : Result<void>();
}

// The files that have to be in the journal, by the places where Trainyard keeps them.
Result<std::vector<std::pair<RelPath, std::string>>> records_of(const Store& store) {
  std::vector<std::pair<RelPath, std::string>> records;
  const auto add_all = [&](const std::string& folder) -> Result<void> {
    for (const std::string& file : TRY(list_folder(store.root() / folder))) {
      if (!file.ends_with(".json") && !file.ends_with(kAttestationsSuffix)) continue;
      RelPath path = TRY(RelPath::parse(folder + "/" + file));
      records.emplace_back(std::move(path), folder + "/" + file);
    }
    return {};
  };
  for (const std::string& place : {std::string("packages"), std::string("datasets")}) {
    for (const std::string& name : TRY(list_folder(store.root() / place))) {
      if (is_folder(store.root() / place / name)) TRY(add_all(place + "/" + name));
    }
  }
  TRY(add_all("snapshots"));
  return records;
}

// When a record says that it was made; none when it says nothing.
std::optional<Instant> made_at(const Store& store, const RelPath& path) {
  const auto text = read_file(store.root() / path.bytes(), limits::kRecordBytes);
  if (!text.ok()) return std::nullopt;
  const auto json = parse_json(*text, "the record");
  if (!json.ok() || !json->is_object() || !json->contains("created_at") || !json->at("created_at").is_string())
    return std::nullopt;
  const auto time = Instant::parse(json->at("created_at").get<std::string>());
  return time.ok() ? std::optional(*time) : std::nullopt;
}

Result<void> audit_records(Auditor& auditor, const Store& store) {
  std::set<std::string> there;
  for (const auto& [path, shown] : TRY(records_of(store))) {
    auditor.file("the record " + shown, path, made_at(store, path));
    there.insert(path.bytes());
  }
  const RunFolders folders(store.runs(), store.active());
  const std::vector<RunId> active = TRY(folders.active());
  for (const RunId& run : TRY(folders.list())) {
    const RelPath path = TRY(results_path(run));
    if (std::find(active.begin(), active.end(), run) != active.end()) continue;
    auditor.file("the results of run " + run.text(), path, run.began());
    there.insert(path.bytes());
  }
  for (const auto& [path, told] : auditor.journal().files) {
    if (!told.digest || there.contains(path)) continue;
    const RelPath place = TRY(RelPath::parse(path));
    // Those of runs that go on are told of before they are there.
    const bool ends =
        told.action == StoreEvent::Action::run_ended &&
        std::any_of(active.begin(), active.end(), [&](const RunId& run) { return run.text() == told.subject; });
    if (!ends) auditor.file("the record " + place.text(), place, std::nullopt);
  }
  const PackageRegistry registry(store.packages(), store.journal());
  const auto names = registry.names();
  if (!names.ok()) {
    add(auditor.audit(), "the packages", AuditVerdict::broken, names.error().message);
    return {};
  }
  for (const PackageName& name : *names) TRY(auditor.decisions(name));
  return {};
}

Result<void> audit_packs(Auditor& auditor, const Store& store) {
  const std::string link = "the packs and their index";
  const StoreDamage damage = TRY(check_store(store, Depth::structure, {}));
  for (const std::string& problem : damage.objects.problems) add(auditor.audit(), link, AuditVerdict::broken, problem);
  for (const Digest& digest : damage.objects.corrupt)
    add(auditor.audit(), link, AuditVerdict::broken, "the object " + digest.hex() + " is corrupt");
  if (damage.objects.sound()) {
    add(auditor.audit(), link, AuditVerdict::verified, std::to_string(damage.objects.objects) + " objects");
  }
  return {};
}

Result<void> audit_objects(Auditor& auditor, const Store& store, const AuditOptions& options) {
  const std::string link = "what the records name";
  auto verdict = verify_store(store, options.progress, {});
  if (!verdict.ok()) {
    if (verdict.error().code != Errc::corrupt && verdict.error().code != Errc::incompatible) return verdict.error();
    add(auditor.audit(), link, AuditVerdict::broken, verdict.error().message);
    return {};
  }
  for (const std::string& problem : verdict->problems) add(auditor.audit(), link, AuditVerdict::broken, problem);
  for (const std::string& purged : verdict->purged) add(auditor.audit(), link, AuditVerdict::unverifiable, purged);
  if (verdict->problems.empty()) {
    add(auditor.audit(), link, AuditVerdict::verified, std::to_string(verdict->objects) + " objects, every byte read");
  }
  return {};
}

}  // namespace

std::string_view name_of(AuditVerdict verdict) { return kVerdicts[static_cast<std::size_t>(verdict)]; }

std::size_t Audit::count(AuditVerdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(links.begin(), links.end(), [&](const AuditLink& link) { return link.verdict == verdict; }));
}

Json to_json(const Audit& audit) {
  Json links = Json::array();
  for (const AuditLink& link : audit.links)
    links.push_back({{"link", link.link}, {"verdict", name_of(link.verdict)}, {"why", link.why}});
  return {{"schema", kAuditSchema},
          {"subject", audit.subject},
          {"sound", audit.count(AuditVerdict::broken) == 0},
          {"verified", audit.count(AuditVerdict::verified)},
          {"unverifiable", audit.count(AuditVerdict::unverifiable)},
          {"broken", audit.count(AuditVerdict::broken)},
          {"links", std::move(links)}};
}

Result<Audit> audit_version(const Store& store, const VersionRecord& version, const AuditOptions& options) {
  Auditor auditor = TRY(Auditor::begin(store, options, recorded(version).text()));
  TRY(auditor.lineage(version));
  return std::move(auditor.audit());
}

Result<Audit> audit_run(const Store& store, const RunId& run, const AuditOptions& options) {
  Auditor auditor = TRY(Auditor::begin(store, options, "run " + run.text()));
  if (const auto record = TRY(auditor.run(run))) TRY(follow(auditor, *record));
  return std::move(auditor.audit());
}

Result<Audit> audit_results(const std::string& results, const Store* store, const AuditOptions& options) {
  const auto json = parse_json(results, "the results");
  const auto record = json.ok() ? run_record_from(*json) : Result<RunRecord>(json.error());
  const std::string link = "the document itself";
  if (!record.ok()) return Audit{"results", {{link, AuditVerdict::broken, record.error().message}}};
  const AuditLink document{link, AuditVerdict::verified, "it is whole and does not contradict itself"};
  const std::string subject = "the results of run " + record->name.text();
  if (store == nullptr) {
    return Audit{subject,
                 {document,
                  {"everything that it names", AuditVerdict::unverifiable,
                   "there is no store; give the one that the run was made in with --store"}}};
  }
  Auditor auditor = TRY(Auditor::begin(*store, options, subject));
  auditor.audit().links.insert(auditor.audit().links.begin(), document);
  const RelPath path = TRY(results_path(record->run));
  const auto told = auditor.journal().files.find(path.bytes());
  const std::string own = "the document as the store wrote it";
  if (told == auditor.journal().files.end()) {
    const bool there = is_there(store->root() / path.bytes());
    add(auditor.audit(), own, AuditVerdict::unverifiable,
        there ? "the run is older than the journal of the store" : "this store has no run " + record->run.text());
    if (!there) return std::move(auditor.audit());
  } else if (!told->second.digest) {
    add(auditor.audit(), own, AuditVerdict::unverifiable, "the run was deleted from the store");
  } else {
    const bool same = sha256(results) == *told->second.digest;
    add(auditor.audit(), own, same ? AuditVerdict::verified : AuditVerdict::broken,
        same ? "byte for byte" : "the journal of the store has another digest for it: one of the two was changed");
  }
  TRY(auditor.run(record->run));
  TRY(follow(auditor, *record));
  return std::move(auditor.audit());
}

Result<Audit> audit_store(const Store& store, const AuditOptions& options) {
  Auditor auditor = TRY(Auditor::begin(store, options, "the store " + store.root().string()));
  TRY(audit_records(auditor, store));
  TRY(audit_packs(auditor, store));
  TRY(audit_objects(auditor, store, options));
  return std::move(auditor.audit());
}

}  // namespace trainyard
