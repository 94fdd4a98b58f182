// SPDX-License-Identifier: Apache-2.0
// What the product is for: a package is trained on a folder, a new version comes of it, and it can be told what it came
// from.
#include <fcntl.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "storage/values/sha256.hpp"
#include "tests/support/fingerprint.hpp"
#include "tests/support/stored_object.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::main_job_test {
namespace {

using Keys = std::set<std::string>;

Keys keys(const Json& object) {
  Keys keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

bool said(const EndedRun& run, const std::string& text) {
  for (const Json& event : read_json_lines(run.folder / "events.jsonl")) {
    if (event.at("event") == "log" && event.at("text").get<std::string>().find(text) != std::string::npos) return true;
  }
  return false;
}

const Path kTraining = Path(DIGITS_DATA) / "training";

TEST_CASE("A package is trained, and its versions follow one another") {
  TestStore store;
  const Json uploaded =
      store.json({"package", "add", test_package("digits.zip").string(), "--change-log", "first upload"});
  CHECK(uploaded.at("version") == "1.0");
  CHECK(uploaded.at("change_log") == "first upload");

  const EndedRun first = store.train("digits", kTraining, {"--env", "epochs=10", "--save-training-data"});
  INFO(first.output.err);
  REQUIRE(first.output.status.code == 0);
  CHECK(first.version() == "1.1");
  CHECK(first.status() == "Successful");
  CHECK(first.reason() == "ok");
  CHECK(said(first, "untrained"));
  const Json& accuracy = first.traceability().at("metrics").at("validation_accuracy");
  CHECK(accuracy.at("count") == 10);
  CHECK(accuracy.at("last_step") == 10);
  CHECK(accuracy.at("last").get<double>() >= 0.95);
  CHECK(contents(first.folder / "artifacts").count("learning_curve.svg") == 1);

  const EndedRun second = store.train("digits@1.1", kTraining, {"--env", "epochs=2"});
  CHECK(second.version() == "1.2");
  CHECK(said(second, "continuing from 10 epochs"));
  CHECK(second.traceability().at("metrics").at("loss").at("last_step") == 12);
  // A model that began anew would be far worse after one epoch: 0.84 here.
  CHECK(second.traceability().at("metrics").at("validation_accuracy").at("min").get<double>() >= 0.95);
  CHECK(store.json({"package", "show", "digits@1.2"}).at("parent") == "1.1");

  // The highest minor of the major counts, not that of the trained version.
  const EndedRun third = store.train("digits@1.0", kTraining, {"--env", "epochs=1"});
  CHECK(third.version() == "1.3");
  CHECK(store.json({"package", "show", "digits@1.3"}).at("parent") == "1.0");
  CHECK(store.json({"package", "add", test_package("digits.zip").string()}).at("version") == "2.0");
  CHECK(store.versions("digits") == std::vector<std::string>{"1.0", "1.1", "1.2", "1.3", "2.0"});
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("The same seed, data and package give the same model, bit for bit") {
  TestStore store;
  store.add("digits");
  const EndedRun one = store.train("digits@1.0", kTraining, {"--env", "epochs=2"});
  const EndedRun two = store.train("digits@1.0", kTraining, {"--env", "epochs=2", "--mount", "copy", "--allow-repeat"});
  const EndedRun other = store.train("digits@1.0", kTraining, {"--env", "epochs=2", "--env", "seed=2"});
  CHECK(one.version() == "1.1");
  CHECK(two.version() == "1.2");
  CHECK(one.traceability().at("version").at("tree") == two.traceability().at("version").at("tree"));
  CHECK(one.traceability().at("version").at("zip") == two.traceability().at("version").at("zip"));
  CHECK(one.traceability().at("version").at("tree") != other.traceability().at("version").at("tree"));
}

TEST_CASE("The results have the fixed keys and what an audit needs") {
  TestStore store;
  store.add("digits");
  const EndedRun run = store.train("digits", kTraining, {"--env", "epochs=1", "--save-training-data", "--json"});
  REQUIRE(run.output.status.code == 0);
  const Json& results = run.results;
  CHECK(keys(results) == Keys{"parameters", "run_summary", "traceability"});
  CHECK(keys(results.at("parameters")) == Keys{"pipeline", "inputs", "env"});
  CHECK(keys(results.at("parameters").at("inputs")) == Keys{"package", "version", "train_data", "gpu"});
  CHECK(keys(results.at("run_summary")) == Keys{"execution_time", "start_at", "end_at", "outputs"});
  CHECK(keys(results.at("run_summary").at("outputs")) == Keys{"train_data", "artifacts_data", "package", "version"});
  for (const char* const key :
       {"schema", "run", "type", "status", "reason", "attempts", "datasets", "snapshot", "parent", "version",
        "artifacts", "abi", "runner", "host", "seed", "hyperparameters", "metrics", "score"}) {
    CHECK(results.at("traceability").contains(key));
  }

  CHECK(results.at("parameters").at("pipeline") == "run-1");
  const Json& inputs = results.at("parameters").at("inputs");
  CHECK(inputs.at("package") == "digits");
  CHECK(inputs.at("version") == "1.0");
  CHECK(inputs.at("train_data") == boost::filesystem::canonical(kTraining).string());
  CHECK(inputs.at("gpu") == "False");
  const Json& env = results.at("parameters").at("env");
  CHECK(env.at("artifacts_directory") == "artifacts");
  CHECK(env.at("save_training_data") == "true");
  CHECK(env.at("epochs") == "1");
  // Not given by the user: the package's defaults.
  CHECK(env.at("learning_rate") == "0.1");
  for (const auto& [name, value] : env.items()) CHECK(value.is_string());

  const Json& summary = results.at("run_summary");
  const double took = summary.at("end_at").get<double>() - summary.at("start_at").get<double>();
  CHECK(summary.at("execution_time").get<double>() == Approx(took).margin(0.001));
  CHECK(took > 0);
  CHECK(summary.at("outputs").at("artifacts_data") == (run.folder / "artifacts").string());
  CHECK(summary.at("outputs").at("package") == "digits");
  CHECK(summary.at("outputs").at("version") == "1.1");

  const Json& trace = run.traceability();
  CHECK(trace.at("hyperparameters").at("epochs") == 1);
  CHECK(trace.at("hyperparameters").at("learning_rate") == 0.1);
  CHECK(trace.at("hyperparameters").at("augment") == true);
  CHECK(trace.at("seed") == 1);
  CHECK(trace.at("datasets").at(0).at("tree").at("files") == 1);
  CHECK(trace.at("artifacts").at("files") == contents(run.folder / "artifacts").size());
  CHECK(trace.at("parent").at("tree") == store.json({"package", "show", "digits@1.0"}).at("tree"));
  CHECK(trace.at("version").at("tree") == store.json({"package", "show", "digits@1.1"}).at("tree"));
  CHECK(trace.at("version").at("zip") == store.json({"package", "show", "digits@1.1"}).at("zip"));
  CHECK(store.json({"package", "show", "digits@1.1"}).at("run") == trace.at("run"));
  // What the user reads is what is kept.
  CHECK(Json::parse(run.output.out) == results);
}

TEST_CASE("The data of a run can be had back, and damage to it is found") {
  TestStore store;
  store.add("digits");
  const EndedRun run = store.train("digits", kTraining, {"--env", "epochs=1", "--save-training-data"});
  REQUIRE(run.output.status.code == 0);
  const auto id = run.results.at("run_summary").at("outputs").at("train_data").get<std::string>();
  CHECK(id == run.traceability().at("snapshot"));
  CHECK(id == run.traceability().at("datasets").at(0).at("tree").at("digest"));

  const Path back = store.temp().path() / "back";
  store.must({"snapshot", "checkout", id.substr(0, 8), back.string()});
  CHECK(contents(back) == contents(kTraining));
  CHECK(store.json({"snapshot", "verify", id}).at("verified") == true);

  const Digest digest = sha256(read_text(kTraining / "digits.csv"));
  damage_object(store.root(), digest);

  const ProgramOutput verified = store.run({"snapshot", "verify", id});
  CHECK(verified.status.code == 3);
  CHECK(verified.out == "");
  CHECK_THAT(verified.err, Catch::Contains("digits.csv"));
  const ProgramOutput restored = store.run({"snapshot", "checkout", id, (store.temp().path() / "again").string()});
  CHECK(restored.status.code == 3);
  CHECK_THAT(restored.err, Catch::Contains(digest.hex()));
  CHECK_FALSE(is_there(store.temp().path() / "again"));
}

TEST_CASE("Without the wish for a snapshot the digests are kept and the bytes are not") {
  TestStore store;
  store.add("counts");
  const Path data = store.temp().folder("data");
  store.temp().write("data/one.txt", "nobody else has these bytes");
  const EndedRun run = store.train("counts", data);
  REQUIRE(run.output.status.code == 0);
  CHECK(run.results.at("run_summary").at("outputs").at("train_data").is_null());
  CHECK(run.traceability().at("snapshot").is_null());
  CHECK(run.results.at("parameters").at("env").at("save_training_data") == "false");
  CHECK(store.json({"snapshot", "list"}).empty());
  CHECK_FALSE(place_of(store.root(), sha256("nobody else has these bytes")));
  // Whether a folder is the same data can still be told.
  const Json kept = store.json({"snapshot", "create", data.string()});
  CHECK(kept.at("tree") == run.traceability().at("datasets").at(0).at("tree"));
}

TEST_CASE("The data is found where the layout says, whatever the user calls it") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/training/a.txt", "a");
  const EndedRun run = store.train(
      "counts", store.temp().path() / "data",
      {"--env", "training_data_directory=in/here", "--env", "artifacts_directory=out", "--env", "save_data=True"});
  INFO(run.output.err);
  REQUIRE(run.output.status.code == 0);
  CHECK_THAT(read_text(run.folder / "artifacts" / "report.txt"), Catch::Contains("files 1\n"));
  const Json& env = run.results.at("parameters").at("env");
  CHECK(env.at("training_data_directory") == "in/here");
  CHECK(env.at("artifacts_directory") == "out");
  CHECK(env.at("save_training_data") == "true");
  CHECK_FALSE(run.traceability().at("snapshot").is_null());
  const Json job = read_json(run.folder / "job.json");
  const std::string package = job.at("directories").at("package").get<std::string>();
  CHECK(job.at("environment").at("training_data_directory") == package + "/in/here");
  CHECK(job.at("environment").at("artifacts_directory") == package + "/out");
  // Neither the data nor the artifacts travel in the version: package.json, the library and the model do.
  CHECK(run.traceability().at("version").at("tree").at("files") == 3);
}

}  // namespace
}  // namespace trainyard::main_job_test
