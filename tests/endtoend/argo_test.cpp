// SPDX-License-Identifier: Apache-2.0
// Runs that are exported for Argo Workflows. Argo is not here: argo_stand_in.py does to the text what Argo and Kubernetes
// do, and then the container's own command runs.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::argo_test {
namespace {

const Variables kPlain = {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}};

// All that anybody would read something into.
const std::string kHostile =
    "a \"b\" 'c' {{workflow.name}} {{=1+1}} $(INTERPOLATED) $$x \\n \\\\0 $ { } {{{ }}} `id` $(id) ; rm -rf $HOME\n"
    "line two\ttab \xF0\x9F\x98\x80 \xC3\xA9 \xC2\xA0 \xE2\x80\x8B \a\x7F [a,b] -x \\";

struct Yard {
  TestStore store;
  Path data = store.temp().folder("data");
  Path pod = store.temp().folder("pod");
  Path place = store.temp().path() / "place";
  int exports = 0;

  Yard() {
    store.temp().write("data/x.csv", "1,2\n");
    store.must({"remote", "add", "models", "file://" + place.string()});
  }

  Arguments words(const std::string& definition, const Arguments& more = {}) const {
    Arguments words = {"export",         "argo",        definition, "--image", "registry.example.com/trainyard:0.1",
                       "--remote-claim", "models-claim"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  Path exported(const std::string& definition, const Arguments& more = {}) {
    const Path file = store.temp().path() / ("export-" + std::to_string(++exports) + ".yaml");
    Arguments all = words(definition, more);
    all.insert(all.end(), {"--output", file.string()});
    store.must(all);
    return file;
  }
  [[nodiscard]] Arguments container(const Path& file, const Arguments& given) const {
    Arguments argv = {TRAINYARD_SYSTEM_PYTHON, "-B",      TRAINYARD_ARGO_STAND_IN, file.string(), pod.string(),
                      data.string(),           programs()};
    argv.insert(argv.end(), given.begin(), given.end());
    return argv;
  }
  static std::string programs() { return Path(TRAINYARD_PROGRAM).parent_path().string(); }
  [[nodiscard]] ProgramOutput run_in_container(const Path& file, const Arguments& given = {}) const {
    const auto output = run_program(container(file, given), kPlain, "/", "", std::chrono::seconds(120));
    REQUIRE(output.ok());
    return *output;
  }
  [[nodiscard]] Json results() const { return read_json(pod / "work/results/_results.json"); }
};

std::string mistakes_in(const Path& file) {
  const auto checked = run_program({TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_ARGO, file.string()}, kPlain, "/",
                                   "", std::chrono::seconds(60));
  if (!checked.ok()) return checked.error().message;
  return checked->status.code == 0 ? std::string() : checked->err + checked->out;
}

}  // namespace

TEST_CASE("What Argo and Kubernetes hand to the container does the same run again") {
  Yard yard;
  yard.store.add("counts");
  yard.store.temp().write("token", "s3cret {{x}} $(HOME)\\");
  const EndedRun run = yard.store.train("counts", yard.data,
                                        {"--env",
                                         "epochs=2",
                                         "--env",
                                         "note=" + kHostile,
                                         "--env",
                                         "ends=with a line break\n",
                                         "--env",
                                         "empty=",
                                         "--env",
                                         "dash=-x",
                                         "--tag",
                                         "why={{x}} $(HOME)",
                                         "--experiment",
                                         "ways",
                                         "--retries",
                                         "2",
                                         "--max-runtime",
                                         "1h",
                                         "--secret",
                                         "token=" + (yard.store.temp().path() / "token").string(),
                                         "--save-training-data"});
  REQUIRE(run.status() == "Successful");
  yard.store.must({"publish", "counts@1.1", "--to", "models"});

  const Path file = yard.exported("counts@1.1", {"--secrets", "run-secrets"});
  CHECK(mistakes_in(file).empty());
  CHECK_FALSE(has(read_text(file), "s3cret"));
  const ProgramOutput ended = yard.run_in_container(file, {"secret:token=s3cret {{x}} $(HOME)\\"});
  INFO(ended.err);
  REQUIRE(ended.status.code == 0);
  const Json again = yard.results();
  CHECK(again.at("parameters").at("env") == run.results.at("parameters").at("env"));
  const Json& traced = again.at("traceability");
  for (const char* const same : {"hyperparameters", "limits", "tags", "experiment", "snapshot", "seed", "type"})
    CHECK(traced.at(same) == run.traceability().at(same));
  CHECK(traced.at("parent").at("tree") == run.traceability().at("parent").at("tree"));
  CHECK(traced.at("secrets").contains("token"));
  // It took the next number of the remote, where it is now, and its outputs are where Argo takes them.
  CHECK(again.at("run_summary").at("outputs").at("version") == "1.2");
  yard.store.must({"pull", "counts@1.2", "--from", "models"});
  CHECK(yard.store.versions("counts") == std::vector<std::string>{"1.0", "1.1", "1.2"});
  const ProgramOutput nameless = yard.store.run({"pull", "counts", "--newest-minor"});
  CHECK(nameless.status.code == 2);
  CHECK(has(nameless.err, "--newest-minor goes with NAME@VERSION"));
  CHECK(read_text(yard.pod / "work/artifacts/report.txt") == read_text(run.folder / "artifacts/report.txt"));
  CHECK(is_there(yard.pod / "work/model/counts_v1.2.zip"));
  CHECK_FALSE(is_there(yard.pod / "work/secrets"));
  CHECK(has(ended.out, "log_loss="));
}

TEST_CASE("Whoever submits an exported workflow may change its hyperparameters, and they are judged as everywhere") {
  Yard yard;
  yard.store.add("counts");
  REQUIRE(yard.store.train("counts", yard.data, {"--env", "epochs=2"}).status() == "Successful");
  yard.store.must({"publish", "counts@1.1", "--to", "models"});
  const Path file = yard.exported("counts@1.1");
  const ProgramOutput wrong = yard.run_in_container(file, {"epochs=$(TRAINYARD_REMOTE); touch /tmp/owned"});
  INFO(wrong.err);
  CHECK(wrong.status.code == 2);
  CHECK(has(wrong.err, "hyperparameter 'epochs': '$(TRAINYARD_REMOTE); touch /tmp/owned' is not of type Integer"));
  boost::filesystem::remove_all(yard.pod / "work");
  REQUIRE(yard.run_in_container(file, {"epochs=1", "optimizer=adam"}).status.code == 0);
  CHECK(yard.results().at("traceability").at("hyperparameters").at("epochs") == 1);
  CHECK(yard.results().at("parameters").at("env").at("optimizer") == "adam");
}

TEST_CASE("A stopped workflow leaves the record of its run") {
  Yard yard;
  yard.store.add("slow");
  const std::string name = "long";
  RunningProgram first = yard.store.start_training(name, "slow", yard.data);
  yard.store.wait_for_the_call(name);
  first.signal(SIGTERM);
  REQUIRE(first.wait().status.code == 130);
  // A package without a version of its own is published as it was uploaded.
  yard.store.must({"publish", "slow@1.0", "--to", "models"});
  const Path file = yard.exported(name);
  RunningProgram second(yard.store.temp().path(), yard.container(file, {}), kPlain);
  const Path runs = yard.pod / "work/store/runs";
  REQUIRE(wait_until([&] {
    boost::system::error_code none;
    for (const auto& run : boost::filesystem::directory_iterator(runs, none)) {
      if (!read_json_lines(run.path() / "events.jsonl").empty()) return true;
    }
    return false;
  }));
  second.signal(SIGTERM);
  CHECK(second.wait().status.code == 130);
  CHECK(yard.results().at("traceability").at("status") == "Killed");
  CHECK(yard.results().at("traceability").at("reason") == "stopped");
}

TEST_CASE("A package that is another one on the remote is not run") {
  Yard yard;
  yard.store.add("counts");
  REQUIRE(yard.store.train("counts", yard.data).status() == "Successful");
  const Path file = yard.exported("counts@1.1");
  const ProgramOutput nothing = yard.run_in_container(file);
  CHECK(nothing.status.code == 2);
  CHECK(has(nothing.err, "has no counts@1.0"));

  TestStore other;
  const Path folder = other.temp().folder("other") / "counts";
  boost::filesystem::copy(test_package("counts"), folder, boost::filesystem::copy_options::recursive);
  other.temp().write("other/counts/more.txt", "not what the run had");
  other.must({"package", "add", folder.string()});
  other.must({"remote", "add", "models", "file://" + yard.place.string()});
  other.must({"publish", "counts@1.0", "--to", "models"});
  boost::filesystem::remove_all(yard.pod / "work");
  const ProgramOutput output = yard.run_in_container(file);
  CHECK(output.status.code == 2);
  CHECK(has(output.err, "counts@1.0 of the remote models is not the package of the run"));
}

TEST_CASE("Exports say what they cannot do") {
  Yard yard;
  yard.store.add("counts");
  REQUIRE(yard.store.train("counts", yard.data).status() == "Successful");
  struct Row {
    Arguments words;
    const char* message;
  };
  const auto words = [&](const std::string& definition, const Arguments& more) {
    Arguments all = {"export", "argo", definition, "--image", "t:1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const Row rows[] = {
      {words("counts@1.0", {}), "no run made counts@1.0"},
      {words("nothing", {}), "there is no run 'nothing'"},
      {words("run-1", {}), "--remote-claim"},
      {words("run-1", {"--remote", "elsewhere"}), "elsewhere"},
      {words("run-1", {"--data", "/data"}), "--data is '/data'"},
      {words("run-1", {"--evaluation-data", "artifact"}), "has no evaluation data"},
      {words("run-1", {"--python", "/usr/bin/python3"}), "native"},
      {words("run-1", {"--for", "sagemaker"}), "--for is 'sagemaker'"},
      {words("run-1", {"--scenario", "x"}), "--for sap-ai-core"},
      {words("run-1", {"--for", "sap-ai-core", "--resource-plan", "starter"}), "nobody can make one"},
  };
  for (const Row& row : rows) {
    const ProgramOutput output = yard.store.run(row.words);
    CAPTURE(row.message, output.err);
    CHECK(output.status.code == 2);
    CHECK(has(output.err, row.message));
    CHECK(output.out.empty());
  }
  const Path file = yard.exported("run-1");
  Arguments twice = yard.words("run-1", {"-o", file.string()});
  CHECK(yard.store.run(twice).status.code != 0);
  CHECK(yard.store.json(yard.words("run-1")).at("kind") == "WorkflowTemplate");
}

}  // namespace trainyard::argo_test
