// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runner/cli/commands.hpp"
#include "runner/cli/run_log.hpp"
#include "runner/cli/tar_export.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/run_plan.hpp"
#include "runner/core/run_state.hpp"
#include "runner/engine/named_tree.hpp"
#include "runner/engine/run_roots.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

struct KnownRun {
  RunFolder folder;
  RunPlan plan;
  std::vector<JournalEntry> journal;  // never empty
};

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

const JournalEntry& last(const KnownRun& run) { return run.journal.back(); }

std::string reason_text(const KnownRun& run) {
  const auto* const failed = std::get_if<state::Failed>(&last(run).state);
  if (failed != nullptr) return std::string(name_of(failed->outcome.reason));
  return is_final(last(run).state) ? "ok" : "-";
}

std::string version_text(const KnownRun& run) {
  const auto* const published = std::get_if<state::Published>(&last(run).state);
  return published == nullptr ? "-" : published->version.text();
}

std::string package_text(const KnownRun& run) {
  return run.plan.parent.content.name.text() + "@" + run.plan.parent.version.text();
}

std::optional<double> score_of(const KnownRun& run) {
  const CollectedOutputs* const outputs = is_final(last(run).state) ? outputs_of(last(run).state) : nullptr;
  return outputs != nullptr && outputs->evaluation ? std::optional(outputs->evaluation->score) : std::nullopt;
}

std::string score_text(const KnownRun& run) {
  const auto score = score_of(run);
  return score ? number_text(*score) : "-";
}

std::string dataset_text(const DataSource& source, const std::string& given) {
  return printable(source.dataset ? source.dataset->text() : given);
}

double seconds_of(const KnownRun& run) {
  const Instant end = is_final(last(run).state) ? last(run).time : now();
  return static_cast<double>(end.microseconds - run.plan.created_at.microseconds) / 1e6;
}

Json summary_json(const KnownRun& run) {
  const auto* const published = std::get_if<state::Published>(&last(run).state);
  return {{"run", run.plan.run.text()},
          {"name", run.plan.name.text()},
          {"type", name_of(run.plan.request.type)},
          {"package", run.plan.parent.content.name.text()},
          {"parent", run.plan.parent.version.text()},
          {"status", name_of(status_of(last(run).state))},
          {"reason", is_final(last(run).state) ? Json(reason_text(run)) : Json(nullptr)},
          {"version", published != nullptr ? Json(published->version.text()) : Json(nullptr)},
          {"score", score_of(run) ? Json(*score_of(run)) : Json(nullptr)},
          {"started_at", run.plan.created_at.text()},
          {"seconds", seconds_of(run)},
          {"folder", run.folder.path().string()}};
}

}  // namespace

Result<ExitCode> perform(const command::RunsList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "TYPE", "PACKAGE", "STATUS", "REASON", "VERSION", "SCORE", "STARTED", "TOOK"}};
  for (const KnownRun& run : TRY(known_runs(store))) {
    list.push_back(summary_json(run));
    rows.push_back({run.plan.name.text(), std::string(name_of(run.plan.request.type)), package_text(run),
                    std::string(name_of(status_of(last(run).state))), reason_text(run), version_text(run),
                    score_text(run), run.plan.created_at.short_text(), duration_text(seconds_of(run))});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else {
    print(rows.size() == 1 ? "no runs yet; 'trainyard run training PACKAGE --dataset DIR' makes one\n" : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsShow& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  if (invocation.output == Output::json) {
    Json json = summary_json(run);
    json["journal"] = Json::array();
    for (const JournalEntry& entry : run.journal) json["journal"].push_back(to_json(entry));
    const auto results = read_file(run.folder.results(), limits::kRecordBytes);
    json["results"] = results.ok() ? TRY(parse_json(*results, "the results")) : Json(nullptr);
    print_json(json);
    return ExitCode::ok;
  }
  std::vector<std::vector<std::string>> rows = {
      {"run", run.plan.name.text()},
      {"id", run.plan.run.text()},
      {"type", std::string(name_of(run.plan.request.type))},
      {"package", package_text(run)},
      {"dataset", dataset_text(run.plan.data, run.plan.request.dataset)},
      {"status", std::string(name_of(status_of(last(run).state)))},
      {"reason", reason_text(run)},
      {"version", version_text(run)},
      {"score", score_text(run)},
      {"started", run.plan.created_at.short_text()},
      {"took", duration_text(seconds_of(run))},
      {"folder", run.folder.path().string()}};
  if (run.plan.evaluation_data) {
    rows.push_back(
        {"evaluation dataset", dataset_text(*run.plan.evaluation_data, *run.plan.request.evaluation_dataset)});
  }
  if (const auto* const failed = std::get_if<state::Failed>(&last(run).state))
    rows.push_back({"message", printable(failed->outcome.message)});
  for (const auto& [name, value] : run.plan.environment) rows.push_back({"env", printable(name + "=" + value)});
  for (const JournalEntry& entry : run.journal)
    rows.push_back({"journal", entry.time.text() + "  " + std::string(name_of(entry.state))});
  print(table(rows));
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsLogs& command, const Invocation& invocation) {
  const LogSelection selection = TRY(parse_log_selection(command.stream));
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  const auto chunks = TRY(read_run_log(JobFolder(run.folder.path()), selection));
  if (invocation.output == Output::json) {
    print_json(to_json(chunks));
  } else {
    print_run_log(chunks, command.timestamps ? Timestamps::yes : Timestamps::no);
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsArtifacts& command, const Invocation& invocation) {
  if (command.tar.empty() && !command.compression.empty())
    return fail(Errc::invalid, "--compression is of a tar; give --tar too");
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  const auto stored = TRY(read_stored_run(run.folder, RunLife::active));
  if (!stored || !stored->artifacts)
    return fail(Errc::not_found, "the run " + run.plan.name.text() + " has left no artifacts");
  const Tree tree =
      TRY(load_kept_tree("the artifacts of run " + run.plan.name.text(), stored->artifacts->digest, store.objects()));
  if (!command.tar.empty()) {
    return export_tar("the artifacts of run " + run.plan.name.text(), tree, store.objects(),
                      {command.tar, command.compression}, invocation.output);
  }
  Json files = Json::array();
  std::vector<std::vector<std::string>> rows = {{"FILE", "SIZE"}};
  for (const TreeEntry& entry : tree.entries()) {
    if (entry.kind != TreeEntry::Kind::file) continue;
    files.push_back({{"path", entry.path.text()}, {"size", entry.size}, {"digest", entry.digest->hex()}});
    rows.push_back({printable(entry.path.text()), size_text(entry.size)});
  }
  if (invocation.output == Output::json) {
    print_json({{"run", run.plan.run.text()},
                {"tree", to_json(*stored->artifacts)},
                {"folder", run.folder.artifacts().string()},
                {"files", std::move(files)}});
  } else {
    print(rows.size() == 1 ? "the run " + run.plan.name.text() + " has made no artifacts\n" : table(rows));
  }
  return ExitCode::ok;
}

}  // namespace trainyard
