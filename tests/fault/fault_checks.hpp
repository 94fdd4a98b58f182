// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "tests/fault/promises.hpp"

namespace trainyard {

// The states of a run that succeeds, in their order.
inline const std::vector<std::string> kStates = {"Planned",   "Staged",    "Running",  "Exited",
                                                 "Succeeded", "Collected", "Published"};

// Whether TRAINYARD_EVERY_FAULT asks for each fault of the tests that else take some of many.
bool every_one();

// Whether a run that is in this state has a job, so that nothing but the job decides how it ends.
bool has_job(const std::string& state);

// Requires that every promise is kept after the next command; yields what it saw.
StoreLook require_promises(const FaultStore& store);

// Requires that a training now works, makes the version after `before`, and leaves every promise kept.
void require_next_training(const FaultStore& store, const StoreLook& before);

// Requires that a command on which a fault was inflicted that it could see ended in one of the ways that are allowed:
// by itself, and with one sentence if it failed.
void require_orderly_end(const CommandEnd& end);

// What one wants to read when a test with this fault fails.
std::string story_of(const Fault& fault, const CommandEnd& end);

// What goes on around each time that a fault is inflicted.
struct FaultRound {
  std::function<void()> before = [] {};
  std::function<void(const CommandEnd&)> orderly = require_orderly_end;  // asked of a command that was not killed
};

// Inflicts every kind of fault on every call of a short command, each time upon a copy of `start`. `look` sees what came
// of it.
template <class Look>
void every_fault(const char* what, const FaultStore& start, const std::vector<std::string>& words, const Look& look,
                 const FaultRound& round = {}) {
  using Mode = Fault::Mode;
  round.before();
  const std::vector<std::string> calls = FaultStore(start).run(words, Fault{}).calls;
  std::size_t points = 0;
  for (std::size_t at = 1; at <= calls.size(); ++at) {
    for (const Fault& fault :
         {Fault{at, Mode::kill}, Fault{at, Mode::tear}, Fault{at, Mode::fail, EIO}, Fault{at, Mode::fail, ENOSPC},
          Fault{at, Mode::fail_on, EIO}, Fault{at, Mode::fail_on, ENOSPC}}) {
      round.before();
      const FaultStore store(start);
      const CommandEnd end = store.run(words, fault);
      INFO(what << ": " << story_of(fault, end));
      REQUIRE(end.reached(at));
      if (end.code) round.orderly(end);
      look(store, end);
      ++points;
    }
  }
  REQUIRE(points > 50);
  std::cout << what << ": " << points << " faults" << std::endl;
}

// The numbers of the calls before which the run enters its first, second … state, from the calls of a run that nothing
// befell.
std::vector<std::size_t> journal_calls(const CommandEnd& end);

}  // namespace trainyard
