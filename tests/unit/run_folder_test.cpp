// SPDX-License-Identifier: Apache-2.0
#include "storage/runs/run_folder.hpp"

#include <catch2/catch.hpp>

#include "tests/support/temp_folder.hpp"

namespace trainyard::run_folder_test {
namespace {

struct Runs {
  TempFolder folder;
  RunFolders runs{folder.folder("runs"), folder.folder("active")};
};

RunId run(std::int64_t milliseconds) {
  return RunId::from(Instant{milliseconds * 1000}, std::array<std::uint8_t, 10>{});
}

using Ids = std::vector<RunId>;

}  // namespace

TEST_CASE("a run is active from its beginning to its end", "[run_folder]") {
  const Runs r;
  CHECK(r.runs.active().value().empty());
  auto lease = r.runs.begin(run(2)).value();
  REQUIRE(lease.has_value());
  auto other = r.runs.begin(run(1)).value();
  REQUIRE(other.has_value());
  CHECK(is_folder(r.runs.folder(run(2)).path()));
  CHECK(r.runs.active().value() == Ids{run(1), run(2)});
  REQUIRE(lease->finish().ok());
  CHECK(r.runs.active().value() == Ids{run(1)});
  CHECK(r.runs.list().value() == Ids{run(1), run(2)});
}

TEST_CASE("an id is taken once", "[run_folder]") {
  const Runs r;
  {
    const auto lease = r.runs.begin(run(1)).value();
    REQUIRE(lease.has_value());
    CHECK_FALSE(r.runs.begin(run(1)).value().has_value());
  }
  CHECK_FALSE(r.runs.begin(run(1)).value().has_value());
  CHECK(r.runs.list().value() == Ids{run(1)});
}

TEST_CASE("a run whose driver is gone can be taken over, by one", "[run_folder]") {
  const Runs r;
  {
    const auto lease = r.runs.begin(run(1)).value();
    REQUIRE(lease.has_value());
    CHECK_FALSE(r.runs.take_over(run(1)).value().has_value());
  }
  CHECK(r.runs.active().value() == Ids{run(1)});
  auto heir = r.runs.take_over(run(1)).value();
  REQUIRE(heir.has_value());
  CHECK_FALSE(r.runs.take_over(run(1)).value().has_value());
  REQUIRE(heir->finish().ok());
  CHECK(r.runs.active().value().empty());
}

TEST_CASE("what is no run is passed over", "[run_folder]") {
  const Runs r;
  r.folder.write("runs/notes.txt", "x");
  r.folder.folder("runs/old");
  r.folder.write("active/.nfs123", "x");
  CHECK(r.runs.list().value().empty());
  CHECK(r.runs.active().value().empty());
}

TEST_CASE("the lines of a file are those that are complete", "[run_folder]") {
  const TempFolder folder;
  using Lines = std::vector<std::string>;
  CHECK(RunFolder::lines(folder.path() / "missing").value().empty());
  CHECK(RunFolder::lines(folder.write("empty", "")).value().empty());
  CHECK(RunFolder::lines(folder.write("torn", "one\n\ntwo\nthr")).value() == Lines{"one", "", "two"});
  CHECK(RunFolder::lines(folder.write("half", "o")).value().empty());
}

TEST_CASE("the names in a run folder", "[run_folder]") {
  const RunFolder folder("/runs/1");
  CHECK(folder.plan() == "/runs/1/plan.json");
  CHECK(folder.journal() == "/runs/1/journal.jsonl");
  CHECK(folder.package() == "/runs/1/workspace/package");
  CHECK(folder.artifacts() == "/runs/1/artifacts");
  CHECK(folder.results() == "/runs/1/_results.json");
}

}  // namespace trainyard::run_folder_test
