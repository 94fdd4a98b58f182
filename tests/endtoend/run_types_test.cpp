// SPDX-License-Identifier: Apache-2.0
// Evaluations and full runs: what the package is given, what comes of it, and what does not.
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard::run_types_test {
namespace {

// A store with the package `splits`, and four files of data.
struct Splitting {
  TestStore store;
  Path data = store.temp().folder("data");
  Splitting() {
    store.add("splits");
    for (const char* const name : {"a", "b", "c", "d"})
      store.temp().write("data/" + std::string(name) + ".csv", std::string("rows of ") + name + "\n");
  }
  // As often as a test likes.
  EndedRun full(Arguments more = {}) {
    more.emplace_back("--allow-repeat");
    return store.carry_out("full", "splits", data, more);
  }
};

// What a verb was given, as the package told it.
std::string given(const EndedRun& run, const std::string& verb) {
  return read_text(run.folder / "artifacts" / (verb + ".txt"));
}

Arguments split(const std::string& how) { return {"--env", "split=" + how}; }

}  // namespace

TEST_CASE("An evaluation makes a score and no version") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/x.csv", "1,2\n");
  store.temp().write("data/y.csv", "3,4\n");
  store.temp().write("test/z.csv", "5,6\n");
  const Path data = store.temp().path() / "data";
  const Path test = store.temp().path() / "test";
  REQUIRE(store.train("counts", data).version() == "1.1");
  const Fingerprint before = fingerprint(test);

  const EndedRun run = store.carry_out("evaluation", "counts", test, {"--save-test-data"});
  CHECK(run.output.status.code == 0);
  CHECK(has(run.output.out, "counts@1.1 evaluated by run run-2"));
  CHECK(has(run.output.out, "score      1"));
  CHECK(run.status() == "Successful");
  CHECK(run.results.at("parameters").at("inputs").at("evaluation_data") == test.string());
  const Json& outputs = run.results.at("run_summary").at("outputs");
  CHECK(outputs.at("score") == 1.0);
  CHECK_FALSE(outputs.contains("version"));
  CHECK(store.versions("counts") == std::vector<std::string>{"1.0", "1.1"});
  CHECK(difference(before, fingerprint(test)) == "");
  store.must({"snapshot", "verify", outputs.at("evaluation_data").get<std::string>()});
  CHECK(run.traceability().at("overlap") == Json({{"files", 0}, {"of", 1}, {"examples", Json::array()}}));
  CHECK(run.output.err == "");
  // The old version has learned nothing.
  CHECK(store.carry_out("evaluation", "counts@1.0", test).traceability().at("score") == 0.0);

  const Json listed = store.json({"runs", "list"});
  CHECK(listed[1].at("type") == "evaluation");
  CHECK(listed[1].at("score") == 1.0);
  CHECK(listed[1].at("version").is_null());
  CHECK(has(store.must({"runs", "show", "run-2"}), "evaluation"));
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("An evaluation on the training data is told as such") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/x.csv", "1,2\n");
  store.temp().write("data/empty.csv", "");
  store.temp().write("more/copy of x.csv", "1,2\n");
  store.temp().write("more/y.csv", "3,4\n");
  store.temp().write("more/empty.csv", "");
  REQUIRE(store.train("counts", store.temp().path() / "data").version() == "1.1");
  const EndedRun first = store.carry_out("evaluation", "counts@1.0", store.temp().path() / "more");
  CHECK(first.traceability().at("overlap").is_null());  // nobody knows what an upload was trained on
  REQUIRE(store.train("counts", store.temp().folder("nothing")).version() == "1.2");
  for (const char* const version : {"counts@1.1", "counts@1.2"}) {
    const EndedRun run = store.carry_out("evaluation", version, store.temp().path() / "more");
    CHECK(run.status() == "Successful");
    CHECK(run.traceability().at("overlap") ==
          Json({{"files", 1}, {"of", 2}, {"examples", Json::array({"copy of x.csv"})}}));
    CHECK(has(run.output.err, "1 of 2 files of the evaluation data are training data too, such as 'copy of x.csv'"));
  }
}

TEST_CASE("A full run prepares, trains, saves and evaluates the new model") {
  for (const char* const mount : {"best", "copy"}) {
    CAPTURE(mount);
    TestStore store;
    store.add("counts");
    store.temp().write("data/x.csv", "1,2\n");
    const Path data = store.temp().path() / "data";
    const Fingerprint before = fingerprint(data);
    const EndedRun run = store.carry_out("full", "counts", data, {"--save-training-data", "--mount", mount});
    INFO(run.output.err);
    CHECK(run.status() == "Successful");
    CHECK(run.version() == "1.1");
    // The model counts its trainings: the old one would say 0.
    CHECK(run.results.at("run_summary").at("outputs").at("score") == 1.0);
    CHECK(has(read_text(run.folder / "artifacts" / "report.txt"), "files 1"));
    CHECK(difference(before, fingerprint(data)) == "");
    const Json version = store.json({"package", "show", "counts@1.1"});
    CHECK(version.at("score") == 1.0);
    CHECK(version.at("tree").at("files") ==
          store.json({"package", "show", "counts@1.0"}).at("tree").at("files").get<int>() + 1);
    CHECK(run.traceability().at("trained_on_dataset") == false);
    std::vector<std::string> calls;
    for (const Json& event : read_json_lines(run.folder / "events.jsonl"))
      if (event.at("event") == "called") calls.push_back(event.at("verb").get<std::string>());
    CHECK(calls == std::vector<std::string>{"create", "process_data", "train", "save", "evaluate"});
    // A snapshot is of what came in, not of what the package made of it.
    const auto snapshot = run.results.at("run_summary").at("outputs").at("train_data").get<std::string>();
    CHECK(store.run({"snapshot", "cat", snapshot, "x.csv"}).out == "1,2\n");
    CHECK(store.json({"snapshot", "list"})[0].at("tree").at("files") == 1);
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
}

TEST_CASE("A package that prepares nothing is trained on the dataset and evaluated on nothing") {
  Splitting splitting;
  const EndedRun run = splitting.full(split("nothing"));
  INFO(run.output.err);
  CHECK(run.version() == "1.1");
  CHECK(given(run, "process_data") == "a.csv\nb.csv\nc.csv\nd.csv\n");
  CHECK(given(run, "train") == "a.csv\nb.csv\nc.csv\nd.csv\n");
  CHECK(given(run, "evaluate") == "");
  CHECK(run.traceability().at("score") == 0.0);
  CHECK(run.traceability().at("trained_on_dataset") == true);
  CHECK(has(run.output.err, "process_data left nothing in the training folder"));
}

TEST_CASE("What a package puts aside is what it is evaluated on, and a file in both parts is told") {
  Splitting splitting;
  const EndedRun halves = splitting.full(split("halves"));
  INFO(halves.output.err);
  CHECK(halves.traceability().at("score") == 2.0);
  CHECK(given(halves, "train").size() == given(halves, "evaluate").size());
  CHECK(given(halves, "train") != given(halves, "evaluate"));
  CHECK(halves.traceability().at("overlap") == Json({{"files", 0}, {"of", 2}, {"examples", Json::array()}}));
  CHECK(halves.output.err == "");

  for (const char* const mount : {"best", "copy"}) {
    Arguments more = split("same");
    more.insert(more.end(), {"--mount", mount});
    const EndedRun same = splitting.full(more);
    CHECK(same.traceability().at("score") == 4.0);
    CHECK(same.traceability().at("overlap") ==
          Json({{"files", 4}, {"of", 4}, {"examples", {"a.csv", "b.csv", "c.csv", "d.csv"}}}));
    CHECK(has(same.output.err, "4 of 4 files of the evaluation data are training data too"));
  }
}

TEST_CASE("The parts that a dataset has already show through") {
  Splitting splitting;
  splitting.store.temp().write("data/training/old/t.csv", "old\n");
  splitting.store.temp().write("data/test/u.csv", "unseen\n");
  const Fingerprint before = fingerprint(splitting.data);
  const EndedRun run = splitting.full(split("nothing"));
  INFO(run.output.err);
  CHECK(given(run, "train") == "old/t.csv\n");
  CHECK(given(run, "evaluate") == "u.csv\n");
  CHECK(run.traceability().at("trained_on_dataset") == false);
  CHECK(run.traceability().at("overlap").at("of") == 1);
  for (const char* const mount : {"best", "copy"}) {
    Arguments more = split("replaced");
    more.insert(more.end(), {"--mount", mount});
    CHECK(given(splitting.full(more), "train") == "new.csv\n");
  }
  CHECK(difference(before, fingerprint(splitting.data)) == "");
}

TEST_CASE("A full run takes an evaluation dataset of its own") {
  for (const char* const mount : {"best", "copy"}) {
    CAPTURE(mount);
    Splitting splitting;
    splitting.store.temp().write("data/test/hidden.csv", "hidden\n");
    splitting.store.temp().write("unseen/1.csv", "one\n");
    splitting.store.temp().write("unseen/2.csv", "rows of a\n");
    const Path unseen = splitting.store.temp().path() / "unseen";
    const Fingerprint before = fingerprint(unseen);
    Arguments more = split("nothing");
    more.insert(more.end(), {"--evaluation-dataset", unseen.string(), "--save-test-data", "--mount", mount});
    const EndedRun run = splitting.full(more);
    INFO(run.output.err);
    CHECK(run.version() == "1.1");
    CHECK(given(run, "evaluate") == "1.csv\n2.csv\n");
    CHECK(run.traceability().at("score") == 2.0);
    CHECK(run.traceability().at("overlap").at("files") == 1);
    const Json& outputs = run.results.at("run_summary").at("outputs");
    CHECK(outputs.at("train_data").is_null());
    splitting.store.must({"snapshot", "verify", outputs.at("evaluation_data").get<std::string>()});
    CHECK(run.traceability().at("datasets")[1].at("tree").at("files") == 2);
    CHECK(difference(before, fingerprint(unseen)) == "");
    CHECK(splitting.store.schema_mistakes() == "");
  }
}

TEST_CASE("Named datasets and archives serve as both inputs of a full run") {
  Splitting splitting;
  const TestStore& store = splitting.store;
  store.temp().write("unseen/1.csv", "one\n");
  store.must({"dataset", "add", "rows", splitting.data.string()});
  const std::string id = snapshot_of(store, store.temp().path() / "unseen");
  const std::string tar = (store.temp().path() / "unseen.tar.zst").string();
  store.must({"snapshot", "export", id, tar});
  const ProgramOutput ran =
      store.run({"run", "full", "splits", "--dataset", "rows", "--evaluation-dataset", tar, "--name", "both"});
  INFO(ran.err);
  REQUIRE(ran.status.code == 0);
  const Json results = read_json(*store.run_folder("both") / "_results.json");
  const Json& datasets = results.at("traceability").at("datasets");
  CHECK(datasets[0].at("dataset") == Json({{"name", "rows"}, {"version", 1}, {"folder", nullptr}}));
  CHECK(datasets[1].at("kind") == "archive");
  CHECK(datasets[1].at("tree").at("digest") == id);
}

TEST_CASE("A score that is no finite number fails the run, and no version is made") {
  Splitting splitting;
  for (const char* const score : {"nan", "infinity"}) {
    const std::string given_score = std::string("score=") + score;
    for (const char* const type : {"full", "evaluation"}) {
      const EndedRun run = splitting.store.carry_out(type, "splits", splitting.data, {"--env", given_score});
      CHECK(run.output.status.code == 1);
      CHECK(run.status() == "Failed");
      CHECK(run.reason() == "package_error");
      CHECK(has(run.message(), "evaluate() gave a score that is not a finite number"));
      CHECK(run.results.at("run_summary").at("outputs").at("score").is_null());
    }
  }
  CHECK(splitting.store.versions("splits") == std::vector<std::string>{"1.0"});
  CHECK(splitting.store.schema_mistakes() == "");
}

TEST_CASE("A dataset with a file where a part has to be is refused by name") {
  Splitting splitting;
  splitting.store.temp().write("data/training", "a file\n");
  const EndedRun run = splitting.full();
  CHECK(run.reason() == "invalid_input");
  CHECK(has(run.message(), "has a file 'training', where a full run keeps a part of its data"));
}

TEST_CASE("Types of runs that a package or a request does not fit are refused before anything starts") {
  TestStore store;
  store.add("idle");
  store.add("splits");
  store.temp().write("data/x.csv", "1,2\n");
  const std::string data = (store.temp().path() / "data").string();
  struct Row {
    Arguments arguments;
    std::string told;
  };
  const std::vector<Row> rows = {
      {{"run", "evaluation", "idle", "--dataset", data}, "cannot be evaluated because it has no evaluate()"},
      {{"run", "full", "idle", "--dataset", data}, "cannot do a full run because it has no process_data()"},
      {{"run", "full", "splits", "--dataset", data, "--save-test-data"}, "without --evaluation-dataset"},
      {{"run", "full", "splits", "--dataset", data, "--evaluation-dataset", "nowhere"}, "'nowhere' is neither"},
      {{"run", "evaluation", "splits", "--dataset", data, "--save-training-data"}, "--save-training-data"},
      {{"run", "evaluation", "splits"}, "--dataset"},
  };
  for (const Row& row : rows) {
    const ProgramOutput output = store.run(row.arguments);
    INFO(row.told << "\n" << output.err);
    CHECK(output.status.code == 2);
    CHECK(has(output.err, row.told));
    CHECK(output.out == "");
  }
  CHECK(store.json({"runs", "list"}).empty());
}

#ifdef TUMOURS_ZIP
TEST_CASE("The sample package tumours learns with a library of its own") {
  TestStore store;
  store.must({"package", "add", TUMOURS_ZIP});
  const EndedRun run = store.carry_out("full", "tumours", TUMOURS_DATA, {"--env", "rounds=20"});
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  CHECK(run.traceability().at("score").get<double>() > 0.93);
  CHECK(run.traceability().at("metrics").at("loss").at("count") == 20);
  CHECK(run.traceability().at("overlap").at("files") == 0);
  const EndedRun untrained = store.carry_out("evaluation", "tumours@1.0", TUMOURS_DATA);
  CHECK(untrained.reason() == "invalid_input");
  CHECK(has(untrained.message(), "this version has learned nothing yet; train it first"));
  // The same data and settings give the same model.
  const EndedRun again = store.carry_out("full", "tumours@1.0", TUMOURS_DATA, {"--env", "rounds=20", "--allow-repeat"});
  CHECK(store.json({"package", "show", "tumours@1.1"}).at("tree") ==
        store.json({"package", "show", "tumours@1.2"}).at("tree"));
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}
#endif

}  // namespace trainyard::run_types_test
