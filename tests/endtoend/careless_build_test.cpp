// SPDX-License-Identifier: Apache-2.0
// What a careless build of such a runner gets wrong, one test for each.
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard::careless_build_test {
namespace {

using Texts = std::vector<std::string>;

// A package that tells of each call in its log, and keeps the number of its trainings in itself.
constexpr const char* kTeller = R"(
import os
print("module")
class Main:
    def __init__(self):
        self.count = int(open("count").read()) if os.path.exists("count") else 0
    def process_data(self, d):
        print("process_data")
        if os.environ.get("split"):
            open(os.path.join(d, "training", "t.csv"), "w").write("training")
            open(os.path.join(d, "test", "e.csv"), "w").write("test")
    def train(self, d):
        print("train", os.path.relpath(d), *sorted(os.listdir(d)), "in", os.getcwd())
        if os.environ.get("fail"):
            raise RuntimeError(os.environ["fail"])
        for name in os.listdir(d):
            if os.path.isfile(os.path.join(d, name)):
                open(os.path.join(d, name), "a").write("changed")
        self.count += 1
        open(os.path.join(os.environ["artifacts_directory"], "report"), "w").write("report")
    def save(self):
        open("count", "w").write(str(self.count))
    def evaluate(self, d):
        print("evaluate", os.path.isdir(d), *sorted(os.listdir(d)))
        return self.count
)";

struct Told {
  TestStore store;
  Path data = store.temp().folder("data");

  Told() {
    store.temp().write("data/x.csv", "1,2\n");
    store.temp().write("teller/train.py", kTeller);
    upload();
  }
  void upload() { store.must({"package", "add", (store.temp().path() / "teller").string()}); }
  // As often as a test likes.
  EndedRun run(const std::string& type, const std::string& package = "teller", Arguments more = {}) {
    if (type != "evaluation") more.emplace_back("--allow-repeat");
    return store.carry_out(type, package, data, more);
  }
  [[nodiscard]] Texts versions() const { return store.versions("teller"); }
};

std::string log_of(const EndedRun& run) { return read_text(run.folder / "stdout.log"); }

}  // namespace

TEST_CASE("Careless: versions are decimals") {
  Told told;
  for (int i = 1; i <= 10; ++i) REQUIRE(told.run("training", "teller@1.0").version() == "1." + std::to_string(i));
  CHECK(told.versions().back() == "1.10");
  CHECK(told.store.json({"package", "show", "teller"}).at("version") == "1.10");
}

TEST_CASE("Careless: the minor is counted from the version that was trained") {
  Told told;
  CHECK(told.run("training", "teller@1.0").version() == "1.1");
  CHECK(told.run("training", "teller@1.0").version() == "1.2");
  CHECK(told.run("training", "teller@1.1").version() == "1.3");
}

TEST_CASE("Careless: an upload makes a minor") {
  Told told;
  told.run("training");
  told.upload();
  CHECK(told.versions() == Texts{"1.0", "1.1", "2.0"});
  CHECK(told.run("training", "teller@1.0").version() == "1.2");
}

TEST_CASE("Careless: an evaluation or a failure makes a version") {
  Told told;
  CHECK(told.run("evaluation").status() == "Successful");
  CHECK(told.run("training", "teller", {"--env", "fail=on purpose"}).status() == "Failed");
  CHECK(told.run("full", "teller", {"--env", "fail=on purpose"}).status() == "Failed");
  CHECK(told.versions() == Texts{"1.0"});
}

TEST_CASE("Careless: code runs in the stored folder") {
  Told told;
  const Json before = told.store.json({"package", "show", "teller@1.0"}).at("tree");
  const EndedRun run = told.run("training", "teller@1.0");
  CHECK(has(log_of(run), " in " + run.folder.string() + "/workspace/package\n"));
  CHECK_FALSE(is_there(run.folder / "workspace"));
  CHECK(told.store.json({"package", "show", "teller@1.0"}).at("tree") == before);
  told.store.must({"store", "verify"});
}

TEST_CASE("Careless: the data and the artifacts are packed into the new version") {
  Told told;
  for (const char* const type : {"training", "full"}) {
    const EndedRun run = told.run(type, "teller@1.0", {"--env", "split=yes"});
    // The code and the count, and nothing else.
    CHECK(run.traceability().at("version").at("tree").at("files") == 2);
    const std::string version = "teller@" + run.version();
    CHECK(told.store.must({"snapshot", "cat", version, "count"}) == "1");
    CHECK(told.store.must({"snapshot", "cat", version, "train.py"}) == kTeller);
  }
}

TEST_CASE("Careless: a training run calls process_data") {
  Told told;
  CHECK_FALSE(has(log_of(told.run("training")), "process_data"));
  CHECK_FALSE(has(log_of(told.run("evaluation")), "process_data"));
  CHECK(has(log_of(told.run("full")), "process_data"));
}

TEST_CASE("Careless: a full run evaluates the old model") {
  Told told;
  CHECK(told.run("full", "teller@1.0").traceability().at("score") == 1.0);
  CHECK(told.run("full", "teller@1.1").traceability().at("score") == 2.0);
  CHECK(told.store.json({"package", "show", "teller@1.2"}).at("score") == 2.0);
}

TEST_CASE("Careless: a path is missing where an empty folder should be") {
  Told told;
  // Nothing was put aside for the evaluation, and nothing for the training either.
  const EndedRun run = told.run("full");
  CHECK(has(log_of(run), "evaluate True\n"));
  CHECK(has(log_of(run), "train dataset test training x.csv in "));
  CHECK(run.traceability().at("trained_on_dataset") == true);
}

TEST_CASE("Careless: defaults are absent when the user gave none") {
  TestStore store;
  store.temp().write("data/x.csv", "1\n");
  store.temp().write("prints/train.py",
                     "import os\nclass Main:\n  def train(self, d): print(os.environ['epochs'], os.environ['mode'], "
                     "os.environ['save_training_data'], os.environ['save_test_data'])\n  def save(self): pass\n");
  store.temp().write(
      "prints/package.json",
      R"({"schema":"trainyard.package/1","name":"prints","runtime":"python","environment":{"mode":"plain"},
                         "hyperparameters":[{"name":"epochs","type":"Integer","default":7}]})");
  store.must({"package", "add", (store.temp().path() / "prints").string()});
  const Path data = store.temp().path() / "data";
  CHECK(log_of(store.carry_out("training", "prints", data)) == "7 plain false false\n");
  const EndedRun run = store.carry_out("training", "prints", data, {"--env", "epochs=3"});
  CHECK(log_of(run) == "3 plain false false\n");
  CHECK(run.results.at("parameters").at("env").at("mode") == "plain");
}

TEST_CASE("Careless: True is not true") {
  Told told;
  for (const char* const yes : {"true", "True", "TRUE", "1"}) {
    const EndedRun run = told.run("training", "teller@1.0", {"--env", std::string("save_training_data=") + yes});
    CHECK_FALSE(run.traceability().at("snapshot").is_null());
    CHECK(run.results.at("parameters").at("env").at("save_training_data") == "true");
  }
  CHECK_FALSE(told.run("training", "teller@1.0", {"--env", "save_data=True"}).traceability().at("snapshot").is_null());
  CHECK(told.run("training", "teller@1.0", {"--env", "save_training_data=False"})
            .traceability()
            .at("snapshot")
            .is_null());
}

TEST_CASE("Careless: the snapshot is of what the package made of the data") {
  Told told;
  const Fingerprint before = fingerprint(told.data);
  for (const char* const mount : {"best", "copy"}) {
    const EndedRun run = told.run("training", "teller@1.0", {"--save-training-data", "--mount", mount});
    const std::string snapshot = run.traceability().at("snapshot").get<std::string>();
    CHECK(told.store.must({"snapshot", "cat", snapshot, "x.csv"}) == "1,2\n");
  }
  CHECK(difference(before, fingerprint(told.data)) == "");
}

TEST_CASE("Careless: artifacts_directory climbs out") {
  Told told;
  for (const char* const out : {"..", "../out", "/tmp/out", "a/../../b", ""}) {
    const ProgramOutput refused = told.store.run({"run", "training", "teller", "--dataset", told.data.string(), "--env",
                                                  std::string("artifacts_directory=") + out});
    CHECK(refused.status.code == 2);
    CHECK(has(refused.err, "the variable artifacts_directory"));
  }
  CHECK(told.store.json({"runs", "list"}) == Json::array());
}

TEST_CASE("Careless: code is executed to validate it") {
  TestStore store;
  const Path mark = store.temp().path() / "executed";
  store.temp().write("acts/train.py", "open('" + mark.string() + "', 'w')\nclass Main:\n  def train(self, d): pass\n" +
                                          "  def save(self): pass\n");
  store.must({"package", "validate", (store.temp().path() / "acts").string()});
  store.must({"package", "add", (store.temp().path() / "acts").string()});
  CHECK_FALSE(is_there(mark));
  store.temp().write("data/x.csv", "1\n");
  CHECK(store.carry_out("training", "acts", store.temp().path() / "data", {"--isolation", "none"}).version() == "1.1");
  CHECK(is_there(mark));  // so that the check above can fail
}

TEST_CASE("Careless: a failed run leaves no results") {
  Told told;
  const EndedRun run = told.run("training", "teller", {"--env", "fail=on purpose"});
  CHECK(run.output.status.code == 1);
  CHECK(run.results.at("run_summary").at("outputs").at("version").is_null());
  CHECK(run.reason() == "package_error");
  CHECK(has(run.message(), "RuntimeError: on purpose"));
  CHECK(told.store.schema_mistakes() == "");
}

TEST_CASE("Careless: a user's mistake is tried again") {
  Told told;
  const EndedRun run = told.run("training", "teller", {"--env", "fail=on purpose"});
  CHECK(run.traceability().at("attempts").size() == 1);
  const std::string log = log_of(run);
  CHECK(log.find("train dataset") == log.rfind("train dataset"));
}

TEST_CASE("Careless: the last lines of the log are lost") {
  TestStore store;
  store.temp().write("data/x.csv", "1\n");
  store.temp().write("dies/train.py",
                     "import os, sys\nclass Main:\n  def train(self, d):\n    for i in range(20000): print('line', i)\n"
                     "    os.write(1, b'the last words')\n    os.kill(os.getpid(), 9)\n  def save(self): pass\n");
  store.must({"package", "add", (store.temp().path() / "dies").string()});
  const EndedRun run = store.carry_out("training", "dies", store.temp().path() / "data");
  CHECK(run.reason() == "crashed");
  CHECK(log_of(run).ends_with("line 19999\nthe last words"));
}

TEST_CASE("Careless: a run says Running for ever") {
  TestStore store;
  store.add("hangs");
  store.temp().write("data/x.csv", "1\n");
  RunningProgram runner = store.start_training("lost", "hangs", store.temp().path() / "data");
  store.wait_for_the_call("lost");
  const Json journal = read_json_lines(*store.run_folder("lost") / "journal.jsonl").back();
  runner.signal(SIGKILL);
  runner.wait();
  // As a power cut would: everything that belonged to the run is gone, without a word.
  const std::string job = journal.at("job").get<std::string>();
  const pid_t supervisor = std::stoi(job.substr(std::string("local:").size()));
  REQUIRE(::kill(supervisor, SIGKILL) == 0);
  REQUIRE(wait_until([&] { return store.json({"runs", "show", "lost"}).at("status") == "Failed"; }));
  CHECK(store.json({"runs", "show", "lost"}).at("reason") == "lost");
  CHECK(store.leftovers() == "");
}

}  // namespace trainyard::careless_build_test
