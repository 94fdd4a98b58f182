// SPDX-License-Identifier: Apache-2.0
// What is attested once the results of a run are written, and the keys for it, when the process dies on the way or a call fails.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>

#include "storage/packages/attestations.hpp"
#include "tests/fault/fault_checks.hpp"

namespace trainyard::attesting_test {
namespace {

// The number of the call that gives _results.json its name.
std::size_t results_call(const CommandEnd& whole) {
  for (const std::string& call : whole.calls) {
    if (call.find(" link") != std::string::npos && call.ends_with("/_results.json")) return std::stoul(call);
  }
  return 0;
}

std::vector<std::string> evaluation() {
  return {"run", "evaluation", "counts@1.0", "--dataset", FaultStore::dataset().string(), "--name", "judge"};
}

Json attestations_of(const FaultStore& store, const std::string& version) {
  const CommandEnd end = store.run({"attestations", version, "--json"});
  INFO(end.story());
  REQUIRE(end.code == 0);
  return Json::parse(end.out);
}

void require_attested(const FaultStore& store) {
  const Json checks = attestations_of(store, "counts@1.1");
  REQUIRE(checks.size() == 2);
  for (const Json& check : checks) REQUIRE(check.at("good") == true);
}

}  // namespace

TEST_CASE("a runner that is killed before its version is attested leaves that to the next command",
          "[killed_attesting]") {
  const CommandEnd whole = FaultStore(FaultStore::fresh()).train(Fault{});
  const std::size_t results = results_call(whole);
  REQUIRE(results > 0);
  std::size_t made_later = 0;
  for (std::size_t at = results; at <= whole.calls.size(); ++at) {
    const FaultStore store(FaultStore::fresh());
    const CommandEnd end = store.train(Fault{at, Fault::Mode::kill});
    INFO(story_of(Fault{at, Fault::Mode::kill}, end));
    REQUIRE(end.signal == SIGKILL);
    store.wait_until_quiet();
    const bool attested = is_there(store.root() / "packages" / "counts" / "1.1.intoto.jsonl");
    require_promises(store);
    require_attested(store);
    if (!attested) ++made_later;
  }
  REQUIRE(made_later > 3);
  std::cout << "killed before it attested: " << made_later << " times, made up for by the next command" << std::endl;
}

TEST_CASE("an evaluation that is killed before it attests leaves that to the next command", "[killed_attesting]") {
  const CommandEnd whole = FaultStore(FaultStore::fresh()).run(evaluation(), Fault{});
  const std::size_t results = results_call(whole);
  REQUIRE(results > 0);
  for (std::size_t at = results; at <= whole.calls.size(); ++at) {
    const FaultStore store(FaultStore::fresh());
    const CommandEnd end = store.run(evaluation(), Fault{at, Fault::Mode::kill});
    INFO(story_of(Fault{at, Fault::Mode::kill}, end));
    REQUIRE(end.signal == SIGKILL);
    store.wait_until_quiet();
    const StoreLook look = require_promises(store);
    const Path run = store.root() / "runs" / look.runs.at(0).at("run").get<std::string>();
    REQUIRE(read_attestations(run / std::string(kRunAttestations)).value().size() == 1);
  }
}

TEST_CASE("a run whose attesting fails has gone well", "[failing_attesting]") {
  const CommandEnd whole = FaultStore(FaultStore::fresh()).train(Fault{});
  std::size_t unattested = 0;
  for (std::size_t at = results_call(whole) + 1; at <= whole.calls.size(); ++at) {
    const std::string& call = whole.calls[at - 1];
    const bool attesting = call.find("attestations.lock") != std::string::npos ||
                           call.find(".intoto.jsonl") != std::string::npos ||
                           call.find("/tmp/file-") != std::string::npos;
    if (!attesting) continue;
    const FaultStore store(FaultStore::fresh());
    const CommandEnd end = store.train(Fault{at, Fault::Mode::fail, EIO});
    INFO(story_of(Fault{at, Fault::Mode::fail, EIO}, end));
    REQUIRE(end.code == 0);
    const StoreLook look = require_promises(store);
    REQUIRE(look.counts.size() == 2);
    if (end.err.find("counts@1.1 is not attested: ") != std::string::npos) ++unattested;
    REQUIRE(store.run({"sign", "counts@1.1"}).code == 0);
    require_attested(store);
  }
  REQUIRE(unattested > 2);
}

TEST_CASE("a key that is made while anything fails is there or can be made again", "[failing_keys]") {
  const std::vector<std::string> words = {"keys", "generate", "own"};
  every_fault("a key", FaultStore::fresh(), words, [&](const FaultStore& store, const CommandEnd& end) {
    const CommandEnd again = store.run(words);
    INFO(again.story());
    REQUIRE(
        (again.code == 0 || (again.code == 2 && again.err.find("there is a key 'own' already") != std::string::npos)));
    const Json keys = Json::parse(store.run({"keys", "list", "--json"}).out);
    REQUIRE(keys.size() == 2);
    REQUIRE(keys[0].at("name") == "own");
    REQUIRE(keys[0].at("private") == true);
    if (end.code == 0) REQUIRE(again.code == 2);
    REQUIRE(store.run({"sign", "counts@1.0", "--key", "own"}).code == 0);
  });
}

}  // namespace trainyard::attesting_test
