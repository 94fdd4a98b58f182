// SPDX-License-Identifier: Apache-2.0
// The runner of an evaluation, of a full run, of a run with retries and of a reproduction is killed at calls all over it, as that of a training
// is in kill_test.cpp.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>
#include <set>

#include "tests/fault/fault_checks.hpp"
#include "tests/fault/run_processes.hpp"

namespace trainyard::kill_kinds_test {

namespace {

using Words = std::vector<std::string>;

struct Seen {
  std::size_t points = 0;
  std::set<std::string> states;
};

// Before every call, or before every `step`th of them and each that follows an entry of the journal.
Seen kill_all_over(const Words& words, std::size_t step, std::size_t attempts) {
  const CommandEnd whole = FaultStore(FaultStore::fresh()).run(words, Fault{});
  REQUIRE(whole.code == 0);
  const std::vector<std::size_t> entries = journal_calls(whole);
  Seen seen;
  for (std::size_t at = 1; at <= whole.calls.size(); ++at) {
    const bool late = std::find(entries.begin(), entries.end(), at) != entries.end();
    if (!every_one() && at % step != 0 && !late) continue;
    const FaultStore store(FaultStore::fresh());
    const CommandEnd end = store.run(words, Fault{at, Fault::Mode::kill});
    INFO("killed at call " << at << ": " << end.story());
    // How much is written depends on what came in how many pieces from the job.
    if (!end.reached(at)) continue;
    REQUIRE(end.signal == SIGKILL);
    const std::string state = store.last_state();
    INFO("its last state: " << state);
    store.wait_until_quiet();
    // What is to be tried again goes on in the background.
    static_cast<void>(store.list_runs());
    store.wait_until_quiet();
    const StoreLook look = require_promises(store);
    REQUIRE(look.runs.size() == (state == "none" ? 0 : 1));
    if (state != "none" && state != "Planned" && state != "Staged") {
      REQUIRE(look.runs[0].at("status") == "Successful");
      const Json results = Json::parse(content(only_run(store) / "_results.json"));
      REQUIRE(results.at("traceability").at("attempts").size() == attempts);
    }
    if (state == "Planned") REQUIRE(look.runs[0].at("reason") == "lost");
    ++seen.points;
    seen.states.insert(state);
  }
  return seen;
}

void tell(const char* what, const Seen& seen) {
  std::cout << what << ": killed at " << seen.points << " calls, states at death:";
  for (const std::string& state : seen.states) std::cout << " " << state;
  std::cout << std::endl;
}

Words run_of(const char* type, const char* package) {
  return {"run", type, package, "--dataset", FaultStore::dataset().string()};
}

}  // namespace

TEST_CASE("an evaluation whose runner is killed loses nothing", "[kill_evaluation]") {
  const Seen seen = kill_all_over(run_of("evaluation", "counts"), 6, 1);
  tell("an evaluation", seen);
  REQUIRE(seen.states == std::set<std::string>{"none", "Planned", "Staged", "Running", "Exited", "Succeeded",
                                               "Collected", "Evaluated"});
}

TEST_CASE("a full run whose runner is killed loses nothing", "[kill_full]") {
  const Seen seen = kill_all_over(run_of("full", "counts"), 12, 1);
  tell("a full run", seen);
  REQUIRE(seen.states == std::set<std::string>{"none", "Planned", "Staged", "Running", "Exited", "Succeeded",
                                               "Collected", "Published"});
}

TEST_CASE("a run with retries whose runner is killed is tried again", "[kill_retries]") {
  Words words = run_of("training", "tries");
  words.insert(words.end(), {"--retries", "1", "--env", "failures=1"});
  const Seen seen = kill_all_over(words, 12, 2);
  tell("a run with retries", seen);
  REQUIRE(seen.states == std::set<std::string>{"none", "Planned", "Staged", "Running", "Exited", "Retrying",
                                               "Succeeded", "Collected", "Published"});
}

TEST_CASE("a reproduction whose runner is killed loses nothing and makes no version", "[kill_reproduction]") {
  const FaultStore trained(FaultStore::fresh());
  REQUIRE(trained.train().code == 0);
  const Words words = {"reproduce", "counts@1.1"};
  const CommandEnd whole = FaultStore(trained).run(words, Fault{});
  INFO(whole.story());
  REQUIRE(whole.code == 0);
  const std::vector<std::size_t> entries = journal_calls(whole);
  std::set<std::string> ends;
  for (std::size_t at = 1; at <= whole.calls.size(); ++at) {
    const bool late = std::find(entries.begin(), entries.end(), at) != entries.end();
    if (!every_one() && at % 12 != 0 && !late) continue;
    const FaultStore store(trained);
    const CommandEnd end = store.run(words, Fault{at, Fault::Mode::kill});
    INFO("killed at call " << at << ": " << end.story());
    if (!end.reached(at)) continue;
    REQUIRE(end.signal == SIGKILL);
    store.wait_until_quiet();
    static_cast<void>(store.list_runs());
    store.wait_until_quiet();
    const StoreLook look = require_promises(store);
    REQUIRE(look.counts == std::vector<std::string>{"1.0", "1.1"});
    REQUIRE(look.runs.size() <= 2);
    ends.insert(look.runs.size() < 2 ? "none" : look.runs[1].at("reason").get<std::string>());
  }
  REQUIRE(ends == std::set<std::string>{"none", "lost", "ok"});
}

}  // namespace trainyard::kill_kinds_test
