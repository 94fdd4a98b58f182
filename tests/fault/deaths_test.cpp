// SPDX-License-Identifier: Apache-2.0
// Runner, supervisor and the job's own processes are killed in every state in which there are any, alone, in pairs and
// all at once; and at every call of the supervisor.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>

#include "tests/fault/fault_checks.hpp"
#include "tests/fault/run_processes.hpp"

namespace trainyard::deaths_test {

namespace {

using Words = std::vector<std::string>;

// A job that hangs until somebody ends it, and the same without that.
struct Kind {
  const char* name;
  Words words;
  std::string hangs;
  bool tried_again = false;
};

const Kind kKinds[] = {{"a training", {"run", "training", "faulty"}, "fault=train hangs"},
                       {"an evaluation", {"run", "evaluation", "faulty"}, "fault=evaluate hangs"},
                       {"a run with retries", {"run", "training", "tries", "--retries", "1"}, "fault=hangs", true}};

Words words_of(const Kind& kind, bool hangs, const char* grace) {
  Words words = kind.words;
  words.insert(words.end(), {"--dataset", FaultStore::dataset().string(), "--grace", grace});
  if (hangs) words.insert(words.end(), {"--env", kind.hangs});
  if (!hangs && kind.tried_again) words.insert(words.end(), {"--env", "failures=0"});
  return words;
}

// Letters: r the runner, s the supervisor, n the first process below it, i the job's own. In the order of their deaths, in
// which nobody has time to tell of another's.
const char* const kVictims[] = {"r", "s", "i", "rs", "ri", "si", "rsi", "n", "rn"};

struct Ending {
  std::string status;
  std::string reason;
};

Ending ending_of(const std::string& state, const std::string& victims) {
  if (victims.find('s') != std::string::npos) return {"Failed", "lost"};
  if (state == "Stopping" || victims == "r") return {"Killed", "stopped"};
  return {"Failed", "crashed"};
}

// A hanging run that is in a state, with all the processes that it has there.
class HangingRun {
 public:
  HangingRun(const Kind& kind, const std::string& state, const char* grace) : store_(FaultStore::fresh()) {
    std::optional<Fault> pause;
    if (state == "Staged") {
      const CommandEnd whole = FaultStore(FaultStore::fresh()).run(words_of(kind, false, grace), Fault{});
      pause = Fault{journal_calls(whole).at(2), Fault::Mode::pause};
    }
    runner_.emplace(store_.start(words_of(kind, true, grace), told_.path() / "told", pause));
    wait_for("the package to be called", [&] { return is_called(store_); });
    // One that is to go well the next time has to know that there was a time before.
    if (kind.tried_again)
      wait_for("the attempt to be counted",
               [&] { return !content(only_run(store_) / "checkpoints/attempts").empty(); });
    if (pause) wait_for("the runner to pause", [&] { return is_paused(runner_->pid()); });
    if (!pause) wait_for("the state Running", [&] { return store_.last_state() == "Running"; });
    if (state == "Stopping") {
      const CommandEnd asked = store_.run({"runs", "stop", only_run(store_).filename().string(), "--no-wait"});
      if (asked.code != 0) throw std::runtime_error("cannot stop: " + asked.story());
      wait_for("the state Stopping", [&] { return store_.last_state() == "Stopping"; });
    }
    REQUIRE(store_.last_state() == state);
    processes_ = job_processes(store_);
    REQUIRE(processes_.supervisor);
    REQUIRE(processes_.inner);
  }

  [[nodiscard]] const FaultStore& store() const { return store_; }
  [[nodiscard]] bool has(char victim) const { return victim != 'n' || processes_.init; }

  void kill(const std::string& victims) {
    const bool runner_lives = victims.find('r') == std::string::npos;
    if (!runner_lives) kill_and_wait(runner_->pid());
    // What dies together has no time to say so.
    if (victims.find('s') != std::string::npos) kill_and_wait(*processes_.supervisor);
    if (victims.find('n') != std::string::npos) kill_and_wait(*processes_.init);
    if (victims.find('i') != std::string::npos) kill_and_wait(*processes_.inner);
    if (runner_lives) REQUIRE(runner_->signal(SIGCONT).ok());
  }

  // What its runner, which lives, says to all that.
  CommandEnd wait_for_runner() {
    const auto status = runner_->wait(std::chrono::seconds(20));
    if (!status.ok() || !*status) throw std::runtime_error("the runner does not end");
    return {(*status)->code, (*status)->signal, "", content(told_.path() / "told"), {}};
  }

 private:
  FaultStore store_;
  TempFolder told_;
  std::optional<Process> runner_;
  JobProcesses processes_;
};

// False when it has no such process.
bool kill_in(const Kind& kind, const std::string& state, const std::string& victims) {
  INFO(kind.name << " in " << state << ", killed: " << victims);
  // Nobody but the supervisor ends a job that is being stopped when the runner is gone.
  HangingRun run(kind, state, state == "Stopping" && victims == "r" ? "500ms" : "60s");
  const FaultStore& store = run.store();
  for (const char victim : victims) {
    if (!run.has(victim)) return false;
  }
  run.kill(victims);
  const bool runner_lives = victims.find('r') == std::string::npos;
  if (runner_lives) {
    const CommandEnd end = run.wait_for_runner();
    INFO(end.story());
    const bool stopped = state == "Stopping" && victims.find('s') == std::string::npos;
    const bool again = kind.tried_again && state != "Stopping";
    REQUIRE(end.code == (again ? 0 : stopped ? 130 : 1));
  } else if (victims == "r" && state != "Stopping") {
    // The job goes on, and somebody has to stop it.
    REQUIRE(store.list_runs().at(0).at("status") == "Running");
    REQUIRE(store.run({"runs", "stop", only_run(store).filename().string(), "--now"}).code == 0);
  } else {
    // Those who live need a moment to notice.
    store.wait_until_quiet();
    // What is to be tried again goes on in the background.
    static_cast<void>(store.list_runs());
  }
  store.wait_until_quiet();
  const StoreLook look = require_promises(store);
  REQUIRE(look.runs.size() == 1);
  Ending ending = ending_of(state, victims);
  std::vector<std::string> attempts = {ending.reason};
  if (kind.tried_again && ending.status == "Failed" && state != "Stopping") {
    ending = {"Successful", "ok"};
    attempts.push_back("ok");
  }
  REQUIRE(look.runs[0].at("status") == ending.status);
  REQUIRE(look.runs[0].at("reason") == ending.reason);
  std::vector<std::string> reasons;
  const Json results = Json::parse(content(only_run(store) / "_results.json"));
  for (const Json& attempt : results.at("traceability").at("attempts"))
    reasons.push_back(attempt.at("reason").get<std::string>());
  REQUIRE(reasons == attempts);
  return true;
}

// What a supervisor left tells how its run ends.
void require_told_end(const FaultStore& store, const Json& run) {
  const std::string exit = content(only_run(store) / "exit.json");
  if (exit.empty()) {
    REQUIRE(run.at("reason") == "lost");
    return;
  }
  const Json told = Json::parse(exit);
  REQUIRE(run.at("reason") == (told.at("signal") == SIGKILL   ? "crashed"
                               : told.at("failure").is_null() ? "ok"
                                                              : "store_error"));
}

}  // namespace

TEST_CASE("whoever is killed in a run that is at work, its end is told and nothing goes on", "[deaths]") {
  int deaths = 0;
  for (const Kind& kind : kKinds) {
    for (const char* const state : {"Staged", "Running", "Stopping"}) {
      for (const char* const victims : kVictims) {
        deaths += kill_in(kind, state, victims) ? 1 : 0;
      }
    }
  }
  std::cout << deaths << " deaths in runs at work" << std::endl;
}

TEST_CASE("whoever is killed at any call of the supervisor, the run ends as it should", "[supervisor_deaths]") {
  const Words words = {"run", "training", "counts", "--dataset", FaultStore::dataset().string()};
  Fault fault{0, Fault::Mode::kill, 0, Fault::In::supervisor};
  const std::vector<std::string> calls = FaultStore(FaultStore::fresh()).run(words, fault).calls;
  REQUIRE(calls.size() > 15);
  std::size_t points = 0;
  std::size_t number = 0;
  for (fault.at = 1; fault.at <= calls.size(); ++fault.at) {
    for (const char* const victims : {"p", "s", "d", "ps", "pd", "sd", "psd"}) {
      if (!every_one() && ++number % 3 != 0) continue;
      fault.victims = victims;
      const FaultStore store(FaultStore::fresh());
      const CommandEnd end = store.run(words, fault);
      // How often it looks at a fast job is not always the same, so the last calls may not come.
      const bool reached = end.calls.size() >= fault.at;
      INFO("before '" << calls[fault.at - 1] << "', killed: " << victims << "\n" << end.story());
      if (reached && fault.victims.find('p') != std::string::npos) {
        REQUIRE(end.signal == SIGKILL);
      } else {
        require_orderly_end(end);
      }
      store.wait_until_quiet();
      const StoreLook look = require_promises(store);
      REQUIRE(look.runs.size() == 1);
      require_told_end(store, look.runs[0]);
      if (++points % 10 == 0) require_next_training(store, look);
    }
  }
  std::cout << points << " deaths at " << calls.size() << " calls of the supervisor" << std::endl;
}

}  // namespace trainyard::deaths_test
