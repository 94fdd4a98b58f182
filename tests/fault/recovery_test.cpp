// SPDX-License-Identifier: Apache-2.0
// The command that ends what a dead runner left is itself killed, or fails, at every single call.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>

#include "tests/fault/fault_checks.hpp"

namespace trainyard {

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

void interrupt_every_recovery(Fault::Mode mode, int error_number) {
  std::size_t points = 0;
  for (const Death& death : deaths()) {
    const FaultStore dead(FaultStore::fresh());
    REQUIRE(dead.train(Fault{death.at, Fault::Mode::kill}).signal == SIGKILL);
    REQUIRE(dead.last_state() == death.state);
    dead.wait_until_quiet();
    for (std::size_t at = 1;; ++at, ++points) {
      const FaultStore store(dead);
      const CommandEnd recovery = store.run({"runs", "list", "--json"}, Fault{at, mode, error_number});
      INFO("after a death in " << death.state << ", a recovery with a fault at call " << at << ": " << recovery.story());
      if (recovery.calls.size() >= at && mode == Fault::Mode::kill) REQUIRE(recovery.signal == SIGKILL);
      if (mode != Fault::Mode::kill) REQUIRE((recovery.code == 0 || recovery.code == 3));
      const StoreLook look = require_promises(store);
      REQUIRE(look.runs.size() == 1);
      if (mode == Fault::Mode::kill && death.state != "Planned") REQUIRE(look.runs[0].at("status") == "Successful");
      if (recovery.calls.size() >= at) continue;
      if (death.state != "Planned") require_next_training(store, look);
      break;
    }
  }
  std::cout << "interrupted recoveries: " << points << " fault points" << std::endl;
}

}  // namespace

TEST_CASE("a recovery that is killed before any call is taken up again", "[killed_recovery]") {
  interrupt_every_recovery(Fault::Mode::kill, 0);
}

TEST_CASE("a recovery on a full disk is taken up again", "[failing_recovery]") { interrupt_every_recovery(Fault::Mode::fail_on, ENOSPC); }

TEST_CASE("a recovery in which any one call fails is taken up again", "[failing_recovery_once]") {
  interrupt_every_recovery(Fault::Mode::fail, EIO);
}

}  // namespace trainyard
