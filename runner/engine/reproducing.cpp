// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/reproducing.hpp"

#include "runner/engine/byte_difference.hpp"
#include "runner/engine/data_return.hpp"
#include "runner/engine/named_tree.hpp"
#include "runner/engine/run_engine.hpp"
#include "runner/engine/run_roots.hpp"
#include "runner/engine/stored_run_record.hpp"
#include "storage/packages/registry.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

using What = MissingPart::What;

// The first run: what it was asked, what it read, and what it says of itself.
struct FirstRun {
  RunPlan plan;
  StagedData data;
  RunRecord record;
};

// None when it is gone; then `missing` says what.
Result<std::optional<FirstRun>> find_first_run(const VersionRecord& version, std::vector<MissingPart>& missing,
                                               const Store& store) {
  const std::string text = version.content.name.text() + "@" + version.version.text();
  const auto gone = [&](std::string why) {
    missing.push_back({What::run, std::move(why)});
    return std::optional<FirstRun>();
  };
  if (!version.content.run) return gone(text + " was uploaded; only what a run has made can be reproduced");
  const RunFolders folders(store.runs(), store.active());
  auto stored = TRY(read_stored_run(folders.folder(*version.content.run), RunLife::over));
  auto record = TRY(read_run_record(*version.content.run, store));
  if (!stored || !record)
    return gone("the run that made " + text + " was deleted, and with it what it was asked and what it measured");
  for (const JournalEntry& entry : stored->journal) {
    const auto* const published = std::get_if<state::Published>(&entry.state);
    if (published == nullptr) continue;
    return std::optional(FirstRun{std::move(stored->plan), published->data, std::move(*record)});
  }
  return gone("the journal of the run that made " + text + " does not tell of it");
}

Result<void> check_parent(const RunPlan& plan, std::vector<MissingPart>& missing, const Store& store) {
  const VersionRecord& parent = plan.parent;
  const std::string text = parent.content.name.text() + "@" + parent.version.text();
  const auto found = PackageRegistry(store.packages(), store.journal()).find({parent.content.name, parent.version});
  if (!found.ok() && found.error().code != Errc::not_found) return found.error();
  if (!found.ok() || found->content.tree != parent.content.tree) {
    missing.push_back({What::parent, text + ", which it was trained from, was deleted"});
    return {};
  }
  if (const auto what = TRY(missing_of(parent.content.tree.digest, store.objects())))
    missing.push_back(
        {What::parent, text + ", which it was trained from, is not whole: the store does not have " + *what});
  return {};
}

Result<std::optional<RunData>> find_data(const FirstRun& first, std::vector<MissingPart>& missing, RunPorts& ports) {
  const RunPlan& plan = first.plan;
  std::optional<DataSource> found[2];
  const auto find = [&](std::size_t which, const DataSource& source, const std::string& given,
                        const TreeSummary& tree) -> Result<void> {
    auto answer = TRY(find_again(source, given, tree, ports));
    if (auto* const again = std::get_if<DataSource>(&answer)) {
      found[which] = std::move(*again);
    } else {
      missing.push_back({What::data, std::get<std::string>(answer)});
    }
    return {};
  };
  TRY(find(0, plan.data, plan.request.dataset, first.data.data.tree));
  if (plan.evaluation_data)
    TRY(find(1, *plan.evaluation_data, *plan.request.evaluation_dataset, first.data.evaluation->tree));
  if (!found[0] || found[1].has_value() != plan.evaluation_data.has_value()) return std::optional<RunData>();
  return std::optional(RunData{std::move(*found[0]), std::move(found[1])});
}

Result<void> check_secrets(const RunPlan& plan, std::vector<MissingPart>& missing, const Secrets& given) {
  for (const auto& [name, value] : given) {
    if (!plan.request.secrets.contains(name))
      return fail(Errc::invalid, "the run was not given a secret " + name + "; leave --secret " + name + " out");
  }
  for (const auto& [name, digest] : plan.secrets) {
    const auto secret = given.find(name);
    if (secret == given.end()) {
      missing.push_back({What::secret, "the run was given the secret " + name + "; give it again with --secret " +
                                           name + ", or with --secret " + name + "=FILE"});
    } else if (TRY(SaltedDigest::of(secret->second, digest.salt)) != digest) {
      missing.push_back({What::secret, "the secret " + name + " is not the one that the run was given"});
    }
  }
  return {};
}

// What reaches the code is the same; what only orders runs for people is not repeated.
RunRequest request_again(const RunPlan& plan, const PackageVersion& version) {
  RunRequest request = plan.request;
  request.name.reset();
  request.experiment.reset();
  request.tags.clear();
  request.output_remote.reset();
  // Where it runs is up to whoever does it; with how many workers is not.
  request.placement.executor.reset();
  request.placement.plan.reset();
  request.placement.partition.reset();
  request.placement.arguments.clear();
  request.reproduces = version;
  return request;
}

Result<JudgedTree> judge(const std::string& what, const std::optional<TreeSummary>& before,
                         const std::optional<TreeSummary>& after, const Store& store) {
  if (!before && !after) return JudgedTree{};
  if (!before || !after)
    return JudgedTree{
        Likeness::drift, what + (before ? " did not come out again" : " came out where none had been"), {}};
  const Tree a = TRY(load_kept_tree(what, before->digest, store.objects()));
  const Tree b = TRY(load_kept_tree(what, after->digest, store.objects()));
  JudgedTree judged = judge_tree(a, b);
  for (JudgedFile& file : judged.files) {
    if (file.verdict == Likeness::identical || !file.before || !file.after) continue;
    if (!file.before->digest || !file.after->digest || file.before->digest == file.after->digest) continue;
    const auto bytes = compare_bytes(*file.before->digest, *file.after->digest, store);
    if (bytes.ok()) file.bytes = *bytes;
    // What was purged cannot be read, and drifts all the same.
    if (!bytes.ok() && bytes.error().code != Errc::not_found) return bytes.error();
  }
  return judged;
}

Result<void> judge_all(const VersionRecord& version, const RunRecord& before, const RunRecord& after,
                       const Store& store, Reproduction& reproduction) {
  const std::optional<TreeSummary> made = after.reproduces ? after.reproduces->tree : std::nullopt;
  reproduction.package = TRY(judge("the files of the package", version.content.tree, made, store));
  reproduction.artifacts = TRY(judge("the artifacts", before.artifacts, after.artifacts, store));
  reproduction.metrics = judge_metrics(before.metrics, after.metrics, reproduction.tolerance);
  if (before.score || after.score) reproduction.score = judge_score(before.score, after.score, reproduction.tolerance);
  reproduction.environment = different_facts(environment_of(before), environment_of(after));
  return {};
}

}  // namespace

Result<ReproductionEnd> reproduce(const PackageReference& reference, double tolerance, RunPorts& ports) {
  const Store& store = ports.store;
  const VersionRecord version = TRY(PackageRegistry(store.packages(), store.journal()).find(reference));
  ReproductionEnd end;
  Reproduction& reproduction = end.reproduction;
  reproduction.version = version.content.name.text() + "@" + version.version.text();
  reproduction.tolerance = tolerance;
  const auto first = TRY(find_first_run(version, reproduction.missing, store));
  if (!first) return end;
  reproduction.before = NamedRun{first->plan.run, first->plan.name};
  TRY(check_secrets(first->plan, reproduction.missing, ports.secrets));
  TRY(check_parent(first->plan, reproduction.missing, store));
  const auto data = TRY(find_data(*first, reproduction.missing, ports));
  if (!reproduction.missing.empty()) {
    store.objects().release();
    return end;
  }
  const auto again = run_on(*data, request_again(first->plan, version.version), ports);
  if (!again.ok()) {
    store.objects().release();
    const Errc code = again.error().code;
    if (code != Errc::incompatible && code != Errc::not_found && code != Errc::invalid) return again.error();
    reproduction.missing.push_back({What::machine, again.error().message});
    return end;
  }
  reproduction.after = NamedRun{again->plan.run, again->plan.name};
  if (const auto* const failed = std::get_if<state::Failed>(&again->state)) {
    end.outcome = failed->outcome;
    reproduction.missing.push_back({What::outcome, "the run " + again->plan.name.text() + " did not come to its end (" +
                                                       std::string(name_of(failed->outcome.reason)) +
                                                       "): " + failed->outcome.message});
    return end;
  }
  const auto record = TRY(read_run_record(again->plan.run, store));
  if (!record) return fail(Errc::io, "the run " + again->plan.name.text() + " was deleted before it could be judged");
  TRY(judge_all(version, first->record, *record, store, reproduction));
  return end;
}

}  // namespace trainyard
