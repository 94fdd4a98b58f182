// SPDX-License-Identifier: Apache-2.0
// Every single call that changes something fails, once or from then on: the command says so in a sentence, and the next one puts things right.
#include <catch2/catch.hpp>
#include <iostream>

#include "tests/fault/fault_checks.hpp"

namespace trainyard {

namespace {

// Each call meets one of the four; the next call meets the next.
Fault fault_at(std::size_t at, std::size_t turn) {
  const std::size_t kind = (at + turn) % 4;
  return {at, kind < 2 ? Fault::Mode::fail : Fault::Mode::fail_on, kind % 2 == 0 ? EIO : ENOSPC};
}

std::string story_of(const Fault& fault, const CommandEnd& end) {
  const char* const how = fault.mode == Fault::Mode::fail_on ? " and all after it" : "";
  const std::string calls = end.calls.size() < fault.at ? "" : "\nthe call: " + end.calls[fault.at - 1];
  return "call " + std::to_string(fault.at) + how + " fails with " + std::to_string(fault.error_number) + calls + "\n" + end.story();
}

void require_right_end(const CommandEnd& end, const StoreLook& look) {
  if (look.runs.empty()) {
    REQUIRE(end.code == 3);
    return;
  }
  const auto status = look.runs[0].at("status").get<std::string>();
  // What the command told is true.
  if (end.code == 0) REQUIRE(status == "Successful");
  if (end.code == 1) REQUIRE(status == "Failed");
}

void fail_every_call_of_a_training(std::size_t turn) {
  std::size_t points = 0;
  for (std::size_t at = 1;; ++at, ++points) {
    const FaultStore store(FaultStore::fresh());
    const Fault fault = fault_at(at, turn);
    const CommandEnd end = store.train(fault);
    INFO(story_of(fault, end));
    require_orderly_end(end);
    if (end.calls.size() < at) break;
    store.wait_until_quiet();
    const StoreLook look = require_promises(store);
    require_right_end(end, look);
    if (at % 5 == 0) require_next_training(store, look);
  }
  std::cout << "a training with a failing call, turn " << turn << ": " << points << " fault points" << std::endl;
}

// Inflicts every kind of fault on every call of a short command. `again` looks at the store after it.
template <class Start, class Again>
void every_fault(const char* what, const Start& start, const std::vector<std::string>& words, const Again& again) {
  std::size_t points = 0;
  for (std::size_t at = 1;; ++at) {
    bool met = false;
    for (const Fault& fault : {Fault{at, Fault::Mode::kill}, Fault{at, Fault::Mode::tear}, Fault{at, Fault::Mode::fail, EIO},
                               Fault{at, Fault::Mode::fail, ENOSPC}, Fault{at, Fault::Mode::fail_on, EIO}, Fault{at, Fault::Mode::fail_on, ENOSPC}}) {
      const FaultStore store(start);
      const CommandEnd end = store.run(words, fault);
      INFO(what << ": " << story_of(fault, end));
      if (end.code) require_orderly_end(end);
      again(store, end);
      if (end.calls.size() < at) continue;
      met = true;
      ++points;
    }
    if (!met) break;
  }
  std::cout << what << ": " << points << " faults" << std::endl;
}

}  // namespace

TEST_CASE("a training in which any one call fails ends in order", "[failing_training]") { fail_every_call_of_a_training(0); }

TEST_CASE("a training in which any one call fails in another way ends in order", "[failing_training_otherwise]") {
  fail_every_call_of_a_training(2);
}

TEST_CASE("an upload that meets any fault is there whole or not at all", "[failing_upload]") {
  const std::vector<std::string> words = {"package", "add", FaultStore::package("counts").string()};
  every_fault("package add", FaultStore::fresh(), words, [&](const FaultStore& store, const CommandEnd& end) {
    const StoreLook look = require_promises(store);
    if (end.code == 0) REQUIRE(look.counts == std::vector<std::string>{"1.0", "2.0"});
    const CommandEnd added = store.run(words);
    INFO("the upload after it: " << added.story());
    REQUIRE(added.code == 0);
    REQUIRE(require_promises(store).counts.size() == look.counts.size() + 1);
  });
}

TEST_CASE("a snapshot that meets any fault is there whole or not at all", "[failing_snapshot]") {
  const std::vector<std::string> words = {"snapshot", "create", FaultStore::dataset().string()};
  every_fault("snapshot create", FaultStore::fresh(), words, [&](const FaultStore& store, const CommandEnd& end) {
    require_promises(store);
    if (end.code == 0) REQUIRE_FALSE(list_folder(store.root() / "snapshots").value().empty());
    REQUIRE(store.run(words).code == 0);
    require_promises(store);
    REQUIRE(list_folder(store.root() / "snapshots").value().size() == 1);
  });
}

TEST_CASE("a store whose making meets any fault can be made again", "[failing_init]") {
  const FaultStore nothing;
  boost::filesystem::create_directory(nothing.root());
  every_fault("init", nothing, {"init"}, [&](const FaultStore& store, const CommandEnd& end) {
    const CommandEnd again = store.run({"init"});
    INFO("the second init: " << again.story());
    const bool made_before = again.code == 2 && again.err.find("is a store already") != std::string::npos;
    REQUIRE((again.code == 0 || made_before));
    if (end.code == 0) REQUIRE(made_before);
    REQUIRE(store.run({"package", "add", FaultStore::package("counts").string()}).code == 0);
    require_next_training(store, require_promises(store));
  });
}

}  // namespace trainyard
