// SPDX-License-Identifier: Apache-2.0
// Every single call that changes something fails, once or from then on: the command says so in a sentence, and the next
// one puts things right.
#include <catch2/catch.hpp>
#include <iostream>

#include "tests/fault/fault_checks.hpp"

namespace trainyard::failure_test {

namespace {

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

void fail_every_call_of_a_training(Fault::Mode mode) {
  std::size_t points = 0;
  for (std::size_t at = 1;; ++at, ++points) {
    const FaultStore store(FaultStore::fresh());
    const Fault fault{at, mode, at % 2 == 0 ? EIO : ENOSPC};
    const CommandEnd end = store.train(fault);
    INFO(story_of(fault, end));
    require_orderly_end(end);
    if (!end.reached(at)) break;
    store.wait_until_quiet();
    const StoreLook look = require_promises(store);
    require_right_end(end, look);
    if (at % 4 == 0) require_next_training(store, look);
  }
  std::cout << "a training with a failing call" << (mode == Fault::Mode::fail ? "" : " and all after it") << ": "
            << points << " fault points" << std::endl;
}

void fault_snapshots(const char* what, const Path& folder) {
  const std::vector<std::string> words = {"snapshot", "create", folder.string()};
  every_fault(what, FaultStore::fresh(), words, [&](const FaultStore& store, const CommandEnd& end) {
    require_promises(store);
    if (end.code == 0) REQUIRE(list_folder(store.root() / "snapshots").value().size() == 1);
    REQUIRE(store.run(words).code == 0);
    require_promises(store);
    REQUIRE(list_folder(store.root() / "snapshots").value().size() == 1);
  });
}

}  // namespace

TEST_CASE("a training in which any one call fails ends in order", "[failing_call]") {
  fail_every_call_of_a_training(Fault::Mode::fail);
}

TEST_CASE("a training on a disk that fails from any call on ends in order", "[failing_disk]") {
  fail_every_call_of_a_training(Fault::Mode::fail_on);
}

TEST_CASE("an upload that meets any fault is there whole or not at all", "[failing_upload]") {
  const std::vector<std::string> words = {"package", "add", FaultStore::package("counts").string()};
  const FaultStore empty;
  REQUIRE(empty.run({"init"}).code == 0);
  every_fault("package add", empty, words, [&](const FaultStore& store, const CommandEnd& end) {
    const StoreLook look = require_promises(store);
    if (end.code == 0) REQUIRE(look.counts == std::vector<std::string>{"1.0"});
    const CommandEnd added = store.run(words);
    INFO("the upload after it: " << added.story());
    REQUIRE(added.code == 0);
    REQUIRE(require_promises(store).counts.size() == look.counts.size() + 1);
  });
}

TEST_CASE("a snapshot that meets any fault is there whole or not at all", "[failing_snapshot]") {
  fault_snapshots("snapshot create", FaultStore::dataset());
}

TEST_CASE("a snapshot of many files that meets a fault is there whole or not at all", "[failing_large_snapshot]") {
  // Enough for several threads.
  const TempFolder data;
  for (int i = 0; i < 90; ++i) data.write("files/" + std::to_string(i), "content " + std::to_string(i));
  fault_snapshots("snapshot create with many files", data.path() / "files");
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
    require_promises(store);
  });
}

}  // namespace trainyard::failure_test
