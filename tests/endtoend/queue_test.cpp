// SPDX-License-Identifier: Apache-2.0
// Runs that wait for a slot: in which order they go, and what becomes of them when somebody dies.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::queue_test {
namespace {

// A store in which one run runs at a time.
struct Narrow {
  TestStore store;
  Path data = store.temp().folder("data");

  Narrow() {
    store.temp().write("data/x.csv", "1\n");
    for (const char* const package : {"counts", "hangs", "slow"}) store.add(package);
    store.must({"store", "config", "slots", "1"});
  }

  std::string detach(const std::string& name, const std::string& package, const Arguments& more = {}) const {
    Arguments arguments = {"run", "training", package, "--dataset", data.string(), "--detach", "--name", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::string id = store.must(arguments);
    id.pop_back();
    return id;
  }
  [[nodiscard]] Json show(const std::string& name) const { return store.json({"runs", "show", name}); }
  [[nodiscard]] std::string status(const std::string& name) const { return show(name).at("status").get<std::string>(); }
  [[nodiscard]] bool over(const std::string& name) const { return !show(name).at("results").is_null(); }
  // Without the program, which would go on with what others left.
  [[nodiscard]] bool has_results(const std::string& name) const {
    const auto folder = store.run_folder(name);
    return folder && is_there(*folder / "_results.json");
  }
  [[nodiscard]] std::string time_of(const std::string& name, const char* state) const {
    for (const Json& entry : read_json_lines(*store.run_folder(name) / "journal.jsonl"))
      if (entry.at("state") == state) return entry.at("time").get<std::string>();
    return "";
  }
  void wait_for(const std::string& name, const char* state) const {
    REQUIRE(wait_until([&] { return store.run_folder(name) && !time_of(name, state).empty(); }));
  }
  void check_clean() const {
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
};

}  // namespace

TEST_CASE("A run waits for a slot, tells why, and starts when it is free") {
  const Narrow narrow;
  const std::string first = narrow.detach("first", "hangs", {"--grace", "0s"});
  const std::string second = narrow.detach("second", "counts");
  const std::string third = narrow.detach("third", "counts");
  CHECK(narrow.status("second") == "Queued");
  CHECK(narrow.show("second").at("journal").back().at("message") == "1 of 1 slot is taken");
  CHECK(narrow.show("third").at("journal").back().at("message") == "1 of 1 slot is taken, and 1 run waits before it");
  CHECK(has(narrow.store.must({"runs", "show", "third"}), "1 run waits before it"));
  const Json queued = narrow.store.json({"runs", "list", "--status", "Queued"});
  CHECK(queued.size() == 2);
  CHECK(narrow.show("second").at("seconds").get<double>() >= 0);
  narrow.store.must({"runs", "stop", "first"});
  REQUIRE(wait_until([&] { return narrow.has_results("third"); }));
  CHECK(narrow.status("second") == "Successful");
  CHECK(narrow.status("third") == "Successful");
  CHECK(narrow.time_of("second", "Published") < narrow.time_of("third", "Planned"));
  narrow.check_clean();
}

TEST_CASE("Of the runs that wait, those with the highest priority go first, then those that came first") {
  const Narrow narrow;
  narrow.detach("first", "hangs", {"--grace", "0s"});
  narrow.detach("low", "counts", {"--priority", "-5"});
  narrow.detach("early", "counts");
  narrow.detach("late", "counts");
  narrow.detach("urgent", "counts", {"--priority", "7"});
  narrow.store.must({"runs", "stop", "first"});
  REQUIRE(wait_until([&] { return narrow.has_results("low"); }));
  const char* const order[] = {"urgent", "early", "late", "low"};
  for (std::size_t i = 1; i < std::size(order); ++i) {
    CAPTURE(order[i]);
    CHECK(narrow.time_of(order[i - 1], "Published") < narrow.time_of(order[i], "Planned"));
  }
  for (const char* const wrong : {"101", "-101", "high", ""}) {
    const ProgramOutput refused =
        narrow.store.run({"run", "training", "counts", "--dataset", narrow.data.string(), "--priority", wrong});
    CHECK(refused.status.code == (*wrong == '\0' ? 0 : 2));
  }
  narrow.check_clean();
}

TEST_CASE("A run that waits can be stopped, from its terminal and from elsewhere") {
  Narrow narrow;
  narrow.detach("first", "hangs", {"--grace", "0s"});
  narrow.detach("elsewhere", "counts");
  RunningProgram here = narrow.store.start_training("here", "counts", narrow.data);
  narrow.wait_for("here", "Queued");
  CHECK(has(narrow.store.must({"runs", "stop", "elsewhere"}), "run elsewhere is over (stopped)"));
  here.signal(SIGINT);
  const ProgramOutput ended = here.wait();
  CHECK(ended.status.code == 130);
  for (const char* const name : {"elsewhere", "here"}) {
    const Json run = narrow.show(name);
    CHECK(run.at("status") == "Killed");
    CHECK(run.at("results").at("traceability").at("attempts").empty());
  }
  narrow.store.must({"runs", "stop", "first"});
  narrow.check_clean();
}

TEST_CASE("A run whose runner is killed while it waits is gone on with by the next command, and keeps its place") {
  Narrow narrow;
  narrow.detach("first", "hangs", {"--grace", "0s"});
  RunningProgram left = narrow.store.start_training("left", "counts", narrow.data);
  narrow.wait_for("left", "Queued");
  narrow.detach("later", "counts");
  left.signal(SIGKILL);
  left.wait();
  const ProgramOutput told = narrow.store.run({"runs", "list"});
  CHECK(told.err == "trainyard: the run left, whose runner ended while it waited, goes on in the background\n");
  CHECK(narrow.store.run({"runs", "list"}).err.empty());
  narrow.store.must({"runs", "stop", "first"});
  REQUIRE(wait_until([&] { return narrow.has_results("later"); }));
  CHECK(narrow.status("left") == "Successful");
  CHECK(narrow.time_of("left", "Published") < narrow.time_of("later", "Planned"));
  narrow.check_clean();
}

TEST_CASE("A run that waits is not held up by dead ones before it") {
  Narrow narrow;
  // Both runners die, and the job of the first one ends without anybody who would notice.
  RunningProgram first = narrow.store.start_training("first", "slow", narrow.data, {"--env", "seconds=2"});
  narrow.store.wait_for_the_call("first");
  RunningProgram waiting = narrow.store.start_training("waiting", "counts", narrow.data);
  narrow.wait_for("waiting", "Queued");
  RunningProgram last = narrow.store.start_training("last", "counts", narrow.data);
  narrow.wait_for("last", "Queued");
  first.signal(SIGKILL);
  first.wait();
  waiting.signal(SIGKILL);
  waiting.wait();
  const ProgramOutput ended = last.wait();
  CHECK(ended.status.code == 0);
  CHECK(narrow.time_of("last", "Planned") > narrow.time_of("first", "Running"));
  // The next command finishes the one and goes on with the other.
  const ProgramOutput told = narrow.store.run({"runs", "list"});
  CHECK(has(told.err, "the run first, which its runner had left, ended as slow@1.1"));
  CHECK(has(told.err, "the run waiting, whose runner ended while it waited, goes on in the background"));
  REQUIRE(wait_until([&] { return narrow.has_results("waiting"); }));
  CHECK(narrow.status("waiting") == "Successful");
  narrow.check_clean();
}

TEST_CASE("The job of a dead runner keeps its slot as long as it runs") {
  Narrow narrow;
  RunningProgram first = narrow.store.start_training("first", "slow", narrow.data, {"--env", "seconds=2"});
  narrow.store.wait_for_the_call("first");
  first.signal(SIGKILL);
  first.wait();
  const EndedRun second = narrow.store.train("counts", narrow.data);
  CHECK(second.status() == "Successful");
  const Json exit = read_json(*narrow.store.run_folder("first") / "exit.json");
  CHECK(narrow.time_of("run-1", "Planned") > exit.at("ended_at").get<std::string>());
  narrow.store.must({"runs", "list"});
  narrow.check_clean();
}

TEST_CASE("Every run has its turn when many begin at once") {
  const Narrow narrow;
  narrow.store.must({"store", "config", "slots", "3"});
  std::vector<RunningProgram> programs;
  constexpr int kRuns = 16;
  for (int i = 0; i < kRuns; ++i)
    programs.push_back(
        narrow.store.start_training("run-" + std::to_string(i), "counts", narrow.data, {"--allow-repeat"}));
  for (RunningProgram& program : programs) CHECK(program.wait().status.code == 0);
  CHECK(narrow.store.versions("counts").size() == kRuns + 1);
  // Never more than three at once: in the order of their times, each beginning adds one and each end takes one.
  std::vector<std::pair<std::string, int>> changes;
  for (int i = 0; i < kRuns; ++i) {
    changes.emplace_back(narrow.time_of("run-" + std::to_string(i), "Planned"), 1);
    changes.emplace_back(narrow.time_of("run-" + std::to_string(i), "Published"), -1);
  }
  std::sort(changes.begin(), changes.end());
  int now = 0;
  int most = 0;
  for (const auto& [time, change] : changes) most = std::max(most, now += change);
  CHECK(most <= 3);
  CHECK(most >= 2);
  narrow.check_clean();
}

TEST_CASE("A run that needs a GPU where there is none is told where one was looked for") {
  Narrow narrow;
  // Also on a machine that has some.
  narrow.store.must({"store", "config", "gpus", "0"});
  const ProgramOutput refused =
      narrow.store.run({"run", "training", "counts", "--dataset", narrow.data.string(), "--gpus", "1"});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err, "the run needs 1 GPU, and runs may use none here"));
  CHECK(has(refused.err, "'/proc/driver/nvidia/gpus'"));
  CHECK(has(refused.err, "'/dev/nvidia0'"));
  CHECK(narrow.store.json({"runs", "list"}).empty());
  const EndedRun run = narrow.store.train("counts", narrow.data, {"--gpus", "0"});
  CHECK(run.results.at("parameters").at("inputs").at("gpu") == "False");
  CHECK(read_json(run.folder / "job.json").at("environment").at("CUDA_VISIBLE_DEVICES") == "");
}

TEST_CASE("The slots of a store are decided once for all who use it") {
  const TestStore store;
  store.must({"store", "config", "slots", "--unset"});
  CHECK(store.json({"store", "config"}).at("slots").is_null());
  store.must({"store", "config", "slots", "4"});
  CHECK(store.json({"store", "config"}).at("slots") == 4);
  CHECK_THAT(store.must({"store", "config"}), Catch::Matches("(.|\n)*slots +4\n(.|\n)*"));
  store.must({"store", "config", "slots", "--unset"});
  CHECK(has(store.must({"store", "config"}), "(nobody decided)"));
  for (const Arguments& wrong : {Arguments{"slots", "0"}, Arguments{"slots", "many"}, Arguments{"gpus", "-1"},
                                 Arguments{"slots"}, Arguments{"slot", "1"}}) {
    Arguments arguments = {"store", "config"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    CHECK(store.run(arguments).status.code == 2);
  }
  CHECK(schema_mistakes("store-config", store.root() / "config.json") == "");
}

}  // namespace trainyard::queue_test
