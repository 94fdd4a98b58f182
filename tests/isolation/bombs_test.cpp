// SPDX-License-Identifier: Apache-2.0
// Packages that take too much of one thing: the run ends for that, with the figure, and the machine goes on.
#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/isolation/person.hpp"

using namespace trainyard;

namespace {

struct Bomb {
  const char* name;
  std::vector<std::string> limits;
  const char* reason;
  const char* limit;
};

const std::vector<Bomb>& bombs() {
  static const std::vector<Bomb> all = {
      {"memory", {"--memory", "128M"}, "out_of_memory", "memory"},
      {"memory of many", {"--memory", "128M"}, "out_of_memory", "memory"},
      {"processes", {"--processes", "100"}, "too_many_processes", "processes"},
      {"files", {"--open-files", "200"}, "too_many_open_files", "open_files"},
      {"disk", {"--disk", "64M"}, "disk_full", "disk"},
      {"layer", {"--disk", "64M"}, "disk_full", "disk"},
      {"log", {"--log-size", "16M"}, "log_full", "log"},
      {"events", {"--log-size", "16M"}, "log_full", "log"},
  };
  return all;
}

struct Row {
  const char* who;
  Person::Kind kind;
  std::vector<std::string> options;
};

// Whose operator new never throws, but ends the process.
bool ended_by_sanitizer([[maybe_unused]] const Bomb& bomb, [[maybe_unused]] const PersonsRun& run) {
#ifdef __SANITIZE_ADDRESS__
  return std::string(bomb.limit) == "memory" && run.reason() == "package_error";
#else
  return false;
#endif
}

}  // namespace

TEST_CASE("a run that takes too much of one thing ends for that, with the figure") {
  const Row row = GENERATE(values<Row>({{"myself", Person::Kind::myself, {}},
                                        {"myself, no control groups", Person::Kind::myself, {"--without", "cgroup"}},
                                        {"ordinary user", Person::Kind::ordinary, {}},
                                        {"no layers", Person::Kind::myself, {"--isolation", "none"}}}));
  if (!Person::can_be(row.kind)) return;
  Person person(row.kind);
  std::printf("%s\n", row.who);
  for (const Bomb& bomb : bombs()) {
    std::vector<std::string> options = {"--env", std::string("bomb=") + bomb.name};
    options.insert(options.end(), bomb.limits.begin(), bomb.limits.end());
    options.insert(options.end(), row.options.begin(), row.options.end());
    const PersonsRun run = person.train("red_team", options);
    std::printf("  %-16s %-20s %s\n", bomb.name, run.reason().c_str(), run.message().c_str());
    INFO(row.who << ", " << bomb.name << ": " << run.message());
    const Json& limit = run.attempt().at("limit");
    if (!ended_by_sanitizer(bomb, run)) {
      CHECK(run.reason() == bomb.reason);
      CHECK((limit.is_object() && limit.at("limit") == bomb.limit));
    }
    CHECK(run.results.at("run_summary").at("outputs").at("version").is_null());
    CHECK(run.output.status.code == (std::string(bomb.reason) == "disk_full" ? 3 : 1));
  }
  // What they left does not keep the next run from anything.
  CHECK(person.train("counts", row.options).reason() == "ok");
}

TEST_CASE("memory that is shared by a name is memory of the run") {
  Person person(Person::Kind::myself);
  const PersonsRun run = person.train("red_team", {"--env", "bomb=shared memory", "--memory", "128M"});
  INFO(run.message());
  CHECK(run.reason() != "ok");
  CHECK((run.reason() == "out_of_memory" || run.reason() == "package_error"));
}

TEST_CASE("a run is ended before the file system of the store is full, whatever its limits") {
  struct Row {
    const char* file_system;
    const char* bomb;
    const char* limit;
  };
  const Row row =
      GENERATE(values<Row>({{"size=1200m", "disk", "free_disk"}, {"nr_inodes=20000", "many files", "free_files"}}));
  const auto person = Person::with_small_store(row.file_system);
  if (person == nullptr) {
    WARN("no file system can be mounted here");
    return;
  }
  const PersonsRun run = person->train("red_team", {"--env", std::string("bomb=") + row.bomb});
  INFO(run.message());
  CHECK(run.reason() == "disk_full");
  CHECK((run.attempt().at("limit").is_object() && run.attempt().at("limit").at("limit") == row.limit));
  // What a failed run has made is kept, until somebody decides otherwise.
  person->must({"runs", "delete", "r1"});
  const PersonsRun next = person->train("counts", {});
  INFO(next.message());
  CHECK(next.reason() == "ok");
}

TEST_CASE("what a package plants in its outputs ends its own run alone") {
  Person person(Person::Kind::myself);
  person.own_file("home/diary", "private\n");
  const PersonsRun link = person.train("red_team", {"--env", "bomb=symlink"});
  CHECK(link.reason() == "package_error");
  CHECK(link.message().find("passwd") != std::string::npos);
  const PersonsRun above = person.train("red_team", {"--env", "bomb=climbs"});
  CHECK(above.reason() == "package_error");
  CHECK(above.message().find("above") != std::string::npos);
  // Nothing of where the link leads to is taken for what the run has made.
  const PersonsRun elsewhere =
      person.train("red_team", {"--env", "bomb=elsewhere", "--env", "elsewhere=" + person.home().string()});
  CHECK(elsewhere.reason() == "package_error");
  CHECK(elsewhere.results.at("traceability").at("artifacts").is_null());
  CHECK(is_there(person.home() / "diary"));
  // A file of that name among the artifacts is a file like any other.
  const PersonsRun results = person.train("red_team", {"--env", "bomb=results"});
  CHECK(results.reason() == "ok");
  CHECK(results.results.at("traceability").at("schema") == "trainyard.results/1");
  CHECK(person.trainyard({"store", "fsck"}).status.code == 0);
}
