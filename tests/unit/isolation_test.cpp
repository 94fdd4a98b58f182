// SPDX-License-Identifier: Apache-2.0
#include "runner/core/isolation.hpp"

#include <catch2/catch.hpp>

namespace trainyard::isolation_test {
namespace {

using Layers = std::set<Layer>;

const Layers kAllOfRoot = {Layer::landlock, Layer::seccomp, Layer::mount, Layer::pid,
                           Layer::ipc,      Layer::network, Layer::cgroup};

Layers with(Layers layers, Layer more) {
  layers.insert(more);
  return layers;
}

Layers less(Layers layers, const Layers& gone) {
  for (const Layer layer : gone) layers.erase(layer);
  return layers;
}

IsolationFacts facts(bool root, const Layers& missing) {
  IsolationFacts facts;
  facts.root = root;
  for (const Layer layer : missing) facts.missing[layer] = "for a reason";
  return facts;
}

constexpr auto kBest = IsolationMode::best_effort;
constexpr auto kStrict = IsolationMode::strict;

}  // namespace

TEST_CASE("the layers of a job are those that are asked for and that the machine has", "[isolation]") {
  struct Row {
    IsolationWish wish;
    IsolationFacts facts;
    Layers layers;
    Layers missing;
  };
  const auto none = NetworkAccess::none;
  const auto host = NetworkAccess::host;
  const Row rows[] = {
      {{kBest, none, {}}, facts(true, {}), kAllOfRoot, {}},
      {{kBest, none, {}}, facts(false, {}), with(kAllOfRoot, Layer::user), {}},
      {{kStrict, none, {}}, facts(true, {}), kAllOfRoot, {}},
      {{kBest, host, {}}, facts(true, {}), less(kAllOfRoot, {Layer::network}), {}},
      {{kStrict, host, {}}, facts(true, {Layer::network}), less(kAllOfRoot, {Layer::network}), {}},
      {{IsolationMode::none, none, {}}, facts(true, {}), {}, {}},
      {{kBest, none, {}}, facts(true, {Layer::landlock}), less(kAllOfRoot, {Layer::landlock}), {Layer::landlock}},
      {{kBest, none, {}},
       facts(true, {Layer::mount}),
       less(kAllOfRoot, {Layer::mount, Layer::pid}),
       {Layer::mount, Layer::pid}},
      {{kBest, none, {}},
       facts(false, {Layer::user}),
       {Layer::landlock, Layer::seccomp, Layer::cgroup},
       {Layer::user, Layer::mount, Layer::pid, Layer::ipc, Layer::network}},
      {{kBest, none, {Layer::ipc}}, facts(true, {}), less(kAllOfRoot, {Layer::ipc}), {}},
      {{kStrict, none, {Layer::cgroup}}, facts(true, {Layer::cgroup}), less(kAllOfRoot, {Layer::cgroup}), {}},
      {{kBest, none, {Layer::mount}}, facts(true, {}), less(kAllOfRoot, {Layer::mount, Layer::pid}), {Layer::pid}},
  };
  for (const Row& row : rows) {
    CAPTURE(to_json(row.wish), to_json(row.facts));
    const auto plan = plan_isolation(row.wish, row.facts);
    REQUIRE(plan.ok());
    CHECK((plan->wish == row.wish));
    CHECK((plan->layers == row.layers));
    Layers missing;
    for (const auto& [layer, why] : plan->missing) missing.insert(layer);
    CHECK((missing == row.missing));
    CHECK((isolation_from(to_json(*plan)).value() == *plan));
  }
}

TEST_CASE("strict isolation is refused with the layer that is missing and why", "[isolation]") {
  const auto refused = plan_isolation({kStrict, NetworkAccess::none, {}}, facts(true, {Layer::cgroup}));
  CHECK(refused.error().code == Errc::incompatible);
  CHECK(refused.error().message ==
        "--isolation strict needs the layer cgroup, which is missing here: for a reason; 'trainyard doctor' lists them "
        "all");
  CHECK_FALSE(plan_isolation({kStrict, NetworkAccess::none, {Layer::mount}}, facts(true, {})).ok());
}

TEST_CASE("what is asked of isolation, and what is there, is written as it is read", "[isolation]") {
  const IsolationWish wish{kStrict, NetworkAccess::host, {Layer::ipc, Layer::pid}};
  CHECK((isolation_wish_from(to_json(wish)).value() == wish));
  CHECK((isolation_facts_from(to_json(facts(true, {Layer::seccomp}))).value() == facts(true, {Layer::seccomp})));
  for (const Layer layer : kLayers) {
    CHECK(parse_layer(name_of(layer)).value() == layer);
    CHECK_FALSE(what_it_does(layer).empty());
    CHECK_FALSE(what_helps(layer).empty());
  }
  CHECK(parse_layer("moat").error().message ==
        "'moat' is none of landlock, seccomp, user, mount, pid, ipc, network, cgroup");
  CHECK(parse_isolation_mode("Strict").error().message == "'Strict' is none of strict, best-effort, none");
  CHECK(parse_network_access("lan").error().message == "'lan' is neither none nor host");
}

}  // namespace trainyard::isolation_test
