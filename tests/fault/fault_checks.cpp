// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/fault_checks.hpp"

#include <algorithm>
#include <cstdlib>

namespace trainyard {

bool every_one() { return std::getenv("TRAINYARD_EVERY_FAULT") != nullptr; }

bool has_job(const std::string& state) {
  const auto place = std::find(kStates.begin(), kStates.end(), state);
  return place != kStates.end() && place - kStates.begin() >= 2;
}

StoreLook require_promises(const FaultStore& store) {
  StoreLook look = look_at(store);
  REQUIRE(look.broken == std::vector<std::string>());
  return look;
}

void require_next_training(const FaultStore& store, const StoreLook& before) {
  const CommandEnd trained = store.train();
  INFO("the training after it: " << trained.story());
  REQUIRE(trained.code == 0);
  const StoreLook after = require_promises(store);
  std::vector<std::string> expected = before.counts;
  expected.push_back("1." + std::to_string(before.counts.size()));
  REQUIRE(after.counts == expected);
  REQUIRE(after.runs.size() == before.runs.size() + 1);
}

void require_orderly_end(const CommandEnd& end) {
  REQUIRE(end.code.has_value());
  REQUIRE((end.code == 0 || end.code == 1 || end.code == 3));
  if (end.code == 0) return;
  REQUIRE(end.err.rfind("trainyard: ", 0) == 0);
  REQUIRE(end.err.find("mistake of Trainyard itself") == std::string::npos);
  REQUIRE(std::count(end.err.begin(), end.err.end(), '\n') == 1);
}

std::string story_of(const Fault& fault, const CommandEnd& end) {
  std::string story = "call " + std::to_string(fault.at) +
                      (fault.mode == Fault::Mode::fail_on ? " and all after it" : "") + " fails with " +
                      std::to_string(fault.error_number);
  for (const std::string& call : end.calls) {
    if (std::stoul(call) == fault.at) story += "\nthe call: " + call;
  }
  return story + "\n" + end.story();
}

std::vector<std::size_t> journal_calls(const CommandEnd& end) {
  std::vector<std::size_t> numbers;
  for (const std::string& call : end.calls) {
    if (call.find(" openat ") != std::string::npos && call.ends_with("/journal.jsonl"))
      numbers.push_back(std::stoul(call));
  }
  return numbers;
}

}  // namespace trainyard
