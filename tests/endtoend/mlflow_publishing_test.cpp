// SPDX-License-Identifier: Apache-2.0
// MLflow is told of the run that made a version.
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/mlflow_server.hpp"

namespace trainyard::mlflow_publishing_test {

TEST_CASE("MLflow is told of the run that made a version, beside a remote") {
  TestStore store;
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1,2\n");
  store.add("counts");
  store.must({"remote", "add", "outputs", "file://" + (store.temp().path() / "place").string()});
  MlflowServerProcess server({"--user", "ada:lovelace"});
  const EndedRun run = store.train("counts", data, {"--tag", "team=blue"});
  REQUIRE(run.version() == "1.1");
  const Arguments publish = {"publish", "counts@1.1", "--to",  "outputs", "--to", "mlflow:" + server.url() + "/nightly",
                             "--label", "production", "--json"};
  const Variables credentials = {{"MLFLOW_TRACKING_USERNAME", "ada"}, {"MLFLOW_TRACKING_PASSWORD", "lovelace"}};
  const ProgramOutput output = store.run(publish, credentials);
  INFO(output.err);
  REQUIRE(output.status.code == 0);
  const Json report = parse_json(output.out, "the report").value();
  CHECK(report.at("places").size() == 1);
  CHECK(report.at("mlflow")[0].at("state") == "logged");
  const Json state = server.state();
  CHECK(state.at("experiments")[0].at("name") == "nightly");
  CHECK(state.at("models").at("counts").at("aliases").at("production") == "1");
  CHECK(state.at("runs").size() == 1);
  const ProgramOutput again = store.run(publish, credentials);
  REQUIRE(again.status.code == 0);
  CHECK(parse_json(again.out, "the report").value().at("mlflow")[0].at("state") == "was_there");
  CHECK(server.state() == state);
  const ProgramOutput refused = store.run(publish);
  CHECK(refused.status.code != 0);
  CHECK(has(refused.err, "MLFLOW_TRACKING_USERNAME"));
  const ProgramOutput uploaded = store.run({"publish", "counts@1.0", "--to", "mlflow:" + server.url()}, credentials);
  CHECK(uploaded.status.code == 2);
  CHECK(has(uploaded.err, "was uploaded"));
}

}  // namespace trainyard::mlflow_publishing_test
