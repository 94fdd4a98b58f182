// SPDX-License-Identifier: Apache-2.0
// A dataset that changes while a run uses it: the results must not claim what was not so.
#include <fcntl.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::changing_data_test {
namespace {

bool overlay_works(TestStore& store) {
  store.add("idle");
  store.temp().write("probe/file", "x");
  const EndedRun probe = store.train("idle", store.temp().path() / "probe", {"--mount", "overlay"});
  if (probe.status() != "Successful") WARN("this machine cannot use overlays: " << probe.message());
  return probe.status() == "Successful";
}

void append_to(const Path& file) {
  const auto fd = open_file(file, O_WRONLY | O_APPEND);
  REQUIRE(fd.ok());
  REQUIRE(write_all(fd->get(), "more\n", file).ok());
}

struct Change {
  const char* name;
  std::function<void(const Path& data)> make;
  const char* named;  // what the message says of it
};

TEST_CASE("Data that changes under a run fails it and is named") {
  TestStore store;
  store.add("slow");
  if (!overlay_works(store)) return;
  const std::vector<Change> changes = {
      {"appended", [](const Path& data) { append_to(data / "deeper" / "two.txt"); }, "deeper/two.txt' was changed"},
      {"added", [](const Path& data) { REQUIRE(open_file(data / "new.txt", O_WRONLY | O_CREAT, 0644).ok()); },
       "new.txt' was added"},
      {"removed", [](const Path& data) { boost::filesystem::remove(data / "one.txt"); }, "one.txt' was removed"},
  };
  std::vector<RunningProgram> programs;
  const auto data_of = [&](const Change& change) { return store.temp().path() / change.name; };
  for (const Change& change : changes) {
    store.temp().write(std::string(change.name) + "/one.txt", "one\n");
    store.temp().write(std::string(change.name) + "/deeper/two.txt", "two\n");
    programs.push_back(
        store.start_training(change.name, "slow", data_of(change), {"--mount", "overlay", "--env", "seconds=3"}));
  }
  for (const Change& change : changes) {
    store.wait_for_the_call(change.name);
    change.make(data_of(change));
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(changes[i].name);
    const EndedRun run = store.end(changes[i].name, programs[i].wait());
    CHECK(run.output.status.code == 1);
    CHECK(run.status() == "Failed");
    CHECK(run.reason() == "invalid_input");
    CHECK_THAT(run.message(), Catch::Contains(changes[i].named));
    CHECK(run.version() == "");
  }
  CHECK(store.versions("slow") == std::vector<std::string>{"1.0"});
}

TEST_CASE("A copy of the data keeps what happens to the original from the run") {
  TestStore store;
  store.add("slow");
  const Path file = store.temp().write("data/one.txt", "one\n");
  RunningProgram program = store.start_training("copied", "slow", store.temp().path() / "data",
                                                {"--mount", "copy", "--env", "seconds=0.5", "--save-training-data"});
  store.wait_for_the_call("copied");
  append_to(file);
  const EndedRun run = store.end("copied", program.wait());
  CHECK(run.output.status.code == 0);
  CHECK(run.version() == "1.1");
  store.must({"snapshot", "checkout", run.traceability().at("snapshot").get<std::string>(),
              (store.temp().path() / "back").string()});
  CHECK(contents(store.temp().path() / "back") == std::map<std::string, std::string>{{"one.txt", "one\n"}});
}

TEST_CASE("Data that cannot be kept fails the run before the package begins") {
  TestStore store;
  store.add("counts");
  for (const std::string mount : {"best", "copy"}) {
    for (const std::string kind : {"link", "fifo"}) {
      const std::string place = mount + "-" + kind;
      CAPTURE(place);
      const Path data = store.temp().folder(place);
      store.temp().write(place + "/fine.txt", "fine\n");
      if (kind == "link") boost::filesystem::create_symlink("/etc/passwd", data / "odd");
      if (kind == "fifo") REQUIRE(::mkfifo((data / "odd").c_str(), 0600) == 0);
      const EndedRun run = store.train("counts", data, {"--mount", mount});
      CHECK(run.output.status.code == 1);
      CHECK(run.reason() == "invalid_input");
      CHECK_THAT(run.message(), Catch::Contains("/odd'"));
      CHECK_FALSE(is_there(run.folder / "events.jsonl"));
    }
  }
  CHECK(store.versions("counts") == std::vector<std::string>{"1.0"});
  CHECK(store.leftovers() == "");
}

}  // namespace
}  // namespace trainyard::changing_data_test
