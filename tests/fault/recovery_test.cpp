// SPDX-License-Identifier: Apache-2.0
// The command that ends what a dead runner left is itself killed, or fails, at every single call.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>

#include "tests/fault/fault_checks.hpp"

namespace trainyard::recovery_test {

namespace {

struct Death {
  std::string state;
  std::size_t at = 0;  // the call before which the runner dies
};

// One death in each state, as late in it as can be, and one with nothing but the mark of the active run left.
std::vector<Death> deaths() {
  const CommandEnd whole = FaultStore(FaultStore::fresh()).train(Fault{});
  const std::vector<std::size_t> entries = journal_calls(whole);
  REQUIRE(entries.size() == kStates.size());
  std::vector<Death> deaths;
  for (std::size_t i = 0; i + 1 < kStates.size(); ++i) deaths.push_back({kStates[i], entries[i + 1]});
  deaths.push_back({"Published", entries.back() + 2});
  deaths.push_back({"Published", whole.calls.size()});
  return deaths;
}

// The calls of a recovery at which it is interrupted. The recoveries after the deaths before Collected end in the same
// many calls, so each of them takes every fourth, counted from the end, and together they take all.
std::vector<std::size_t> places(const FaultStore& dead, std::size_t death) {
  const std::size_t all = FaultStore(dead).run({"runs", "list"}, Fault{}).calls.size();
  const std::size_t step = death >= 1 && death <= 4 ? 4 : 1;
  std::vector<std::size_t> places;
  for (std::size_t at = 1; at <= all; ++at) {
    if ((all - at) % step == death % step) places.push_back(at);
  }
  return places;
}

void interrupt_recoveries(const char* what, Fault::Mode mode, int error_number) {
  std::size_t points = 0;
  std::string shares;
  const std::vector<Death> all = deaths();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Death& death = all[i];
    const FaultStore dead(FaultStore::fresh());
    REQUIRE(dead.train(Fault{death.at, Fault::Mode::kill}).signal == SIGKILL);
    REQUIRE(dead.last_state() == death.state);
    dead.wait_until_quiet();
    const std::vector<std::size_t> interrupted = places(dead, i);
    shares += " " + death.state + " " + std::to_string(interrupted.size());
    for (const std::size_t at : interrupted) {
      const FaultStore store(dead);
      const CommandEnd recovery = store.run({"runs", "list"}, Fault{at, mode, error_number});
      INFO("after a death in " << death.state << ", a recovery with a fault at call " << at << ": "
                               << recovery.story());
      REQUIRE(recovery.reached(at));
      if (mode == Fault::Mode::kill) REQUIRE(recovery.signal == SIGKILL);
      // It is a look at the runs: that one of them could not be ended is said and does not keep the others from being
      // shown.
      if (mode != Fault::Mode::kill) REQUIRE(recovery.code == 0);
      const StoreLook look = require_promises(store);
      REQUIRE(look.runs.size() == 1);
      if (mode == Fault::Mode::kill)
        REQUIRE(look.runs[0].at("status") == (death.state == "Planned" ? "Failed" : "Successful"));
      if (++points % 8 == 0) require_next_training(store, look);
    }
  }
  std::cout << what << ": " << points << " fault points, by the state of the run:" << shares << std::endl;
}

}  // namespace

TEST_CASE("a recovery that is killed before any call is taken up again", "[killed_recovery]") {
  interrupt_recoveries("killed recoveries", Fault::Mode::kill, 0);
}

TEST_CASE("a recovery on a disk that is full is taken up again", "[recovery_on_full_disk]") {
  interrupt_recoveries("recoveries on a full disk", Fault::Mode::fail_on, ENOSPC);
}

TEST_CASE("a recovery in which any one call fails leaves nothing half", "[failing_recovery]") {
  interrupt_recoveries("recoveries with a failing call", Fault::Mode::fail, EIO);
}

}  // namespace trainyard::recovery_test
