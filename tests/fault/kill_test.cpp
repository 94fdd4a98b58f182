// SPDX-License-Identifier: Apache-2.0
// The runner is killed at every single call that changes something, and what the next command finds is put right.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>
#include <set>

#include "tests/fault/fault_checks.hpp"

namespace trainyard::kill_test {

namespace {

struct Tally {
  std::size_t points = 0;
  std::size_t rubbish = 0;  // the most files that one death left in tmp/ and that stayed there
  std::set<std::string> states;

  void tell(const char* what) const {
    std::cout << what << ": " << points << " fault points, up to " << rubbish << " files left in tmp, states at death:";
    for (const std::string& state : states) std::cout << " " << state;
    std::cout << std::endl;
  }
};

// A run that had a job ends as its job did, whoever died; before that, it ends without a version.
void require_right_end(const std::string& state, const StoreLook& look) {
  if (state == "none") {
    REQUIRE(look.runs.empty());
    return;
  }
  REQUIRE(look.runs.size() == 1);
  const auto status = look.runs[0].at("status").get<std::string>();
  if (has_job(state)) REQUIRE(status == "Successful");
  if (state == "Planned") REQUIRE(status == "Failed");
  if (status == "Failed") REQUIRE(look.runs[0].at("reason") == "lost");
}

enum class Afterwards { look, train_again };

// False when the training was over before it came to the fault.
bool survives(const Fault& fault, Afterwards afterwards, Tally& tally) {
  const FaultStore store(FaultStore::fresh());
  const CommandEnd end = store.train(fault);
  INFO("training with a fault at call " << fault.at << ": " << end.story());
  if (!end.reached(fault.at)) {
    REQUIRE(end.code == 0);
    REQUIRE(require_promises(store).counts == std::vector<std::string>{"1.0", "1.1"});
    return false;
  }
  REQUIRE(end.signal == SIGKILL);
  const std::string state = store.last_state();
  INFO("its last state: " << state);
  store.wait_until_quiet();
  const StoreLook look = require_promises(store);
  require_right_end(state, look);
  if (end.out.find("counts@1.1") != std::string::npos) REQUIRE(look.counts.size() == 2);
  if (afterwards == Afterwards::train_again) require_next_training(store, look);
  ++tally.points;
  tally.rubbish = std::max(tally.rubbish, look.rubbish);
  tally.states.insert(state);
  return true;
}

void require_all_states(Tally& tally) {
  std::set<std::string> expected(kStates.begin(), kStates.end());
  expected.insert("none");
  REQUIRE(tally.states == expected);
}

// Two halves, so that two processors can share the work; each comes to every state.
void kill_at_every_second_call(std::size_t first) {
  Tally tally;
  for (std::size_t at = first;
       survives({at, Fault::Mode::kill}, at % 8 < 2 ? Afterwards::train_again : Afterwards::look, tally); at += 2) {
  }
  tally.tell(first == 1 ? "killed before every odd call" : "killed before every even call");
  require_all_states(tally);
}

}  // namespace

TEST_CASE("a runner killed before any odd call loses nothing", "[kill_odd]") { kill_at_every_second_call(1); }

TEST_CASE("a runner killed before any even call loses nothing", "[kill_even]") { kill_at_every_second_call(2); }

TEST_CASE("a runner killed right after a call loses nothing", "[kill_after]") {
  const std::vector<std::string> calls = FaultStore(FaultStore::fresh()).train(Fault{}).calls;
  REQUIRE(calls.size() > 100);
  Tally tally;
  for (std::size_t at = 1; at <= calls.size(); ++at) {
    // What lies between two calls is the same for both, but for the time that passes: a job goes on.
    const std::string& call = calls[at - 1];
    const bool special = call.find("posix_spawn") != std::string::npos || call.find("journal") != std::string::npos;
    if (!special && at % 7 != 0 && at + 3 < calls.size()) continue;
    survives({at, Fault::Mode::kill_after}, Afterwards::look, tally);
  }
  tally.tell("killed after a call");
  require_all_states(tally);
}

TEST_CASE("a runner killed in the middle of a write loses nothing", "[tear]") {
  const std::vector<std::string> calls = FaultStore(FaultStore::fresh()).train(Fault{}).calls;
  Tally tally;
  for (std::size_t at = 1; at <= calls.size(); ++at) {
    if (calls[at - 1].find(" write ") != std::string::npos) survives({at, Fault::Mode::tear}, Afterwards::look, tally);
  }
  tally.tell("killed in the middle of a write");
  // Every line of the journal was torn once: the first leaves none, the others leave the one before.
  require_all_states(tally);
}

}  // namespace trainyard::kill_test
