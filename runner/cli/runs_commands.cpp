// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <iterator>
#include <thread>

#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/run_filter.hpp"
#include "runner/cli/run_log.hpp"
#include "runner/cli/tar_export.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/named_tree.hpp"
#include "runner/engine/run_queue.hpp"
#include "runner/engine/run_roots.hpp"
#include "runner/executors/local_machine.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::milliseconds kBetweenLooks{50};

std::string version_text(const KnownRun& run) {
  if (run.plan.request.reproduces) return "none; reproduces " + run.plan.request.reproduces->text();
  return run.version() ? run.version()->text() : "-";
}

std::string score_text(const KnownRun& run) { return run.score() ? number_text(*run.score()) : "-"; }

// That of the option, or the last.
Result<int> attempt_of(const command::RunsLogs& command, const KnownRun& run) {
  const int last = std::max(1, static_cast<int>(attempts_in(run.journal).size()));
  if (command.attempt.empty()) return last;
  const auto number = number_in<int>(command.attempt);
  if (number && *number >= 1 && *number <= last) return *number;
  return fail(Errc::invalid, "--attempt is '" + command.attempt + "', and the run " + run.plan.name.text() + " has " +
                                 plural(static_cast<std::size_t>(last), "attempt"));
}

std::string dataset_text(const DataSource& source, const std::string& given) {
  return printable(source.dataset ? source.dataset->text() : given);
}

}  // namespace

Result<ExitCode> perform(const command::RunsList& command, const Invocation& invocation) {
  const RunQuery query = TRY(query_of(command));
  const Store store = TRY(open_store(invocation));
  const RunsFound found = TRY(find_runs(store, query));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"RUN", "TYPE", "PACKAGE", "STATUS", "REASON", "VERSION", "SCORE", "STARTED", "TOOK"}};
  const auto or_dash = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  for (const RunFacts& run : found.runs) {
    if (invocation.output == Output::json) {
      list.push_back(summary_json(run, store));
      continue;
    }
    rows.push_back({run.name, run.type, run.package + "@" + run.version, run.status, or_dash(run.reason),
                    run.reproduces.empty() ? or_dash(run.made) : "reproduces " + run.reproduces,
                    run.score ? number_text(*run.score) : "-", run.started.short_text(), duration_text(run.seconds)});
  }
  if (invocation.output == Output::json) {
    print_json(list);
    return ExitCode::ok;
  }
  if (found.known == 0) {
    print("no runs yet; 'trainyard run training PACKAGE --dataset DIR' makes one\n");
  } else if (found.runs.empty()) {
    print("no run is like that\n");
  } else {
    print(table(rows));
  }
  if (found.left_out != 0) complain(plural(found.left_out, "more run") + "; --limit 0 lists all");
  return ExitCode::ok;
}

namespace {

// For a slot of this machine, or in the queue of a cluster; none when it does not wait.
Result<std::optional<std::string>> wait_of(const KnownRun& run, const Store& store) {
  if (std::holds_alternative<state::Queued>(run.last().state)) {
    const SlotAnswer line = TRY(look_at_line(run.plan, store, local_machine()));
    if (const auto* const awaited = std::get_if<SlotAwaited>(&line)) return std::optional(awaited->reason);
  }
  const JobId* const job = run.waiting_job();
  if (job == nullptr) return std::optional<std::string>();
  return wait_in_cluster(*job, run.folder.attempt(TRY(run.folder.last_attempt())), store);
}

std::string end_text(const std::optional<JobExit>& exit) {
  if (!exit) return "left no word about its end";
  const std::string end = exit->failure  ? "did not run: " + *exit->failure
                          : exit->signal ? "signal " + std::to_string(*exit->signal)
                                         : "exit code " + std::to_string(exit->code.value_or(0));
  return (exit->rank ? "on " + exit->rank->host + ", " : "") + end + ", " +
         duration_text(static_cast<double>(exit->user_us + exit->system_us) / 1e6) + " of processors, " +
         size_text(static_cast<std::uint64_t>(exit->peak_bytes)) + " of memory";
}

void add_ranks(const KnownRun& run, const Path& attempt, std::vector<std::vector<std::string>>& rows) {
  const int workers = workers_of(run.plan.request);
  for (int rank = 0; workers > 1 && rank < workers; ++rank) {
    const auto exit = JobFolder::of_rank(attempt, rank).read_exit();
    rows.push_back({"rank " + std::to_string(rank), printable(end_text(exit.ok() ? *exit : std::nullopt))});
  }
}

// What the last attempt used and what stood around it, once it has ended.
void add_last_attempt(const KnownRun& run, std::vector<std::vector<std::string>>& rows) {
  const auto attempt = run.folder.last_attempt();
  const auto exit = attempt.ok() ? JobFolder(run.folder.attempt(*attempt)).read_exit() : attempt.error();
  if (!exit.ok() || !*exit) return;
  const JobExit& ended = **exit;
  const auto size = [](std::int64_t bytes) { return size_text(static_cast<std::uint64_t>(bytes)); };
  rows.push_back({"used", duration_text(static_cast<double>(ended.user_us + ended.system_us) / 1e6) +
                              " of processors, " + size(ended.peak_bytes) + " of memory, " + size(ended.read_bytes) +
                              " read, " + size(ended.written_bytes) + " written"});
  add_ranks(run, run.folder.attempt(*attempt), rows);
  if (!ended.isolation) return;
  std::string layers;
  for (const Layer layer : ended.isolation->layers) layers += " " + std::string(name_of(layer));
  rows.push_back({"isolation", layers.empty() ? "none" : layers.substr(1)});
  for (const auto& [layer, why] : ended.isolation->missing)
    rows.push_back({"missing", std::string(name_of(layer)) + ": " + printable(why)});
}

}  // namespace

Result<ExitCode> perform(const command::RunsShow& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  if (invocation.output == Output::json) {
    Json json = summary_json(facts_of(run), store);
    json["journal"] = Json::array();
    for (const JournalEntry& entry : run.journal) json["journal"].push_back(to_json(entry));
    const auto results = read_file(run.folder.results(), limits::kRecordBytes);
    json["results"] = results.ok() ? TRY(parse_json(*results, "the results")) : Json(nullptr);
    json["waits"] = or_null(TRY(wait_of(run, store)));
    print_json(json);
    return ExitCode::ok;
  }
  std::vector<std::vector<std::string>> rows = {{"run", run.plan.name.text()},
                                                {"id", run.plan.run.text()},
                                                {"type", std::string(name_of(run.plan.request.type))},
                                                {"package", run.package()},
                                                {"dataset", dataset_text(run.plan.data, run.plan.request.dataset)},
                                                {"status", std::string(name_of(run.status()))},
                                                {"reason", run.reason()},
                                                {"version", version_text(run)},
                                                {"score", score_text(run)},
                                                {"started", run.plan.created_at.short_text()},
                                                {"took", duration_text(run.seconds())},
                                                {"folder", run.folder.path().string()}};
  if (run.plan.evaluation_data) {
    rows.push_back(
        {"evaluation dataset", dataset_text(*run.plan.evaluation_data, *run.plan.request.evaluation_dataset)});
  }
  if (const auto* const failed = std::get_if<state::Failed>(&run.last().state))
    rows.push_back({"message", printable(failed->outcome.message)});
  if (const auto reason = TRY(wait_of(run, store))) rows.push_back({"waits", printable(*reason)});
  if (const auto attempts = attempts_in(run.journal); attempts.size() > 1)
    rows.push_back(
        {"attempts", std::to_string(attempts.size()) + " of " + std::to_string(run.plan.request.retries + 1)});
  add_last_attempt(run, rows);
  for (const auto& [name, digest] : run.plan.secrets) rows.push_back({"secret", name});
  for (const auto& [name, value] : run.plan.environment) rows.push_back({"env", printable(name + "=" + value)});
  for (const JournalEntry& entry : run.journal)
    rows.push_back({"journal", entry.time.text() + "  " + std::string(name_of(entry.state))});
  print(table(rows));
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsLogs& command, const Invocation& invocation) {
  const LogSelection selection = TRY(parse_log_selection(command.stream));
  if (command.follow && invocation.output == Output::json)
    return fail(Errc::invalid, "--follow has no end that --json could wait for; give one of them");
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  int attempt = TRY(attempt_of(command, run));
  const int rank = TRY(rank_of(command.rank, run));
  JobLog log(JobFolder::of_rank(run.folder.attempt(attempt), rank));
  LogPrinter printer(command.timestamps ? Timestamps::yes : Timestamps::no);
  std::vector<LogChunk> all;
  for (;;) {
    // What was written before the run was over is read after that is known.
    const bool over = !command.follow || is_there(run.folder.results());
    const int last = command.follow && command.attempt.empty() ? TRY(run.folder.last_attempt()) : attempt;
    auto chunks = TRY(log.poll());
    const bool nothing = chunks.empty();
    chunks = selected(std::move(chunks), selection);
    if (invocation.output == Output::json) {
      all.insert(all.end(), std::make_move_iterator(chunks.begin()), std::make_move_iterator(chunks.end()));
    } else {
      printer.print(chunks);
    }
    if (nothing && attempt < last) {
      log = JobLog(JobFolder::of_rank(run.folder.attempt(++attempt), rank));
      continue;
    }
    if (nothing && over) break;
    if (nothing) std::this_thread::sleep_for(kBetweenLooks);
  }
  if (invocation.output == Output::json) print_json(to_json(all));
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
