// SPDX-License-Identifier: Apache-2.0
// Any number of users at once: no number is given twice, none is lost.
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/test_store.hpp"

namespace trainyard::concurrency_test {
namespace {

std::vector<std::string> numbers(int major, int first, int last) {
  std::vector<std::string> all;
  for (int minor = first; minor <= last; ++minor) all.push_back(std::to_string(major) + "." + std::to_string(minor));
  return all;
}

TEST_CASE("Sixteen trainings of one version at once make sixteen versions") {
  constexpr int kRuns = 16;
  TestStore store;
  store.add("digits");
  std::vector<RunningProgram> programs;
  for (int i = 0; i < kRuns; ++i) {
    programs.push_back(store.start_training("run-" + std::to_string(i), "digits@1.0", Path(DIGITS_DATA) / "training",
                                            {"--env", "epochs=1", "--env", "seed=" + std::to_string(i)}));
  }
  std::set<std::string> made;
  std::set<std::string> trees;
  for (int i = 0; i < kRuns; ++i) {
    const ProgramOutput output = programs[static_cast<std::size_t>(i)].wait();
    INFO(output.err);
    CHECK(output.err == "");
    CHECK(output.status.code == 0);
    const EndedRun run = store.end("run-" + std::to_string(i), output);
    made.insert(run.version());
    trees.insert(run.traceability().at("version").at("tree").at("digest").get<std::string>());
    const Json record = store.json({"package", "show", "digits@" + run.version()});
    CHECK(record.at("run") == run.traceability().at("run"));
    CHECK(record.at("parent") == "1.0");
  }
  CHECK(made.size() == kRuns);
  // Every seed made a model of its own, and none lies under another's number.
  CHECK(trees.size() == kRuns);
  CHECK(store.versions("digits") == numbers(1, 0, kRuns));
  CHECK(store.json({"runs", "list"}).size() == kRuns);
  CHECK(store.leftovers() == "");
}

TEST_CASE("Eight uploads of one new name at once make eight majors") {
  constexpr int kUploads = 8;
  TestStore store;
  std::vector<RunningProgram> programs;
  for (int i = 0; i < kUploads; ++i)
    programs.push_back(store.start({"package", "add", test_package("counts.zip").string(), "--json"}));
  std::set<std::string> made;
  for (RunningProgram& program : programs) {
    const ProgramOutput output = program.wait();
    INFO(output.err);
    REQUIRE(output.status.code == 0);
    made.insert(Json::parse(output.out).at("version").get<std::string>());
  }
  std::vector<std::string> expected;
  for (int major = 1; major <= kUploads; ++major) expected.push_back(std::to_string(major) + ".0");
  CHECK(made == std::set<std::string>(expected.begin(), expected.end()));
  CHECK(store.versions("counts") == expected);
  CHECK(store.leftovers() == "");
}

}  // namespace
}  // namespace trainyard::concurrency_test
