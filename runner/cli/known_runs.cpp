// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/known_runs.hpp"

#include <algorithm>
#include <utility>

#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/run_definition.hpp"
#include "runner/engine/run_journal.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/processes/clock.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

const JobId* KnownRun::waiting_job() const {
  const auto* const running = std::get_if<state::Running>(&last().state);
  if (running == nullptr || !runs_in_slurm(plan.request)) return nullptr;
  const auto attempt = folder.last_attempt();
  return attempt.ok() && !is_there(JobFolder(folder.attempt(*attempt)).claim()) ? &running->job : nullptr;
}

RunStatus KnownRun::status() const { return waiting_job() != nullptr ? RunStatus::queued : status_of(last().state); }

std::string KnownRun::reason() const {
  const auto* const failed = std::get_if<state::Failed>(&last().state);
  if (failed != nullptr) return std::string(name_of(failed->outcome.reason));
  return is_over() ? "ok" : "-";
}

std::optional<PackageVersion> KnownRun::version() const {
  const auto* const published = std::get_if<state::Published>(&last().state);
  return published == nullptr ? std::nullopt : std::optional(published->version);
}

std::optional<double> KnownRun::score() const {
  const CollectedOutputs* const outputs = is_over() ? outputs_of(last().state) : nullptr;
  return outputs != nullptr && outputs->evaluation ? std::optional(outputs->evaluation->score) : std::nullopt;
}

double KnownRun::seconds() const {
  const Instant end = is_over() ? last().time : now();
  const Instant start = start_in(journal).value_or(is_over() ? end : plan.created_at);
  // Somebody may have set the clock since its runner told the start.
  return static_cast<double>(std::max<std::int64_t>(end.microseconds - start.microseconds, 0)) / 1e6;
}

std::string KnownRun::package() const { return plan.parent.content.name.text() + "@" + plan.parent.version.text(); }

Result<KnownRun> read_run(const RunFolder& folder) {
  const std::string text = TRY(read_file(folder.plan(), limits::kRecordBytes));
  auto plan = TRY(run_plan_from(TRY(parse_json(text, "the run plan"))));
  auto journal = TRY(read_journal(folder));
  if (journal.empty()) return fail(Errc::not_found, "the run in '" + folder.path().string() + "' has no journal yet");
  return KnownRun{folder, std::move(plan), std::move(journal)};
}

RunFacts facts_of(const KnownRun& run) {
  const RunRequest& request = run.plan.request;
  RunFacts facts;
  facts.id = run.plan.run.text();
  facts.name = run.plan.name.text();
  facts.type = name_of(request.type);
  facts.package = run.plan.parent.content.name.text();
  facts.version = run.plan.parent.version.text();
  facts.status = name_of(run.status());
  if (run.is_over()) facts.reason = run.reason();
  if (run.version()) facts.made = run.version()->text();
  if (request.experiment) facts.experiment = request.experiment->text();
  facts.tags = request.tags;
  facts.score = run.score();
  facts.started = run.plan.created_at;
  facts.seconds = run.seconds();
  if (request.reproduces) facts.reproduces = request.reproduces->text();
  if (const auto* const published = std::get_if<state::Published>(&run.last().state)) {
    const StagedData& data = published->data;
    const auto evaluation = data.evaluation ? std::optional(data.evaluation->tree.digest) : std::nullopt;
    facts.definition = definition_of(run.plan).hex();
    facts.data = data_text(data.data.tree.digest, evaluation);
  }
  // Until then its runner may still write.
  facts.over = run.is_over() && is_there(run.folder.results());
  return facts;
}

namespace {

constexpr std::uint64_t kRunsBetweenWords = 500;
constexpr nlink_t kFewRuns = 100;
constexpr const char* kNoFile = ":memory:";

template <class Ask>
auto ask_index(const Store& store, const Path& file, const Ask& ask) -> decltype(ask(std::declval<RunIndex&>())) {
  const RunFolders folders(store.runs(), store.active());
  auto index = TRY(RunIndex::open(file));
  StatusLine line;
  std::uint64_t read = 0;
  TRY(index.refresh(store.runs(), [&](const RunId& id) -> std::optional<RunFacts> {
    if (++read % kRunsBetweenWords == 0) line.show("indexing runs: " + std::to_string(read));
    const auto run = read_run(folders.folder(id));
    if (run.ok()) return facts_of(*run);
    line.clear();
    if (run.error().code != Errc::not_found)
      complain("the run " + id.text() + " cannot be read: " + run.error().message);
    return std::nullopt;
  }));
  return ask(index);
}

// Fewer runs are read sooner than an index of them is kept. Each folder inside is a link to the one around it, in file
// systems that count so; in others there is one link.
bool has_few_runs(const Store& store) {
  const auto status = status_of(store.runs());
  return status.ok() && *status && (*status)->st_nlink >= 2 && (*status)->st_nlink < kFewRuns;
}

// With the store's index, and where that does not pay or cannot be used, with one that is made for this question alone.
template <class Ask>
auto ask_runs(const Store& store, const Ask& ask) -> decltype(ask(std::declval<RunIndex&>())) {
  if (has_few_runs(store)) return ask_index(store, kNoFile, ask);
  auto answer = ask_index(store, store.run_index(), ask);
  if (answer.ok()) return answer;
  if (answer.error().code == Errc::corrupt && RunIndex::remove(store.run_index()).ok())
    answer = ask_index(store, store.run_index(), ask);
  return answer.ok() ? std::move(answer) : ask_index(store, kNoFile, ask);
}

struct Named {
  std::vector<RunId> runs;
  std::vector<std::string> names;  // of all runs, when none is meant
};

}  // namespace

Result<RunsFound> find_runs(const Store& store, const RunQuery& query) {
  return ask_runs(store, [&](RunIndex& index) { return index.find(query); });
}

Result<std::vector<RunFacts>> find_sweep_runs(const Store& store, const RunQuery& query) {
  return std::move(TRY(find_runs(store, query)).runs);
}

Result<std::vector<RunFacts>> find_runs_like(const Store& store, const std::string& definition) {
  return ask_runs(store, [&](RunIndex& index) { return index.defined(definition); });
}

namespace {

using Evaluations = std::vector<std::pair<PackageVersion, RunId>>;

Result<Evaluations> evaluations_of(const Store& store, const PackageName& package) {
  RunQuery query;
  query.package = package.text();
  query.type = name_of(RunType::evaluation);
  query.status = name_of(RunStatus::successful);
  Evaluations evaluations;
  for (const RunFacts& facts : TRY(find_runs(store, query)).runs) {
    if (!facts.over) continue;
    const PackageVersion version = TRY(PackageVersion::parse(facts.version));
    evaluations.emplace_back(version, TRY(RunId::parse(facts.id)));
  }
  return evaluations;
}

}  // namespace

EvaluationsOf evaluations_in(const Store& store) {
  return [&store](const PackageName& package) { return evaluations_of(store, package); };
}

Result<KnownRun> find_run(const Store& store, const std::string& wanted) {
  const Named named = TRY(ask_runs(store, [&](RunIndex& index) -> Result<Named> {
    auto runs = TRY(index.named(wanted));
    if (!runs.empty()) return Named{std::move(runs), {}};
    auto names = TRY(index.names());
    return Named{{}, std::move(names)};
  }));
  if (named.runs.empty())
    return fail(Errc::not_found, "there is no run '" + wanted + "'" + did_you_mean(wanted, named.names));
  if (named.runs.size() > 1) {
    return fail(Errc::invalid, "'" + wanted + "' fits " + std::to_string(named.runs.size()) +
                                   " runs; give the id, such as " + named.runs.back().text());
  }
  return read_run(RunFolders(store.runs(), store.active()).folder(named.runs.front()));
}

Json summary_json(const RunFacts& facts, const Store& store) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
  return {{"run", facts.id},
          {"name", facts.name},
          {"type", facts.type},
          {"experiment", or_null(facts.experiment)},
          {"tags", facts.tags},
          {"package", facts.package},
          {"parent", facts.version},
          {"reproduces", or_null(facts.reproduces)},
          {"status", facts.status},
          {"reason", or_null(facts.reason)},
          {"version", or_null(facts.made)},
          {"score", facts.score ? Json(*facts.score) : Json(nullptr)},
          {"started_at", facts.started.text()},
          {"seconds", facts.seconds},
          {"folder", (store.runs() / facts.id).string()}};
}

Result<int> rank_of(const std::string& wanted, const KnownRun& run) {
  if (wanted.empty()) return 0;
  const int workers = workers_of(run.plan.request);
  const auto rank = number_in<int>(wanted);
  if (rank && *rank >= 0 && *rank < workers) return *rank;
  return fail(Errc::invalid,
              "--rank is '" + wanted + "', and the run " + run.plan.name.text() + " has " +
                  (workers == 1 ? "one worker, which is 0"
                                : std::to_string(workers) + " workers, 0 to " + std::to_string(workers - 1)));
}

}  // namespace trainyard
