// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "runner/cli/commands.hpp"
#include "runner/cli/detached.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/quantities.hpp"
#include "runner/cli/run_outputs.hpp"
#include "runner/cli/run_start.hpp"
#include "runner/cli/secret_input.hpp"
#include "runner/cli/sweep_display.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/run_queue.hpp"
#include "runner/engine/sweep_files.hpp"
#include "runner/executors/local_machine.hpp"
#include "runner/processes/clock.hpp"

namespace trainyard {

namespace {

constexpr int kUsualEta = 3;
// One that is made up can be typed again.
constexpr std::int64_t kSeeds = 1'000'000'000;

std::array<std::uint8_t, 10> some_random() {
  std::array<std::uint8_t, 10> random{};
  fill_random(random);
  return random;
}

Result<RunName> made_up_name() {
  const std::string id = RunId::from(now(), some_random()).text();
  return RunName::parse("sweep-" + id.substr(id.size() - 8));
}

Result<std::optional<Sweep::Random>> random_of(const command::Sweep& command) {
  if (command.random.empty()) {
    if (!command.seed.empty()) return fail(Errc::invalid, "--seed means nothing without --random N");
    return std::optional<Sweep::Random>();
  }
  Sweep::Random random;
  random.count = TRY(parse_whole("--random", command.random, 1, kMostPoints));
  if (!command.seed.empty()) {
    random.seed = TRY(parse_whole("--seed", command.seed, 0, INT64_MAX));
  } else {
    const auto bytes = some_random();
    for (std::size_t i = 0; i < 4; ++i) random.seed = random.seed * 256 + bytes[i];
    random.seed %= kSeeds;
  }
  return std::optional(random);
}

Result<std::optional<Sweep::Halving>> halving_of(const command::Sweep& command) {
  if (command.halving.empty()) {
    if (!command.eta.empty()) return fail(Errc::invalid, "--eta means nothing without --halving NAME=LEAST:MOST");
    return std::optional<Sweep::Halving>();
  }
  const std::string& text = command.halving;
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::size_t colon = std::min(text.find(':', equals), text.size());
  const auto least = Decimal::parse(colon == text.size() ? "" : text.substr(equals + 1, colon - equals - 1));
  const auto most = Decimal::parse(colon == text.size() ? "" : text.substr(colon + 1));
  if (!least || !most) {
    return fail(Errc::invalid,
                "--halving is '" + text + "' but must be NAME=LEAST:MOST with two numbers, such as epochs=10:90");
  }
  Sweep::Halving halving{text.substr(0, equals), *least, *most};
  if (command.eta.empty()) {
    halving.eta = kUsualEta;
  } else {
    halving.eta = TRY(parse_small("--eta", command.eta, 2, Sweep::Halving::kMostEta));
  }
  return std::optional(halving);
}

Result<Goal> goal_of(const std::string& given, const std::optional<std::string>& metric) {
  if (given.empty()) return metric && less_is_better(*metric) ? Goal::min : Goal::max;
  if (!metric) return fail(Errc::invalid, "--goal means nothing without --metric NAME");
  const auto goal = parse_goal(given);
  if (!goal.ok()) return within("--goal", goal.error());
  return goal;
}

// What a sweep does at once where nobody has said. A cluster decides for itself how many of its jobs run at once.
Result<int> usual_at_once(const Store& store, RunRequest request) {
  constexpr int kAtOnceOnCluster = 100;
  const StoreConfig config = TRY(store.config());
  TRY(resolve_placement(request, config.executor, config.plans));
  if (runs_in_slurm(request)) return kAtOnceOnCluster;
  const Slots slots = slots_of(config, local_machine());
  return std::clamp(static_cast<int>(slots.runs), 1, Sweep::kMostAtOnce);
}

Result<std::optional<int>> at_once_of(const command::Sweep& command) {
  if (command.at_once.empty()) return std::optional<int>();
  return std::optional(TRY(parse_small("--max-parallel", command.at_once, 1, Sweep::kMostAtOnce)));
}

Result<Sweep> sweep_of(const command::Sweep& command) {
  if (command.package.empty())
    return fail(Errc::invalid, "name the package to run, or give --resume NAME to go on with a sweep");
  if (command.dataset.empty()) return fail(Errc::invalid, "give the data with --dataset DATA");
  if (command.retry_failed) return fail(Errc::invalid, "--retry-failed means nothing without --resume NAME");
  const auto type = parse_run_type(command.type);
  if (!type.ok()) return within("--type", type.error());
  RunRequest request = TRY(request_of(*type, command));
  if (!command.evaluation_dataset.empty()) {
    if (*type != RunType::full)
      return fail(Errc::invalid, "--evaluation-dataset is for full runs; give --type full as well");
    request.evaluation_dataset = TRY(dataset_of(command.evaluation_dataset));
  }
  request.save_training_data = command.save_training_data;
  request.save_test_data = command.save_test_data;
  std::vector<SweepParameter> parameters;
  for (const std::string& text : command.parameters) parameters.push_back(TRY(SweepParameter::parse(text)));
  RunName name = request.experiment ? *request.experiment : TRY(made_up_name());
  request.experiment = name;
  std::optional<std::string> metric;
  if (*type == RunType::full) metric = kScoreMetric;
  if (!command.metric.empty()) metric = command.metric;
  const Goal goal = TRY(goal_of(command.goal, metric));
  auto random = TRY(random_of(command));
  auto halving = TRY(halving_of(command));
  Sweep sweep{std::move(name),   now(), std::move(request), std::move(parameters), random, std::move(halving),
              std::move(metric), goal};
  if (command.allow_repeat) sweep.repeats = Sweep::Repeats::allow;
  return sweep;
}

// What a sweep that is resumed takes from whoever resumes it; the rest stands in its file.
Result<void> check_resumed(command::Sweep command) {
  command::Sweep taken;
  taken.resume = command.resume;
  taken.secrets = command.secrets;
  taken.at_once = command.at_once;
  taken.detach = command.detach;
  taken.retry_failed = command.retry_failed;
  taken.stop_on_failure = command.stop_on_failure;
  taken.allow_repeat = command.allow_repeat;
  if (command == taken) return {};
  return fail(Errc::invalid,
              "a sweep is resumed as it was begun; beside --resume give only --secret, --max-parallel, --retry-failed, "
              "--stop-on-failure, --allow-repeat or --detach");
}

Result<Secrets> secrets_again(const Sweep& sweep, const std::vector<std::string>& given) {
  RunRequest named = sweep.request;
  named.secrets.clear();
  Secrets secrets = TRY(take_secrets(named, given));
  for (const std::string& name : sweep.request.secrets) {
    if (!secrets.contains(name))
      return fail(Errc::invalid, "the runs of the sweep need the secret " + name + "; give it again with --secret " +
                                     name + ", or with --secret " + name + "=FILE");
  }
  for (const std::string& name : named.secrets) {
    if (!sweep.request.secrets.contains(name))
      return fail(Errc::invalid, "the sweep was begun without the secret " + name);
  }
  return secrets;
}

SweepWish wish_of(const command::Sweep& command) {
  SweepWish wish;
  if (command.retry_failed) wish.retry = SweepBoard::RetryFailed::yes;
  if (command.stop_on_failure) wish.after_failure = SweepWish::AfterFailure::stop;
  return wish;
}

// What can be told of how a sweep was checked; Ctrl-C ends the checking.
class Checking final : public RunObserver {
 public:
  void noticed(const std::string& sentence) override { complain(sentence); }
  StopWish stop_wish() override { return interrupts() == 0 ? StopWish::none : StopWish::polite; }
};

// A sweep, and the right to make its runs.
struct Taken {
  FileLock lock;
  Sweep sweep;
};

Result<Taken> begin(Sweep sweep, const command::Sweep& command, const Secrets& secrets, const Store& store) {
  TRY(check_sweep(sweep));
  TRY(check_output_remote(sweep.request, store));
  sweep.at_once = TRY(at_once_of(command)).value_or(TRY(usual_at_once(store, sweep.request)));
  Checking checking;
  TRY(settle_here(sweep, secrets, store, checking));
  const SweepFiles files(store);
  FileLock lock = TRY(files.take(sweep.name));
  TRY(files.add(sweep));
  return Taken{std::move(lock), std::move(sweep)};
}

Result<Taken> take_again(const command::Sweep& command, const Store& store) {
  const SweepFiles files(store);
  Sweep sweep = TRY(files.find(command.resume));
  FileLock lock = TRY(files.take(sweep.name));
  sweep.at_once = TRY(at_once_of(command)).value_or(sweep.at_once);
  if (command.allow_repeat) sweep.repeats = Sweep::Repeats::allow;
  TRY(check_output_remote(sweep.request, store));
  return Taken{std::move(lock), std::move(sweep)};
}

std::string resuming(const Sweep& sweep, const char* more = "") {
  return "'trainyard sweep --resume " + sweep.name.text() + more + "'";
}

void tell_of_data(const SweepBoard& board) {
  if (board.had_same_data()) return;
  complain(
      "the data changed while the sweep went on, so that its values do not compare; a dataset of the store "
      "('trainyard dataset add') stays what it is");
}

ExitCode tell_of_end(const SweepEnd& end, const Invocation& invocation) {
  const SweepBoard& board = end.board;
  if (invocation.output == Output::json) {
    print_json(to_json(board));
  } else {
    print(trials_table(board) + "\n" + summary_of(board));
  }
  tell_of_data(board);
  const std::vector<SweepTrial> trials = board.ranking();
  const auto has = [&](SweepTrial::Standing standing) {
    return std::any_of(trials.begin(), trials.end(), [&](const auto& trial) { return trial.standing == standing; });
  };
  if (end.trouble) {
    const bool may_help = end.trouble->code != Errc::package_failed;
    complain(end.trouble->message + "; no further run was begun" +
             (may_help ? ", and " + resuming(board.sweep()) + " goes on" : ""));
    return exit_code_of(*end.trouble);
  }
  if (end.interrupted) {
    complain("the sweep was interrupted; " + resuming(board.sweep()) + " goes on with it");
    return ExitCode::cancelled;
  }
  const bool runs_failed = std::any_of(trials.begin(), trials.end(), [](const SweepTrial& trial) {
    return trial.standing == SweepTrial::Standing::failed && !trial.run.empty();
  });
  if (runs_failed) complain("runs failed; " + resuming(board.sweep(), " --retry-failed") + " tries their points again");
  if (has(SweepTrial::Standing::unfinished) || has(SweepTrial::Standing::not_run))
    complain("points are left; " + resuming(board.sweep()) + " goes on with them");
  return board.is_finished() && !has(SweepTrial::Standing::failed) ? ExitCode::ok : ExitCode::run_failed;
}

// The sweep that was asked for, and what it takes to make its runs.
struct Wanted {
  std::optional<Sweep> sweep;  // none: it is there already
  Secrets secrets;
};

Result<SweepEnd> make(const Wanted& wanted, const command::Sweep& command, const Store& store,
                      const std::function<void(const Sweep&)>& begun) {
  const Taken taken =
      wanted.sweep ? TRY(begin(*wanted.sweep, command, wanted.secrets, store)) : TRY(take_again(command, store));
  begun(taken.sweep);
  SweepDisplay display(taken.sweep);
  auto end = sweep_here(taken.sweep, wish_of(command), wanted.secrets, store, display);
  display.clear();
  return end;
}

Result<ExitCode> make_detached(const Wanted& wanted, const command::Sweep& command, const Invocation& invocation) {
  const std::string name = TRY(do_detached([&](const Begun& begun) -> Result<void> {
    const Store store = TRY(open_store(invocation));
    count_interrupts();
    TRY(make(wanted, command, store, [&](const Sweep& sweep) { begun(sweep.name.text()); }));
    return {};
  }));
  if (invocation.output == Output::json) {
    print_json({{"sweep", name}});
  } else {
    print(name + "\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> print_points(Sweep sweep, const Secrets& secrets, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  TRY(check_sweep(sweep));
  Checking checking;
  TRY(settle_here(sweep, secrets, store, checking));
  const SweepBoard board = TRY(SweepBoard::of(std::move(sweep)));
  if (invocation.output == Output::json) {
    print_json(to_json(board));
  } else {
    std::size_t runs = 0;
    for (const Rung& rung : board.rungs()) runs += rung.points;
    print(points_table(board) + "\n" + plural(board.points().size(), "point") + " of " +
          board.sweep().request.package.text() + ", " + plural(runs, "run") +
          (board.sweep().random ? ", with --seed " + std::to_string(board.sweep().random->seed) : "") + "\n");
  }
  return ExitCode::ok;
}

Result<Wanted> wanted_of(const command::Sweep& command, const Invocation& invocation) {
  if (command.resume.empty()) {
    Sweep sweep = TRY(sweep_of(command));
    Secrets secrets = TRY(take_secrets(sweep.request, command.secrets));
    TRY(check_sweep(sweep));
    return Wanted{std::move(sweep), std::move(secrets)};
  }
  TRY(check_resumed(command));
  TRY(at_once_of(command));
  const Store store = TRY(Store::open(TRY(store_path(invocation))));
  Secrets secrets = TRY(secrets_again(TRY(SweepFiles(store).find(command.resume)), command.secrets));
  return Wanted{std::nullopt, std::move(secrets)};
}

}  // namespace

Result<ExitCode> perform(const command::Sweep& command, const Invocation& invocation) {
  const Wanted wanted = TRY(wanted_of(command, invocation));
  if (command.dry_run) return print_points(*wanted.sweep, wanted.secrets, invocation);
  if (command.detach) return make_detached(wanted, command, invocation);
  const Store store = TRY(open_store(invocation));
  count_interrupts();
  const SweepEnd end = TRY(make(wanted, command, store, [](const Sweep&) {}));
  return tell_of_end(end, invocation);
}

Result<ExitCode> perform(const command::SweepsList&, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"SWEEP", "TYPE", "PACKAGE", "POINTS", "SUCCEEDED", "FAILED", "FINISHED", "BEGAN"}};
  for (Sweep& sweep : TRY(SweepFiles(store).list())) {
    const SweepBoard board = TRY(read_board(std::move(sweep), store, find_sweep_runs));
    std::size_t succeeded = 0;
    std::size_t failed = 0;
    for (const SweepTrial& trial : board.ranking()) {
      succeeded += trial.standing == SweepTrial::Standing::succeeded ? 1 : 0;
      failed += trial.standing == SweepTrial::Standing::failed ? 1 : 0;
    }
    const RunRequest& request = board.sweep().request;
    const auto best = board.best();
    list.push_back({{"name", board.sweep().name.text()},
                    {"type", name_of(request.type)},
                    {"package", request.package.text()},
                    {"points", board.points().size()},
                    {"succeeded", succeeded},
                    {"failed", failed},
                    {"finished", board.is_finished()},
                    {"metric", board.sweep().metric ? Json(*board.sweep().metric) : Json(nullptr)},
                    {"best", best ? Json(*best->value) : Json(nullptr)},
                    {"created_at", board.sweep().created_at.text()}});
    rows.push_back({board.sweep().name.text(), std::string(name_of(request.type)), request.package.text(),
                    std::to_string(board.points().size()), std::to_string(succeeded), std::to_string(failed),
                    board.is_finished() ? "yes" : "no", board.sweep().created_at.short_text()});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else if (rows.size() == 1) {
    print("no sweeps yet; 'trainyard sweep PACKAGE --dataset DATA --param NAME=VALUES' makes one\n");
  } else {
    print(table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::SweepsShow& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  Sweep sweep = TRY(SweepFiles(store).find(command.sweep));
  if (!command.metric.empty()) {
    if (sweep.halving && command.metric != sweep.metric)
      return fail(Errc::invalid, "the sweep " + command.sweep + " was halved by " + *sweep.metric +
                                     ", so it cannot be told by another metric who went on");
    sweep.metric = command.metric;
    sweep.goal = TRY(goal_of(command.goal, sweep.metric));
    TRY(check_sweep(sweep));
  } else if (!command.goal.empty()) {
    return fail(Errc::invalid, "--goal means nothing without --metric NAME");
  }
  const SweepBoard board = TRY(read_board(std::move(sweep), store, find_sweep_runs));
  if (invocation.output == Output::json) {
    print_json(to_json(board));
  } else {
    print(trials_table(board) + "\n" + summary_of(board));
  }
  tell_of_data(board);
  return ExitCode::ok;
}

}  // namespace trainyard
