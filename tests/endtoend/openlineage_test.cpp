// SPDX-License-Identifier: Apache-2.0
// What runs tell those who gather lineage: to a file, and to a server that is there, away, slow or wrong.
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::openlineage_test {
namespace {

using Clock = std::chrono::steady_clock;

class LineageServer {
 public:
  explicit LineageServer(const TestStore& store, const std::string& mode)
      : folder_(store.temp().folder("server")), mode_(write_mode(store, mode)), program_(start(store)) {
    if (!wait_until([&] { return is_there(folder_ / "port"); })) throw std::runtime_error("the server does not start");
    store.must({"store", "config", "openlineage", "http://127.0.0.1:" + read_text(folder_ / "port")});
  }
  ~LineageServer() { program_.signal(SIGKILL); }
  LineageServer(const LineageServer&) = delete;
  LineageServer& operator=(const LineageServer&) = delete;

  static bool write_mode(const TestStore& store, const std::string& mode) {
    store.temp().write("server/mode", mode);
    return true;
  }
  [[nodiscard]] std::vector<Json> received() const { return read_json_lines(folder_ / "received.jsonl"); }
  [[nodiscard]] std::string asked() const {
    return is_there(folder_ / "asked") ? read_text(folder_ / "asked") : std::string();
  }

 private:
  RunningProgram start(const TestStore& store) const {
    return {store.temp().path(),
            {TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_LINEAGE_SERVER, folder_.string()},
            {{"PATH", "/usr/bin:/bin"}}};
  }

  Path folder_;
  bool mode_;
  RunningProgram program_;
};

// A store with a package, and data to train it on.
struct Yard {
  TestStore store;
  Path data = store.temp().folder("data");
  Yard() {
    store.temp().write("data/x.csv", "1,2\n");
    store.add("counts");
  }
  [[nodiscard]] std::size_t waiting() const { return store.json({"outbox", "list"}).size(); }
};

std::vector<std::string> types_of(const std::vector<Json>& events) {
  std::vector<std::string> types;
  for (const Json& event : events) types.push_back(event.at("eventType").get<std::string>());
  return types;
}

using Types = std::vector<std::string>;

}  // namespace

TEST_CASE("Nobody is told of a run unless somebody wants it") {
  Yard yard;
  yard.store.train("counts", yard.data);
  CHECK_FALSE(is_there(yard.store.root() / "outbox"));
  CHECK(yard.store.must({"outbox", "list"}) == "nothing waits to be delivered\n");
  const ProgramOutput output = yard.store.run({"outbox", "deliver"});
  CHECK(output.status.code == 2);
  CHECK(has(output.err, "trainyard store config openlineage URL"));
  CHECK(yard.store.run({"store", "config", "openlineage", "host:5000"}).status.code == 2);
}

TEST_CASE("A file gets the events of every run, also of those that fail") {
  Yard yard;
  const Path events = yard.store.temp().path() / "told.jsonl";
  yard.store.must({"store", "config", "openlineage", "file://" + events.string()});
  const EndedRun good = yard.store.train("counts", yard.data);
  CHECK(good.output.err.find("outbox") == std::string::npos);
  yard.store.add("throws_in_train");
  const EndedRun bad = yard.store.train("throws_in_train", yard.data);
  REQUIRE(bad.status() == "Failed");
  const std::vector<Json> told = read_json_lines(events);
  CHECK(types_of(told) == Types{"START", "COMPLETE", "START", "FAIL"});
  CHECK(told[1].at("run").at("runId") == good.traceability().at("run"));
  CHECK(told[1].at("outputs")[0].at("name") == "packages/counts");
  CHECK(told[3].at("run").at("facets").at("errorMessage").at("message").get<std::string>() ==
        bad.reason() + ": " + bad.message());
  CHECK(yard.waiting() == 0);
  yard.store.must({"store", "config", "openlineage", "--unset"});
  yard.store.train("counts", yard.data);
  CHECK(read_json_lines(events).size() == 4);
}

TEST_CASE("A server that fails at first gets everything later, in order") {
  Yard yard;
  const LineageServer server(yard.store, "fail");
  const ProgramOutput run = yard.store.train("counts", yard.data).output;
  CHECK(run.status.code == 0);
  CHECK(has(run.out, "counts@1.1 made from counts@1.0"));
  CHECK(run.err.empty());
  CHECK(yard.waiting() == 1);
  CHECK(has(yard.store.must({"outbox", "list"}), "START, COMPLETE"));
  CHECK(has(yard.store.must({"outbox", "list"}), "answered 503: not now"));
  // Within a minute of a failure runs do not ask again; who says 'deliver' does.
  const std::string asked = server.asked();
  CHECK(asked == "/api/v1/lineage application/json\n");
  yard.store.train("counts", yard.data);
  CHECK(server.asked() == asked);
  CHECK(yard.waiting() == 2);
  LineageServer::write_mode(yard.store, "take");
  CHECK(yard.store.must({"outbox", "deliver"}) == "delivered 4 events of 2 runs\n");
  CHECK(yard.waiting() == 0);
  const std::vector<Json> received = server.received();
  CHECK(types_of(received) == Types{"START", "COMPLETE", "START", "COMPLETE"});
  CHECK(received[0].at("run") != received[2].at("run"));
  CHECK(received[0].at("run").at("runId") == received[1].at("run").at("runId"));
  // From now on at the end of each run.
  yard.store.train("counts", yard.data);
  CHECK(server.received().size() == 6);
}

TEST_CASE("A server that hangs keeps no run for long") {
  Yard yard;
  const auto begin = Clock::now();
  yard.store.train("counts", yard.data);
  const auto alone = Clock::now() - begin;
  const LineageServer server(yard.store, "hang");
  const auto second = Clock::now();
  const EndedRun run = yard.store.train("counts", yard.data);
  // Two seconds for the server, and what a busy machine takes.
  CHECK(Clock::now() - second < 3 * alone + std::chrono::seconds(6));
  CHECK(run.output.status.code == 0);
  CHECK(run.status() == "Successful");
  CHECK(server.asked() != "");
  CHECK(yard.waiting() == 1);
  CHECK(is_there(run.folder / "_results.json"));
  CHECK(yard.store.leftovers().empty());
}

TEST_CASE("What a server refuses waits, and keeps nothing else from going") {
  Yard yard;
  const LineageServer server(yard.store, "refuse");
  yard.store.train("counts", yard.data);
  const ProgramOutput refused = yard.store.run({"outbox", "deliver"});
  CHECK(refused.status.code == 3);
  CHECK(refused.out.empty());
  // What a server says is shown, and moves no cursor.
  CHECK(has(refused.err, "answered 422: no such?[31m facet"));
  const Json json = Json::parse(yard.store.run({"outbox", "deliver", "--json"}).out);
  CHECK(json.at("events") == 0);
  CHECK(json.at("left").size() == 1);
  CHECK(yard.waiting() == 1);
  LineageServer::write_mode(yard.store, "take");
  yard.store.must({"outbox", "deliver"});
  CHECK(yard.waiting() == 0);
}

TEST_CASE("A server that is away or hangs up is a reason to wait") {
  Yard yard;
  {
    const LineageServer server(yard.store, "cut");
    CHECK(yard.store.train("counts", yard.data).output.status.code == 0);
    CHECK(yard.waiting() == 1);
  }
  const ProgramOutput away = yard.store.run({"outbox", "deliver"});
  CHECK(away.status.code == 3);
  CHECK(has(away.err, "events of 1 run are still in the outbox: cannot reach 'http://127.0.0.1:"));
  CHECK(yard.waiting() == 1);
}

TEST_CASE("A run that was killed on its last steps is told of once") {
  Yard yard;
  const Path events = yard.store.temp().path() / "told.jsonl";
  yard.store.must({"store", "config", "openlineage", "file://" + events.string()});
  const EndedRun run = yard.store.train("counts", yard.data);
  REQUIRE(read_json_lines(events).size() == 2);
  const std::string id = run.traceability().at("run").get<std::string>();
  // As if its runner had died when the results were there and it had told nobody.
  boost::filesystem::remove(events);
  yard.store.temp().write("store/active/" + id, "");
  yard.store.must({"runs", "list"});
  CHECK(yard.waiting() == 1);
  yard.store.must({"outbox", "deliver"});
  CHECK(types_of(read_json_lines(events)) == Types{"START", "COMPLETE"});
  // What waits already is not noted again.
  yard.store.temp().write("store/outbox/openlineage/" + id + ".jsonl", "{}\n");
  yard.store.temp().write("store/active/" + id, "");
  yard.store.must({"runs", "list"});
  CHECK(yard.waiting() == 1);
}

}  // namespace trainyard::openlineage_test
