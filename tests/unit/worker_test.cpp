// SPDX-License-Identifier: Apache-2.0
// What the worker makes of packages, good and bad, as the local executor sees it.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <csignal>
#include <limits>
#include <sstream>

#include "runner/executors/local_executor.hpp"
#include "runner/processes/process_identity.hpp"
#include "tests/contract/test_job.hpp"

using namespace trainyard;
using test::content;
using test::TestJob;

namespace {

LocalExecutor local() { return LocalExecutor(TRAINYARD_WORKER_PROGRAM); }

// A job of tests/unit/worker_packages/hand_made.cpp.
TestJob hand_made(const std::string& deed) { return TestJob(TRAINYARD_HAND_MADE_LIBRARY, {{"deed", deed}}); }

bool is_gone(pid_t pid) {
  const auto identity = ProcessIdentity::of(pid);
  return !identity.ok() || !is_running(*identity);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("how packages end") {
  struct Row {
    const char* package;
    std::optional<int> code;
    std::optional<int> signal;
    std::optional<event::Ended> ended;
  };
  const Row row = GENERATE(values<Row>({
      {"idle", 0, {}, event::Ended{"ok", "", ""}},
      {"throws_in_train", 0, {}, event::Ended{"failed", "train", ""}},
      {"throws_int", 0, {}, event::Ended{"failed", "train", ""}},
      {"throws_in_create", 0, {}, event::Ended{"failed", "create", ""}},
      {"throws_in_save", 0, {}, event::Ended{"failed", "save", ""}},
      {"reports_invalid_input", 0, {}, event::Ended{"invalid_input", "train", ""}},
      {"destroys_badly", 0, {}, event::Ended{"ok", "", ""}},
      {"segfaults", {}, SIGSEGV, {}},
      {"aborts", {}, SIGABRT, {}},
      {"exits_zero", 0, {}, {}},
      {"quick_exits", 0, {}, {}},
  }));
  INFO(row.package);
  LocalExecutor executor = local();
  const TestJob job = TestJob::of_package(row.package);
  const JobExit exit = job.exit_of(executor);
  CHECK(exit.code == row.code);
  CHECK(exit.signal == row.signal);
  CHECK(exit.stop == StopCause::none);
  if (row.ended) {
    CHECK(job.ended().status == row.ended->status);
    CHECK(job.ended().verb == row.ended->verb);
    CHECK(job.ended().message.empty() == (row.ended->status == "ok"));
  } else {
    CHECK(job.events_of<event::Ended>().empty());
    CHECK(job.events_of<event::Called>().back().verb == "train");
  }
}

TEST_CASE("what crosses the C border is named") {
  struct Row {
    const char* deed;
    event::Ended ended;
  };
  const Row row = GENERATE(values<Row>({
      {"throws an int",
       {"failed", "train", "train() threw something across the C border that is not a std::exception"}},
      {"throws an exception", {"failed", "train", "train() threw an exception across the C border: the reason"}},
      {"returns 3", {"failed", "train", "train() returned status 3 without an explanation"}},
      {"returns 99", {"bug", "train", "train() returned status 99 without an explanation"}},
      {"returns -1", {"bug", "train", "train() returned status -1 without an explanation"}},
      {"explains at length", {"invalid_input", "train", std::string(1023, 'a') + "\xc3\xa4"}},
      {"explains a success", {"failed", "save", "save() returned status 3 without an explanation"}},
  }));
  LocalExecutor executor = local();
  const TestJob job = hand_made(row.deed);
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended() == row.ended);
}

TEST_CASE("a library that cannot be used ends the job with the reason") {
  struct Row {
    std::string library;
    std::string reason;
  };
  const std::string packages = TRAINYARD_TEST_PACKAGES_DIR;
  const Row row = GENERATE_COPY(values<Row>({
      {packages + "/idle/nowhere.so", "No such file"},
      {packages + "/not_a_library/libnot_a_library.so", "not_a_library"},
      {packages + "/missing_symbol/libmissing_symbol.so", "undefined symbol: trainyard_test_function_that_is_nowhere"},
      {packages + "/no_entry/libno_entry.so", "it does not export trainyard_package_v1"},
      {TRAINYARD_SHORT_TABLE_LIBRARY, "has 8 bytes where at least 48 are needed"},
  }));
  INFO(row.library);
  LocalExecutor executor = local();
  const TestJob job(row.library);
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended().status == "failed");
  CHECK(job.ended().verb == "load");
  CHECK_THAT(job.ended().message, Catch::Contains(row.library) && Catch::Contains(row.reason));
  CHECK(job.events_of<event::Loaded>().empty());
}

TEST_CASE("what a package tells becomes events") {
  LocalExecutor executor = local();
  const TestJob job = hand_made("measures");
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended().status == "ok");
  CHECK(job.events_of<event::Loaded>() == std::vector<event::Loaded>{{0, "hands"}});
  CHECK(job.events_of<event::Called>() == std::vector<event::Called>{{"create"}, {"train"}, {"save"}});
  const auto measured = job.events_of<event::Measured>();
  REQUIRE(measured.size() == 3);
  CHECK(measured[0] == event::Measured{"loss", 1, 0.5});
  CHECK(std::isnan(measured[1].value));
  CHECK(measured[2].value == -std::numeric_limits<double>::infinity());
  CHECK(job.events_of<event::Progressed>() == std::vector<event::Progressed>{{1.0, "far"}});
  const auto logged = job.events_of<event::Logged>();
  REQUIRE(logged.size() == 6);
  CHECK(logged[0].level == "warning");
  CHECK_THAT(logged[0].text, Catch::Contains("'loss of all'"));
  CHECK_THAT(logged[1].text, Catch::Contains("step -1"));
  CHECK(logged[4] == event::Logged{"error", "not \xef\xbf\xbd UTF-8"});
  CHECK(logged[5] == event::Logged{"info", ""});
}

TEST_CASE("threads of a package tell without tearing a line, and times do not go back") {
  LocalExecutor executor = local();
  const TestJob job = hand_made("sings in a chorus");
  CHECK(job.exit_of(executor).code == 0);
  const auto events = job.events();
  CHECK(job.events_of<event::Measured>().size() == 1500);
  CHECK(std::is_sorted(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.time < b.time; }));
}

TEST_CASE("a package finds exactly what its job says") {
  LocalExecutor executor = local();
  TestJob job = hand_made("looks around");
  job.spec.environment = {{"ONLY", "this one = that"}, {"LC_ALL", "no such locale"}};
  job.set("count", std::int64_t{-7});
  job.set("rate", 0.1);
  job.set("on", true);
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended() == event::Ended{"ok", "", ""});
  CHECK(lines_of(content(job.artifacts() / "seen.txt")) ==
        std::vector<std::string>{
            "cwd " + job.spec.working_directory, "stdin 0", "fd " + job.folder().channel_events().string(),
            "fd " + (job.artifacts() / "seen.txt").string(), "env LC_ALL=no such locale", "env ONLY=this one = that",
            "count 2 -7 -7 -7", "rate 3 0.1 0.1", "on 4 1 true", "absent 0", "nowhere 0", "extension 1"});
}

TEST_CASE("a score is an event of its own") {
  LocalExecutor executor = local();
  TestJob job = hand_made("");
  job.spec.calls = {{Verb::evaluate, job.spec.calls[0].directory}};
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended().status == "ok");
  CHECK(job.events_of<event::Scored>() == std::vector<event::Scored>{{0.75}});
}

TEST_CASE("a call that the package does not have fails") {
  LocalExecutor executor = local();
  TestJob job = hand_made("");
  job.spec.calls = {{Verb::process_data, job.spec.calls[0].directory}};
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended() == event::Ended{"failed", "process_data", "the package has no function process_data"});
}

TEST_CASE("a package that comes back twice ends once") {
  LocalExecutor executor = local();
  const TestJob job = hand_made("comes back twice");
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.events_of<event::Ended>().size() == 1);
  CHECK(job.events_of<event::Called>().size() == 3);
}

TEST_CASE("logs are complete to the last byte") {
  LocalExecutor executor = local();
  const TestJob job = TestJob::of_package("chatty");
  CHECK(job.exit_of(executor).code == 0);
  std::string wanted[2];
  const char* const names[] = {"stdout", "stderr"};
  for (int i = 0; i < 2; ++i) {
    for (int line = 1; line <= 200'000; ++line) {
      const std::string number = std::to_string(line);
      wanted[i] += std::string(names[i]) + " line " + std::string(6 - number.size(), '0') + number + "\n";
    }
    wanted[i] += std::string("chatty: the last words of ") + names[i];
  }
  CHECK((content(job.folder().stdout_log()) == wanted[0]));
  CHECK((content(job.folder().stderr_log()) == wanted[1]));
  std::uint64_t offsets[2] = {0, 0};
  Instant time;
  for (const std::string& line : lines_of(content(job.folder().log_index()))) {
    const Json piece = test::must(parse_json(line, "a line of the index"));
    const int stream = piece.at("stream").get<std::string>() == "stdout" ? 0 : 1;
    REQUIRE(piece.at("offset").get<std::uint64_t>() == offsets[stream]);
    offsets[stream] += piece.at("size").get<std::uint64_t>();
    const Instant then = test::must(Instant::parse(piece.at("time").get<std::string>()));
    REQUIRE(time <= then);
    time = then;
  }
  CHECK(offsets[0] == wanted[0].size());
  CHECK(offsets[1] == wanted[1].size());
}

TEST_CASE("words left in buffers are in the log, and silence is an empty log") {
  LocalExecutor executor = local();
  const TestJob job = hand_made("leaves its words in buffers");
  CHECK(job.exit_of(executor).code == 0);
  const std::string out = content(job.folder().stdout_log());
  CHECK((out == "stdioiostream" || out == "iostreamstdio"));
  CHECK(content(job.folder().stderr_log()).empty());
}

TEST_CASE("a stream that stays locked does not keep the job") {
  LocalExecutor executor = local();
  const TestJob job = hand_made("keeps a stream locked");
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended().status == "ok");
}

TEST_CASE("a log that cannot be written is the job's failure, not its hang") {
  LocalExecutor executor = local();
  const TestJob job = TestJob::of_package("chatty");
  REQUIRE(::symlink("/dev/full", job.folder().stdout_log().c_str()) == 0);
  const JobExit exit = job.exit_of(executor);
  CHECK_FALSE(exit.code);
  CHECK(exit.failure ==
        "the logs are incomplete: cannot write '" + job.folder().stdout_log().string() + "': No space left on device");
  CHECK(job.ended().status == "ok");
}

TEST_CASE("a job that cannot be started says why") {
  LocalExecutor executor = local();
  TestJob job = TestJob::of_package("idle");
  job.spec.working_directory = "/nowhere";
  const JobExit exit = job.exit_of(executor);
  CHECK(exit.failure == "the working directory '/nowhere' is not a folder");
  CHECK(content(job.folder().stdout_log()).empty());
}

TEST_CASE("a job that cannot be read says why") {
  LocalExecutor executor = local();
  const TestJob job = TestJob::of_package("idle");
  test::must(publish_file(job.path(), job.folder().job(), "{}", 0644, Durable::no));
  const JobId id = test::must(executor.start(job.path(), {}));
  const JobLook look = test::finished(executor, id, job.path());
  REQUIRE(std::holds_alternative<JobExit>(look));
  CHECK(std::get<JobExit>(look).failure == "the job has no key 'schema'");
}

TEST_CASE("a job is done once, however often it is started") {
  LocalExecutor executor = local();
  const TestJob job = TestJob::of_package("counts");
  const JobExit exit = job.exit_of(executor);
  const std::string events = content(job.folder().events());
  const JobId again = test::must(executor.start(job.path(), {}));
  CHECK(std::holds_alternative<JobExit>(test::finished(executor, again, job.path())));
  // The second supervisor may have looked before it ended.
  test::await([&] { return !is_running(test::must(ProcessIdentity::parse(again.text))); });
  CHECK(content(job.folder().events()) == events);
  CHECK(test::must(job.folder().read_exit()) == exit);
}

TEST_CASE("nothing that a package started outlives its job") {
  LocalExecutor executor = local();
  const TestJob job = TestJob::of_package("forks");
  CHECK(job.exit_of(executor).code == 0);
  CHECK(job.ended().status == "ok");
  CHECK(is_gone(std::stoi(content(job.artifacts() / "daemon.pid"))));
}

TEST_CASE("a package that leaves its group is stopped all the same") {
  LocalExecutor executor = local();
  TestJob job = hand_made("leaves its group and stays");
  job.spec.grace_ms = 100;
  const JobId id = job.start(executor);
  job.await_call("train");
  test::must(executor.stop(id, job.path(), StopForce::polite));
  const JobLook look = test::finished(executor, id, job.path());
  REQUIRE(std::holds_alternative<JobExit>(look));
  CHECK(std::get<JobExit>(look).signal == SIGKILL);
}

TEST_CASE("without its supervisor a job dies and is lost") {
  LocalExecutor executor = local();
  TestJob job = TestJob::of_package("hangs");
  const JobId id = job.start(executor);
  job.await_call("train");
  const std::string supervisor = std::to_string(test::must(ProcessIdentity::parse(id.text)).pid);
  const pid_t inner = std::stoi(content("/proc/" + supervisor + "/task/" + supervisor + "/children"));
  CHECK_FALSE(is_gone(inner));
  REQUIRE(::kill(std::stoi(supervisor), SIGKILL) == 0);
  CHECK(std::holds_alternative<JobLost>(test::finished(executor, id, job.path())));
  test::await([&] { return is_gone(inner); });
  CHECK(std::holds_alternative<JobLost>(test::must(local().look(id, job.path()))));
}
