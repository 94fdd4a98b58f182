// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_definition.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "tests/unit/example_run.hpp"

namespace trainyard::run_definition_test {

TEST_CASE("runs have one definition when the code is given the same", "[run_definition]") {
  const RunPlan plan = example::plan();
  struct Row {
    const char* what;
    bool same;
    std::function<void(RunPlan&)> change;
  };
  const Row rows[] = {
      {"nothing", true, [](RunPlan&) {}},
      {"another id, name and time", true,
       [](RunPlan& p) {
         p.run = RunId::parse("019b76da-a800-7c3f-9a51-6d0e8f1b2c4e").value();
         p.name = RunName::parse("other").value();
         p.created_at = Instant{5};
       }},
      {"a snapshot is kept", true, [](RunPlan& p) { p.environment["save_training_data"] = "true"; }},
      {"limits, priority, retries, mount", true,
       [](RunPlan& p) {
         p.request.limits.memory_bytes = 5;
         p.request.priority = 3;
         p.request.retries = 2;
         p.request.mount = MountKind::copy;
       }},
      {"the same tree under another number", true,
       [](RunPlan& p) {
         p.parent.version = {2, 0};
       }},
      {"where the data lies", true, [](RunPlan& p) { p.data.folder = "/elsewhere"; }},
      {"a variable", false, [](RunPlan& p) { p.environment["note"] = "x"; }},
      {"the value of a parameter", false, [](RunPlan& p) { p.parameters.front().value = std::int64_t{11}; }},
      {"the type of a parameter", false, [](RunPlan& p) { p.parameters.front().value = std::string("30"); }},
      {"the type of the run", false, [](RunPlan& p) { p.request.type = RunType::full; }},
      {"the package's tree", false, [](RunPlan& p) { p.parent.content.tree.digest = sha256("other"); }},
      {"the interpreter", false, [](RunPlan& p) { p.request.python = "/usr/bin/python3"; }},
      {"the dependencies", false, [](RunPlan& p) { p.request.dependencies = Dependencies::venv; }},
      {"GPUs", false, [](RunPlan& p) { p.gpus = 1; }},
      {"one node, said aloud", true, [](RunPlan& p) { p.request.placement.nodes = 1; }},
      {"nodes", false, [](RunPlan& p) { p.request.placement.nodes = 2; }},
      {"how they divide the data", false,
       [](RunPlan& p) {
         p.request.placement.nodes = 2;
         p.request.placement.sharding = DataSharding::by_file;
       }},
      {"a secret", false,
       [](RunPlan& p) {
         p.secrets.emplace("TOKEN", SaltedDigest{{}, sha256("x")});
       }},
  };
  std::set<std::string> different;
  for (const Row& row : rows) {
    RunPlan changed = plan;
    row.change(changed);
    CAPTURE(row.what);
    CHECK((definition_of(changed) == definition_of(plan)) == row.same);
    if (!row.same) CHECK(different.insert(definition_of(changed).hex()).second);
  }
  RunPlan salted = plan;
  salted.secrets.emplace("TOKEN", SaltedDigest{{1}, sha256("y")});
  CHECK(different.contains(definition_of(salted).hex()));
  CHECK(data_text(sha256("a"), std::nullopt) != data_text(sha256("a"), sha256("b")));
  CHECK(data_text(sha256("a"), sha256("b")) != data_text(sha256("b"), sha256("a")));
}

}  // namespace trainyard::run_definition_test
