// SPDX-License-Identifier: Apache-2.0
// The power fails at every sync of a run, before it and after it, and in the command that ends what a cut has left. What
// was not synced is lost, all of it or a part that chance chooses; what was told stays true.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>

#include "tests/fault/fault_checks.hpp"
#include "tests/fault/run_processes.hpp"

namespace trainyard::power_cut_test {

namespace {

using Words = std::vector<std::string>;

// The numbers of the calls that sync, and of those after them; of all from the first on when every fault is wanted.
std::vector<std::size_t> around_syncs(const std::vector<std::string>& calls) {
  const auto syncs = [&](std::size_t at) { return at > 0 && calls[at - 1].find("sync") < calls[at - 1].find('/'); };
  std::vector<std::size_t> numbers;
  for (std::size_t at = 1; at <= calls.size(); ++at) {
    if (syncs(at) || syncs(at - 1) || (every_one() && !numbers.empty())) numbers.push_back(at);
  }
  return numbers;
}

// The machine is off: nothing goes on.
void switch_off(const FaultStore& store) {
  for (const pid_t pid : store.processes()) kill_and_wait(pid);
}

// Cuts the power around each sync of a command that is given to a copy of `start`. `look` sees what the next command made of
// it.
template <class Look>
std::size_t cut_everywhere(const FaultStore& start, const Words& words, const Look& look) {
  std::size_t cuts = 0;
  for (const std::size_t at : around_syncs(FaultStore(start).run(words, Fault{}).calls)) {
    for (const unsigned lost : {0U, static_cast<unsigned>(1 + cuts % 6)}) {
      const FaultStore store(start);
      Fault fault{at, Fault::Mode::cut};
      fault.lost = lost;
      const CommandEnd end = store.run(words, fault);
      INFO("the power fails at call " << at << ", lost " << lost << ": " << end.story());
      REQUIRE(end.signal == SIGKILL);
      switch_off(store);
      const StoreLook seen = require_promises(store);
      look(end, seen);
      if (++cuts % 8 == 0) require_next_training(store, seen);
    }
  }
  REQUIRE(cuts > 10);
  return cuts;
}

Words run_of(const char* type) { return {"run", type, "counts", "--dataset", FaultStore::dataset().string()}; }

}  // namespace

TEST_CASE("a power cut in a run loses nothing that was told", "[power_cut]") {
  Words training = run_of("training");
  training.emplace_back("--save-training-data");
  std::size_t cuts = cut_everywhere(FaultStore::fresh(), training, [](const CommandEnd& end, const StoreLook& seen) {
    if (end.out.find("counts@1.1") != std::string::npos) REQUIRE(seen.counts.size() == 2);
    REQUIRE(seen.runs.size() <= 1);
  });
  cuts += cut_everywhere(FaultStore::fresh(), run_of("evaluation"), [](const CommandEnd&, const StoreLook& seen) {
    REQUIRE(seen.counts.size() == 1);
    REQUIRE(seen.runs.size() <= 1);
  });
  std::cout << cuts << " power cuts in runs" << std::endl;
}

TEST_CASE("a power cut in the command that ends a run that was left loses nothing of it", "[power_cut]") {
  const Words training = run_of("training");
  const std::vector<std::size_t> entries = journal_calls(FaultStore(FaultStore::fresh()).run(training, Fault{}));
  const FaultStore left(FaultStore::fresh());
  REQUIRE(left.run(training, Fault{entries.at(3), Fault::Mode::kill}).signal == SIGKILL);
  left.wait_until_quiet();
  REQUIRE(left.last_state() == "Running");
  const std::size_t cuts = cut_everywhere(left, {"runs", "list"}, [](const CommandEnd&, const StoreLook& seen) {
    REQUIRE(seen.runs.size() == 1);
    REQUIRE(seen.counts.size() == (seen.runs[0].at("status") == "Successful" ? 2 : 1));
  });
  std::cout << cuts << " power cuts in recoveries" << std::endl;
}

}  // namespace trainyard::power_cut_test
