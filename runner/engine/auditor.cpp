// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/auditor.hpp"

#include <algorithm>

#include "runner/core/attest.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "runner/engine/data_return.hpp"
#include "runner/engine/store_check.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/packages/decisions.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostShown = 3;
constexpr std::size_t kMostBytes = std::size_t{1} << 30U;  // of a file with attestations, which may name many files

// "3 of them, first a: why; b: why".
std::string some_of(const std::vector<std::string>& problems) {
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), kMostShown); ++i) text += (i == 0 ? "" : "; ") + problems[i];
  if (problems.size() > kMostShown) text += "; and " + std::to_string(problems.size() - kMostShown) + " more";
  return text;
}

std::string files_text(std::size_t files) { return std::to_string(files) + (files == 1 ? " file" : " files"); }

std::string difference_text(const std::vector<TreeDifference>& differences) {
  std::vector<std::string> texts;
  for (const TreeDifference& difference : differences) {
    const char* const how = difference.kind == TreeDifference::Kind::added     ? " is new"
                            : difference.kind == TreeDifference::Kind::removed ? " is gone"
                                                                               : " was changed";
    texts.push_back(difference.path.text() + how);
  }
  return some_of(texts);
}

// The folder that a zip is packed from, gone with everything in it at the end.
class UnpackedTree {
 public:
  static Result<UnpackedTree> of(const Tree& tree, const Store& store) {
    UnpackedTree unpacked(scratch_name(store.scratch(), "audit"));
    TRY(make_folder(unpacked.path_));
    TRY(materialise(tree, store.objects(), unpacked.path_));
    return unpacked;
  }
  UnpackedTree(UnpackedTree&& other) noexcept : path_(std::exchange(other.path_, Path())) {}
  UnpackedTree& operator=(UnpackedTree&&) = delete;
  ~UnpackedTree() {
    if (!path_.empty()) static_cast<void>(remove_tree(path_));
  }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  explicit UnpackedTree(Path path) : path_(std::move(path)) {}
  Path path_;
};

Result<ZipSummary> packed_anew(const Tree& tree, const PackageName& name, const Store& store) {
  const UnpackedTree unpacked = TRY(UnpackedTree::of(tree, store));
  const Path zip = scratch_name(store.scratch(), "zip");
  auto summary = pack_folder(unpacked.path(), name.text(), tree, zip);
  TRY(remove_file(zip));
  return summary;
}

}  // namespace

Result<Auditor> Auditor::begin(const Store& store, const AuditOptions& options, std::string subject) {
  Auditor auditor(store, options, std::move(subject));
  const StoreJournal journal = store.journal();
  // What a dead writer left undone is nobody's tampering; a store that cannot be written is audited as it is.
  static_cast<void>(journal.begin());
  auditor.journal_ = TRY(check_journal(journal, TRY(journal.keys().list()), options.witness));
  auditor.journal_links();
  return auditor;
}

PackageRegistry Auditor::registry() const { return {store_->packages(), store_->journal()}; }

void Auditor::add(std::string link, AuditVerdict verdict, std::string why) {
  audit_.links.push_back({std::move(link), verdict, std::move(why)});
}

void Auditor::journal_links() {
  const std::string link = "the journal of the store";
  if (!journal_.began && journal_.problems.empty())
    return add(link, AuditVerdict::unverifiable,
               "the store has none, because it is older than journals; what happens from now on will be in one");
  for (const std::string& problem : journal_.problems) add(link, AuditVerdict::broken, problem);
  if (!journal_.problems.empty()) return;
  const std::string lines = std::to_string(journal_.lines) + " lines";
  if (!journal_.head) {
    return add(link, AuditVerdict::unverifiable,
               lines + " that follow each other, but no signed head says that they are all");
  }
  std::string signers;
  for (const std::string& signer : journal_.signers) signers += (signers.empty() ? "" : ", ") + signer;
  add(link, AuditVerdict::verified, lines + ", signed by the key " + signers);
}

std::optional<std::string> Auditor::file(const std::string& link, const RelPath& path, std::optional<Instant> made_at) {
  const auto told = journal_.files.find(path.bytes());
  const auto text = read_file(store_->root() / path.bytes(), kMostBytes);
  const bool missing = !text.ok() && text.error().code == Errc::not_found;
  if (told == journal_.files.end()) {
    if (missing) {
      add(link, AuditVerdict::broken, "the file '" + path.text() + "' is not there, and the journal tells of none");
      return std::nullopt;
    }
    if (!text.ok()) {
      add(link, AuditVerdict::broken, text.error().message);
      return std::nullopt;
    }
    const bool older = !journal_.began || (made_at && *made_at < *journal_.began);
    add(link, older ? AuditVerdict::unverifiable : AuditVerdict::broken,
        older ? "it is older than the journal of the store"
              : "the journal does not tell of '" + path.text() + "': something else than Trainyard put it there");
    return older ? std::optional(*text) : std::nullopt;
  }
  const std::string line = "line " + std::to_string(told->second.sequence) + " of the journal";
  if (!told->second.digest && told->second.action == StoreEvent::Action::version_attested) {
    add(link, AuditVerdict::unverifiable, "whoever wrote them was interrupted; 'trainyard sign' makes up for it");
    return std::nullopt;
  }
  if (!told->second.digest) {
    add(link, missing ? AuditVerdict::unverifiable : AuditVerdict::broken,
        missing ? "it was taken away on purpose, as " + line + " says"
                : "'" + path.text() + "' is there although " + line + " says that it was taken away");
    return std::nullopt;
  }
  if (!text.ok()) {
    add(link, AuditVerdict::broken,
        missing ? "'" + path.text() + "' is missing; " + line + " tells of it, and nobody took it away"
                : text.error().message);
    return std::nullopt;
  }
  if (sha256(*text) != *told->second.digest) {
    add(link, AuditVerdict::broken, "'" + path.text() + "' is not what " + line + " says that it is: it was changed");
    return std::nullopt;
  }
  add(link, AuditVerdict::verified, "as " + line + " has it");
  return *text;
}

Result<void> Auditor::decisions(const PackageName& package) {
  if (!done_.insert("decisions " + package.text()).second) return {};
  const std::string link = "the decisions on " + package.text();
  const std::string path = TRY(PackageDecisions(store_->packages(), store_->journal()).record_path(package)).bytes();
  const auto lines = RunFolder::lines(store_->root() / path);
  if (!lines.ok()) {
    add(link, AuditVerdict::broken, lines.error().message);
    return {};
  }
  const auto told = journal_.records.find(path);
  const std::vector<Digest> digests = told == journal_.records.end() ? std::vector<Digest>() : told->second;
  if (lines->empty() && digests.empty()) return {};
  // Those from before the journal come first.
  const std::size_t older = lines->size() > digests.size() ? lines->size() - digests.size() : 0;
  std::vector<std::string> problems;
  if (lines->size() < digests.size())
    problems.push_back("the journal tells of " + std::to_string(digests.size()) + " and '" + path + "' has " +
                       std::to_string(lines->size()));
  for (std::size_t i = 0; i < std::min(digests.size(), lines->size()); ++i) {
    if (sha256((*lines)[older + i]) != digests[i])
      problems.push_back("line " + std::to_string(older + i) + " of '" + path + "' is not the one that was decided");
  }
  for (std::size_t i = 0; i < older && journal_.began; ++i) {
    const auto json = parse_json((*lines)[i], "a decision");
    const auto decision = json.ok() ? decision_from(*json) : Result<Decision>(json.error());
    if (!decision.ok() || decision->time >= *journal_.began)
      problems.push_back("the journal does not tell of line " + std::to_string(i) + " of '" + path + "'");
  }
  const bool good = problems.empty();
  add(link, good ? AuditVerdict::verified : AuditVerdict::broken,
      good ? std::to_string(lines->size()) + (lines->size() == 1 ? " decision" : " decisions") : some_of(problems));
  return {};
}

Result<std::optional<Tree>> Auditor::content(const std::string& link, const Digest& digest, const std::string& good) {
  auto tree = TRY(list(link, digest));
  if (!tree) return tree;
  const TreeVerdict verdict = TRY(verify_tree(*tree, store_->objects(), options_->progress, {}));
  if (!verdict.problems.empty()) {
    add(link, AuditVerdict::broken, some_of(verdict.problems));
  } else if (!verdict.purged.empty()) {
    add(link, AuditVerdict::unverifiable,
        files_text(verdict.purged.size()) + " taken out on purpose, first " + verdict.purged.front().path + " (" +
            verdict.purged.front().tombstone.reason + ")");
  } else {
    add(link, AuditVerdict::verified, good + files_text(static_cast<std::size_t>(tree->files())) + ", every byte read");
  }
  return tree;
}

Result<void> Auditor::zip(const std::string& name, const VersionRecord& version, const Tree& tree) {
  const std::string link = "the zip of " + name;
  const auto anew = packed_anew(tree, version.content.name, *store_);
  if (!anew.ok()) {
    add(link, AuditVerdict::unverifiable, "it cannot be packed again: " + anew.error().message);
  } else if (*anew == version.content.zip) {
    add(link, AuditVerdict::verified, "packed again, it has the same bytes");
  } else if (version.content.run) {
    add(link, AuditVerdict::broken,
        "packed again, it has the SHA-256 " + anew->digest.hex() + " and not the recorded " +
            version.content.zip.digest.hex());
  } else {
    add(link, AuditVerdict::unverifiable, "it was packed by another program and is not kept; what was in it is");
  }
  return {};
}

Result<void> Auditor::version(const VersionRecord& version) {
  const std::string name = recorded(version).text();
  file("the record of " + name, TRY(registry().record_path(version.content.name, version.version)),
       version.content.created_at);
  TRY(decisions(version.content.name));
  auto tree = TRY(content("the content of " + name, version.content.tree.digest, ""));
  if (!tree) return {};
  if (TreeSummary::of(*tree) != version.content.tree)
    add("the content of " + name, AuditVerdict::broken, "its record tells another number of files or bytes");
  TRY(zip(name, version, *tree));
  return attestations(version);
}

Result<void> Auditor::attestations(const VersionRecord& version) {
  const std::string name = recorded(version).text();
  const RelPath path =
      TRY(Attestations(store_->packages(), store_->journal()).record_path(version.content.name, version.version));
  const std::string link = "the attestations of " + name;
  const bool told = journal_.files.contains(path.bytes());
  if (told || is_there(store_->root() / path.bytes())) file(link, path, version.content.created_at);
  const auto checks = check_attestations(version, *store_);
  if (!checks.ok()) {
    add(link, AuditVerdict::broken, checks.error().message);
    return {};
  }
  if (checks->empty() && !told)
    add(link, AuditVerdict::unverifiable, "there are none; 'trainyard sign " + name + "' makes them");
  for (const AttestationCheck& check : *checks) attestation(name, check);
  return {};
}

void Auditor::attestation(const std::string& of, const AttestationCheck& check) {
  const std::string link = (check.statement ? "the " + claim_text(*check.statement) : "an attestation") + " of " + of;
  for (const std::string& problem : check.problems) add(link, AuditVerdict::broken, problem);
  if (!check.good()) return;
  std::string signers;
  for (const StoredKey& signer : check.signers) signers += (signers.empty() ? "" : ", ") + signer.name.text();
  add(link, AuditVerdict::verified, "signed by the key " + signers);
}

Result<std::optional<VersionRecord>> Auditor::same_version(const std::string& link, const RecordedVersion& wanted) {
  const auto found = registry().find({wanted.package, wanted.version});
  const RelPath path = TRY(registry().record_path(wanted.package, wanted.version));
  if (!found.ok()) {
    const auto told = journal_.files.find(path.bytes());
    const bool removed = told != journal_.files.end() && !told->second.digest;
    if (found.error().code == Errc::not_found) {
      add(link, removed || told == journal_.files.end() ? AuditVerdict::unverifiable : AuditVerdict::broken,
          removed                        ? wanted.text() + " was taken away on purpose"
          : told == journal_.files.end() ? "this store never had " + wanted.text()
                                         : "'" + path.text() + "' is missing, and nobody took it away");
    } else {
      add(link, AuditVerdict::broken, found.error().message);
    }
    return std::optional<VersionRecord>();
  }
  if (recorded(*found) != wanted) {
    add(link, AuditVerdict::broken, "the results name another content than the store has as " + wanted.text());
    return std::optional<VersionRecord>();
  }
  add(link, AuditVerdict::verified, "the store has it as the results name it");
  return std::optional(*found);
}

void Auditor::made_by(const RunRecord& record, const VersionRecord& version) {
  const bool same = record.version == recorded(version);
  add("what run " + record.name.text() + " made", same ? AuditVerdict::verified : AuditVerdict::broken,
      same ? "its results name " + recorded(version).text() + " with the same digests"
           : "its results do not name " + recorded(version).text() + " with the digests of its record");
}

Result<void> Auditor::lineage(VersionRecord at) {
  for (;;) {
    if (!done_.insert("version " + recorded(at).text()).second) return {};
    TRY(version(at));
    if (!at.content.run) return {};
    const auto record = TRY(run(*at.content.run));
    const std::string link = "the parent of " + recorded(at).text();
    if (record) {
      made_by(*record, at);
      if (at.content.parent != record->parent.version) {
        add(link, AuditVerdict::broken,
            "its record names another parent than the results of its run, which name " + record->parent.text());
      }
      auto parent = TRY(same_version(link, record->parent));
      if (!parent) return {};
      at = std::move(*parent);
      continue;
    }
    if (!at.content.parent) return {};
    auto parent = registry().find({at.content.name, *at.content.parent});
    if (!parent.ok()) {
      add(link, AuditVerdict::unverifiable, parent.error().message);
      return {};
    }
    add(link, AuditVerdict::unverifiable, "only its number is known, because nothing is left of the run");
    at = std::move(*parent);
  }
}

Result<std::optional<RunRecord>> Auditor::run(const RunId& id) {
  const auto [known, fresh] = runs_.try_emplace(id);
  if (!fresh) return known->second;
  const std::string link = "the results of run " + id.text();
  const auto text = file(link, TRY(results_path(id)), id.began());
  if (!text) return known->second;
  const auto json = parse_json(*text, "the results");
  auto record = json.ok() ? run_record_from(*json) : Result<RunRecord>(json.error());
  if (!record.ok()) {
    add(link, AuditVerdict::broken, record.error().message);
    return known->second;
  }
  if (record->run != id) {
    add(link, AuditVerdict::broken, "they are those of the run " + record->run.text());
    return known->second;
  }
  known->second = std::move(*record);
  TRY(data(*known->second));
  TRY(artifacts(*known->second));
  if (known->second->type == RunType::evaluation) evaluation(*known->second);
  return known->second;
}

// A run publishes its version before it ends, and a pull brings the run before the version. The chain keeps that order.
Result<bool> Auditor::came_from_another_store(const RunRecord& record) {
  if (!record.version || !journal_.problems.empty()) return false;
  const auto ended = journal_.files.find(TRY(results_path(record.run)).bytes());
  const auto published =
      journal_.files.find(TRY(registry().record_path(record.parent.package, record.version->version)).bytes());
  return ended != journal_.files.end() && published != journal_.files.end() &&
         ended->second.sequence < published->second.sequence;
}

Result<bool> Auditor::stayed_behind(const RecordedInput& input) {
  if (input.snapshot) {
    const RelPath record = TRY(Snapshots(store_->snapshots(), store_->journal()).record_path(input.snapshot->hex()));
    if (journal_.files.contains(record.bytes())) return false;
  }
  return TRY(missing_of(input.tree->digest, store_->objects())).has_value();
}

Result<void> Auditor::data(const RunRecord& record) {
  const bool pulled = TRY(came_from_another_store(record));
  for (const RecordedInput& input : record.inputs) {
    const std::string link =
        (input.input == "train_data" ? "the training data of run " : "the evaluation data of run ") +
        record.name.text();
    if (!input.tree) {
      add(link, AuditVerdict::unverifiable, "the run ended before it was read");
      continue;
    }
    const bool behind = pulled && TRY(stayed_behind(input));
    // What was read out of a bucket for one run is here until garbage is collected.
    const bool gone = behind || (input.kind == DataSource::Kind::bucket && !input.snapshot &&
                                 TRY(missing_of(input.tree->digest, store_->objects())).has_value());
    const bool kept = !gone && (input.snapshot || input.kind != DataSource::Kind::folder);
    const auto tree = TRY(kept ? content(link, input.tree->digest, "kept: ") : list(link, input.tree->digest));
    if (input.snapshot && !behind) TRY(snapshot(*input.snapshot));
    // The names of datasets stay in the store that gave them.
    if (input.dataset && !pulled) TRY(dataset(*input.dataset));
    if (!tree) continue;
    if (TreeSummary::of(*tree) != *input.tree)
      add(link, AuditVerdict::broken, "the results tell another number of files or bytes than there were");
    if (behind) {
      add(link, AuditVerdict::unverifiable,
          "its bytes did not come along when the version was pulled; 'trainyard pull --data' brings what was "
          "published");
    } else if (gone) {
      add(link, AuditVerdict::unverifiable, "its bytes were not kept, and '" + input.source + "' is not asked");
    }
    if (input.kind == DataSource::Kind::folder && !behind)
      folder(kept ? "the folder of " + link : link, input.source, *tree, kept ? "" : "its bytes were not kept, and ");
  }
  return {};
}

// Signed by what it says itself: the journal does not tell of it.
void Auditor::evaluation(const RunRecord& record) {
  if (record.outcome.reason != RunReason::ok) return;
  const std::string of = "run " + record.name.text();
  const auto evaluated = registry().find({record.parent.package, record.parent.version});
  if (!evaluated.ok()) return;
  const auto checks = check_run_attestations(store_->runs() / record.run.text(), *evaluated, *store_);
  if (!checks.ok()) return add("the attestations of " + of, AuditVerdict::broken, checks.error().message);
  if (checks->empty()) add("the attestations of " + of, AuditVerdict::unverifiable, "there are none");
  for (const AttestationCheck& check : *checks) attestation(of, check);
}

Result<std::optional<Tree>> Auditor::list(const std::string& link, const Digest& digest) {
  auto tree = load_tree(digest, store_->objects());
  if (tree.ok()) return std::optional(std::move(*tree));
  if (tree.error().code != Errc::not_found && tree.error().code != Errc::corrupt) return tree.error();
  add(link, AuditVerdict::broken, "the list of its files cannot be read: " + tree.error().message);
  return std::optional<Tree>();
}

Result<void> Auditor::snapshot(const Digest& id) {
  const Snapshots snapshots(store_->snapshots(), store_->journal());
  const auto found = snapshots.find(id.hex());
  file("the snapshot " + id.hex().substr(0, 12), TRY(snapshots.record_path(id.hex())),
       found.ok() ? std::optional(found->created_at) : std::nullopt);
  return {};
}

Result<void> Auditor::dataset(const DatasetReference& reference) {
  const Datasets datasets(store_->datasets(), store_->journal());
  const std::uint32_t number = reference.number.value_or(0);
  const auto found = datasets.find(reference);
  file("the dataset " + reference.name.text() + "@" + std::to_string(number),
       TRY(datasets.record_path(reference.name, number)), found.ok() ? std::optional(found->created_at) : std::nullopt);
  return {};
}

void Auditor::folder(const std::string& link, const std::string& folder, const Tree& recorded,
                     const std::string& otherwise) {
  if (!is_folder(folder))
    return add(link, AuditVerdict::unverifiable, otherwise + "'" + folder + "' is not there any more");
  const auto now = capture(folder, {});
  if (!now.ok()) return add(link, AuditVerdict::unverifiable, otherwise + now.error().message);
  if (now->tree == recorded)
    return add(link, AuditVerdict::verified, "'" + folder + "' holds the same data, every byte read");
  add(link, AuditVerdict::unverifiable,
      otherwise + "'" + folder + "' holds other data now: " + difference_text(difference(recorded, now->tree)));
}

Result<void> Auditor::artifacts(const RunRecord& record) {
  if (!record.artifacts) return {};
  const std::string link = "the artifacts of run " + record.name.text();
  const auto tree = TRY(content(link, record.artifacts->digest, "kept: "));
  if (!tree) return {};
  const RunFolder folder(store_->runs() / record.run.text());
  if (!is_folder(folder.artifacts())) {
    if (tree->size() > 0) add(link, AuditVerdict::broken, "their folder is gone");
    return {};
  }
  const auto now = capture(folder.artifacts(), {});
  if (!now.ok()) {
    add(link, AuditVerdict::broken, now.error().message);
  } else if (!(now->tree == *tree)) {
    add(link, AuditVerdict::broken,
        "in '" + folder.artifacts().string() + "' " + difference_text(difference(*tree, now->tree)));
  }
  return {};
}

}  // namespace trainyard
