// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/known_runs.hpp"

#include "runner/cli/wiring.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

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
  return static_cast<double>(end.microseconds - plan.created_at.microseconds) / 1e6;
}

std::string KnownRun::package() const { return plan.parent.content.name.text() + "@" + plan.parent.version.text(); }

Result<KnownRun> read_run(const RunFolder& folder) {
  const std::string text = TRY(read_file(folder.plan(), limits::kRecordBytes));
  auto plan = TRY(run_plan_from(TRY(parse_json(text, "the run plan"))));
  KnownRun run{folder, std::move(plan), {}};
  for (const std::string& line : TRY(RunFolder::lines(folder.journal()))) {
    run.journal.push_back(TRY(journal_entry_from(TRY(parse_json(line, "the journal")))));
  }
  if (run.journal.empty())
    return fail(Errc::not_found, "the run in '" + folder.path().string() + "' has no journal yet");
  return run;
}

// All runs that can be read, oldest first; of the others the reader is told on stderr.
Result<std::vector<KnownRun>> known_runs(const Store& store) {
  const RunFolders folders(store.runs(), store.active());
  std::vector<KnownRun> runs;
  for (const RunId& id : TRY(folders.list())) {
    auto run = read_run(folders.folder(id));
    if (run.ok()) {
      runs.push_back(std::move(*run));
    } else if (run.error().code != Errc::not_found) {
      complain("the run " + id.text() + " cannot be read: " + run.error().message);
    }
  }
  return runs;
}

Result<KnownRun> find_run(const Store& store, const std::string& wanted) {
  std::vector<KnownRun> runs = TRY(known_runs(store));
  std::vector<KnownRun> matches;
  std::vector<std::string> names;
  for (KnownRun& run : runs) {
    const std::string& id = run.plan.run.text();
    names.push_back(run.plan.name.text());
    const bool part = wanted.size() >= 4 && (id.starts_with(wanted) || id.ends_with(wanted));
    if (run.plan.name.text() == wanted || id == wanted || part) matches.push_back(std::move(run));
  }
  if (matches.empty()) return fail(Errc::not_found, "there is no run '" + wanted + "'" + did_you_mean(wanted, names));
  if (matches.size() > 1) {
    return fail(Errc::invalid, "'" + wanted + "' fits " + std::to_string(matches.size()) +
                                   " runs; give the id, such as " + matches.back().plan.run.text());
  }
  return std::move(matches.front());
}

Json summary_json(const KnownRun& run) {
  const RunRequest& request = run.plan.request;
  return {{"run", run.plan.run.text()},
          {"name", run.plan.name.text()},
          {"type", name_of(request.type)},
          {"experiment", request.experiment ? Json(request.experiment->text()) : Json(nullptr)},
          {"tags", request.tags},
          {"package", run.plan.parent.content.name.text()},
          {"parent", run.plan.parent.version.text()},
          {"status", name_of(status_of(run.last().state))},
          {"reason", run.is_over() ? Json(run.reason()) : Json(nullptr)},
          {"version", run.version() ? Json(run.version()->text()) : Json(nullptr)},
          {"score", run.score() ? Json(*run.score()) : Json(nullptr)},
          {"started_at", run.plan.created_at.text()},
          {"seconds", run.seconds()},
          {"folder", run.folder.path().string()}};
}

}  // namespace trainyard
