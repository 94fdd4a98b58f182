// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/mlflow_logging.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "storage/http/retrying_http.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/mlflow_server.hpp"
#include "tests/unit/example_lineage.hpp"

namespace trainyard::mlflow_test {
namespace {

MlflowRun told(const RunRecord& run, const MetricSeries& series = {}, const std::string& label = "") {
  std::optional<VersionLabel> alias;
  if (!label.empty()) alias = VersionLabel::parse(label).value();
  auto made = mlflow_run(run, series, "", "urn:trainyard:version:digits:1.1", alias);
  if (!made.ok()) FAIL(made.error().message);
  return std::move(*made);
}

MetricSeries long_series(int points) {
  MetricSeries series;
  for (int i = 0; i < points; ++i) series["loss"].push_back({Instant{i * 1000}, i, 1.0 / (i + 1)});
  return series;
}

// All items of one list of all batches.
Json all_of(const MlflowRun& run, const char* list) {
  Json items = Json::array();
  for (const Json& batch : run.batches)
    for (const Json& item : batch.at(list)) items.push_back(item);
  return items;
}

std::string value_of(const Json& pairs, const std::string& key) {
  for (const Json& pair : pairs)
    if (pair.at("key") == key) return pair.at("value").get<std::string>();
  return "(none)";
}

void check_limits(const MlflowRun& run) {
  for (std::size_t i = 0; i < run.batches.size(); ++i) {
    const Json& batch = run.batches[i];
    CHECK(batch.at("metrics").size() <= 1000);
    CHECK(batch.at("params").size() <= 100);
    CHECK(batch.at("tags").size() <= 100);
    CHECK(batch.at("metrics").size() + batch.at("params").size() + batch.at("tags").size() <= 1000);
    CHECK(batch.dump().size() < 1'000'000);
    CHECK(value_of(batch.at("tags"), kMlflowBatchesTag) == std::to_string(i + 1));
    for (const char* const list : {"params", "tags"}) {
      for (const Json& pair : batch.at(list)) {
        const auto key = pair.at("key").get<std::string>();
        CHECK(key.size() <= 250);
        CHECK(key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ") ==
              std::string::npos);
        CHECK(pair.at("value").get<std::string>().size() <= (std::string(list) == "params" ? 6000 : 5000));
      }
    }
  }
}

struct Server {
  MlflowServerProcess server;
  std::unique_ptr<HttpClient> curl = curl_http();
  RetryPolicy hasty{4, std::chrono::milliseconds(2), std::chrono::milliseconds(20), std::chrono::milliseconds(50)};
  std::unique_ptr<HttpClient> http = retrying(*curl, hasty);

  Result<LoggedRun> log(const MlflowRun& run, const std::string& url, const MlflowCredentials& credentials = {}) {
    return log_to_mlflow(run, {url, ""}, credentials, *http);
  }
  LoggedRun must_log(const MlflowRun& run, const std::string& url) {
    auto logged = log(run, url);
    if (!logged.ok()) FAIL(logged.error().message);
    return std::move(*logged);
  }
  // Those that are not deleted.
  Json runs() {
    Json runs = Json::array();
    const Json state = server.state();
    for (const Json& run : state.at("runs"))
      if (run.at("info").at("lifecycle_stage") == "active") runs.push_back(run);
    return runs;
  }
};

}  // namespace

TEST_CASE("the address of an MLflow server is a URL and an experiment", "[mlflow]") {
  CHECK(MlflowAddress::parse("mlflow:http://host:5000").value() == MlflowAddress{"http://host:5000", ""});
  CHECK(MlflowAddress::parse("mlflow:https://host/team/digits/").value() ==
        MlflowAddress{"https://host", "team/digits"});
  CHECK(MlflowAddress::parse("mlflow:http://h/x").value().text() == "mlflow:http://h/x");
  for (const char* const wrong : {"mlflow:", "mlflow:host:5000", "mlflow:http://", "mlflow:http:///x", "http://host",
                                  "mlflow:http://ada:secret@host", "mlflow:http://host?x=1"}) {
    const auto address = MlflowAddress::parse(wrong);
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().code == Errc::invalid);
    CHECK(address.error().message.find("secret") == std::string::npos);
  }
}

TEST_CASE("a run is told with all that its record has", "[mlflow]") {
  const RunRecord record = example::training_record();
  const MlflowRun run = told(record, {}, "production");
  check_limits(run);
  CHECK(run.experiment == record.parent.package.text());
  CHECK(run.status == "FINISHED");
  CHECK(run.create.at("start_time") == record.started_at.microseconds / 1000);
  CHECK(run.end_time == record.ended_at.microseconds / 1000);
  CHECK(run.alias == "production");
  const Json tags = all_of(run, "tags");
  CHECK(value_of(tags, "trainyard.run") == record.run.text());
  CHECK(value_of(tags, "trainyard.version") == record.version->version.text());
  CHECK(value_of(tags, "trainyard.tree.sha256") == record.version->tree.digest.hex());
  CHECK(value_of(tags, "trainyard.train_data.sha256") == record.inputs[0].tree->digest.hex());
  CHECK(value_of(tags, "machine") == "big");
  CHECK(value_of(all_of(run, "params"), "epochs") == "10");
  REQUIRE(run.datasets.size() == 1);
  const Json& dataset = run.datasets[0].at("dataset");
  CHECK(dataset.at("digest") == record.inputs[0].tree->digest.hex().substr(0, 32));
  CHECK(parse_json(dataset.at("source").get<std::string>(), "it").value().at("sha256") ==
        record.inputs[0].tree->digest.hex());
  CHECK(run.datasets[0].at("tags")[0].at("value") == "training");
  CHECK(run.model == record.parent.package.text());
}

TEST_CASE("many values are told in as many requests as MLflow wants", "[mlflow]") {
  RunRecord record = example::training_record();
  SECTION("metrics") {
    const MlflowRun run = told(record, long_series(5000));
    check_limits(run);
    CHECK(run.batches.size() == 6);
    CHECK(all_of(run, "metrics").size() == 5000);
    CHECK(all_of(run, "metrics")[4999].at("step") == 4999);
  }
  SECTION("parameters and tags") {
    for (int i = 0; i < 350; ++i) record.environment["P" + std::to_string(i)] = "1";
    for (int i = 0; i < 350; ++i) record.tags["t" + std::to_string(i)] = "1";
    const MlflowRun run = told(record);
    check_limits(run);
    CHECK(value_of(all_of(run, "params"), "P349") == "1");
    CHECK(value_of(all_of(run, "tags"), "t349") == "1");
  }
  SECTION("a megabyte") {
    for (int i = 0; i < 300; ++i) record.environment["P" + std::to_string(i)] = std::string(6000, '\\');
    const MlflowRun run = told(record);
    check_limits(run);
    CHECK(value_of(all_of(run, "params"), "P299") == std::string(6000, '\\'));
  }
}

TEST_CASE("what MLflow cannot hold is told otherwise", "[mlflow]") {
  RunRecord record = example::training_record();
  record.environment["LONG"] = "é" + std::string(7000, 'x');
  record.tags["mlflow.runName"] = "not this one";
  MetricSeries series;
  series["loss"] = {
      {Instant{0}, 0, 1.0}, {Instant{0}, 1, std::nan("")}, {Instant{0}, 2, std::numeric_limits<double>::infinity()}};
  const MlflowRun run = told(record, series);
  check_limits(run);
  const std::string fitted = value_of(all_of(run, "params"), "LONG");
  CHECK(fitted.size() <= 6000);
  CHECK(fitted.substr(fitted.size() - 64) == sha256(record.environment["LONG"]).hex());
  CHECK(all_of(run, "metrics").size() == 1);
  CHECK(value_of(all_of(run, "tags"), "trainyard.not_finite.loss") == "NaN at step 1, Infinity at step 2");
  CHECK(value_of(all_of(run, "tags"), "tag.mlflow.runName") == "not this one");
  for (const char* const label : {"latest", "Latest", "v1", "V23"}) {
    const auto refused = mlflow_run(record, {}, "", "urn:x", std::optional(VersionLabel::parse(label).value()));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::invalid);
  }
  CHECK(told(record, {}, "v1b").alias == "v1b");
  CHECK_FALSE(mlflow_run(example::evaluation_record(), {}, "", "urn:x", std::nullopt).ok());
}

TEST_CASE("a run is logged once, and found again", "[mlflow]") {
  Server server;
  const MlflowRun run = told(example::full_record(), long_series(2500), "production");
  const LoggedRun first = server.must_log(run, server.server.url());
  CHECK(first.state == LoggedRun::State::logged);
  const Json state = server.server.state();
  REQUIRE(state.at("runs").size() == 1);
  const Json& logged = state.at("runs")[0];
  CHECK(logged.at("info").at("status") == "FINISHED");
  CHECK(logged.at("info").at("end_time") == run.end_time);
  CHECK(logged.at("data").at("metrics").size() == 2501);  // and the score
  CHECK(logged.at("inputs").at("dataset_inputs").size() == run.datasets.size());
  const Json& model = state.at("models").at(run.model);
  CHECK(model.at("versions").size() == 1);
  CHECK(model.at("versions")[0].at("run_id") == first.run);
  CHECK(model.at("aliases").at("production") == "1");
  const LoggedRun again = server.must_log(run, server.server.url());
  CHECK(again.state == LoggedRun::State::was_there);
  CHECK(again.run == first.run);
  CHECK(again.model_version == first.model_version);
  CHECK(server.server.state() == state);
}

TEST_CASE("what was interrupted is finished, wherever it was", "[mlflow]") {
  Server server;
  FaultProxy proxy(server.server.place());
  const MlflowRun run = told(example::full_record(), long_series(1500), "production");
  const std::string call = GENERATE(as<std::string>(), "get-by-name", "experiments/create", "runs/search",
                                    "runs/create", "log-batch", "log-inputs", "runs/update", "model-versions/search",
                                    "registered-models/create", "model-versions/create", "alias");
  const std::string what = GENERATE(as<std::string>(), "close", "lose_answer");
  CAPTURE(call, what);
  // Longer than anybody tries again, and then once.
  for (const int times : {4, 1}) {
    proxy.set(R"([{"do": ")" + what + R"(", "match": ")" + call + R"(", "times": )" + std::to_string(times) + "}]");
    const auto logged = server.log(run, proxy.url());
    if (times == 1 && !logged.ok()) FAIL(logged.error().message);
    if (!logged.ok()) CHECK(logged.error().code == Errc::unavailable);
  }
  proxy.set("[]");
  CHECK(server.must_log(run, proxy.url()).state == LoggedRun::State::was_there);
  const Json runs = server.runs();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].at("data").at("metrics").size() == 1501);
  CHECK(runs[0].at("info").at("status") == "FINISHED");
  CHECK(server.server.state().at("models").at(run.model).at("aliases").contains("production"));
}

TEST_CASE("credentials go to the server and into no sentence", "[mlflow]") {
  const MlflowRun run = told(example::training_record());
  Server open;
  {
    MlflowServerProcess server({"--user", "ada:lovelace"});
    CHECK(open.log(run, server.url(), {"ada", "lovelace", ""}).ok());
    for (const MlflowCredentials& wrong : {MlflowCredentials{}, MlflowCredentials{"ada", "hunter2", ""}}) {
      const auto refused = open.log(run, server.url(), wrong);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().message.find("MLFLOW_TRACKING_USERNAME") != std::string::npos);
      CHECK(refused.error().message.find("hunter2") == std::string::npos);
    }
  }
  MlflowServerProcess server({"--token", "t0ken"});
  CHECK(open.log(run, server.url(), {"", "", "t0ken"}).ok());
}

TEST_CASE("what is no MLflow server is told from one", "[mlflow]") {
  Server server;
  FaultProxy proxy(server.server.place());
  const MlflowRun run = told(example::training_record());
  const std::string body = GENERATE(as<std::string>(), "<html>", "[]", "{}", R"({\"experiment\": 7})");
  const int status = GENERATE(200, 404);
  proxy.set(R"([{"do": "status", "status": )" + std::to_string(status) + R"(, "body": ")" + body +
            R"(", "times": -1}])");
  const auto refused = server.log(run, proxy.url());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::incompatible);
  CHECK(refused.error().message.find('\n') == std::string::npos);
}

}  // namespace trainyard::mlflow_test
