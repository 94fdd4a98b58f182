// SPDX-License-Identifier: Apache-2.0
#include "runner/core/attest.hpp"

#include <catch2/catch.hpp>

#include "runner/core/run_results.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "storage/values/model_signing.hpp"
#include "storage/values/sha256.hpp"
#include "tests/unit/example_run.hpp"

namespace trainyard::attest_test {
namespace {

const TreeSummary kData{sha256("data"), 3, 30};
const TreeSummary kTest{sha256("test"), 1, 3};
const TreeSummary kArtifacts{sha256("artifacts"), 1, 5};
const Digest kResults = sha256("results");

// A run of this type that went well, as its results tell of it.
RunRecord record_of(RunType type, std::map<std::string, std::string> environment = {}) {
  RunRequest request = example::request();
  request.type = type;
  request.environment = std::move(environment);
  RunData data = example::data();
  if (type == RunType::full) {
    request.evaluation_dataset = "/data/digits test";
    data.evaluation = example::folder("/data/digits test");
  }
  const RunPlan plan = plan_run(request, data, example::able_parent(), example::manifest(), example::machine(),
                                example::kRun, example::kNow)
                           .value();
  VersionRecord made = example::able_parent();
  made.version = {1, 1};
  made.content.tree = {sha256("new tree"), 4, 40};
  made.content.zip = {sha256("new zip"), 50};
  StagedData staged{{kData, MountKind::copy, false}, std::nullopt};
  if (type == RunType::full) staged.evaluation = StagedInput{kTest, MountKind::copy, false};
  CollectedOutputs outputs{std::nullopt, kArtifacts, {}, false};
  if (trains(type)) outputs.package = CollectedOutputs::Package{made.content.tree, made.content.zip};
  if (evaluates(type)) outputs.evaluation = Evaluation{0.9375, {}};
  RunReport report{
      plan,
      trains(type) ? RunState(state::Published{staged, outputs, {1, 1}}) : RunState(state::Evaluated{staged, outputs}),
      example::kNow,
      Instant{example::kNow.microseconds + 12'900'000},
      {},
      kArtifacts,
      "/runs/1/artifacts",
      trains(type) ? std::optional(made) : std::nullopt,
      {},
      {},
      "trainyard 0.1.0",
      "forge"};
  const auto record = run_record_from(results_json(report));
  INFO((record.ok() ? "" : record.error().message));
  REQUIRE(record.ok());
  return *record;
}

std::vector<std::string> types_of(const std::vector<InTotoStatement>& statements) {
  std::vector<std::string> types;
  for (const InTotoStatement& statement : statements) types.push_back(claim_text(statement));
  return types;
}

Json sha(const Digest& digest) { return {{"sha256", digest.hex()}}; }

}  // namespace

TEST_CASE("a training attests what its version was made from", "[attest]") {
  const RunRecord run = record_of(RunType::training, {{"epochs", "10"}});
  const Json statement = slsa_provenance(run, kResults);
  CHECK(statement["_type"] == "https://in-toto.io/Statement/v1");
  CHECK(statement["predicateType"] == "https://slsa.dev/provenance/v1");
  CHECK(statement["subject"] == Json::array({Json{{"name", "digits-1.1.zip"}, {"digest", sha(sha256("new zip"))}},
                                             Json{{"name", "digits@1.1"}, {"digest", sha(sha256("new tree"))}}}));
  const Json& build = statement["predicate"]["buildDefinition"];
  CHECK(build["buildType"] == "urn:trainyard:build:training:1");
  const Json& given = build["externalParameters"];
  CHECK(given["type"] == "training");
  CHECK(given["package"] == "digits@1.0");
  CHECK(given["train_data"] == "/data/digits");
  CHECK(given["environment"]["epochs"] == "10");
  CHECK(given["name"] == run.name.text());
  CHECK(given.size() == 5);
  CHECK(build["internalParameters"]["hyperparameters"]["epochs"] == 10);
  CHECK(build["internalParameters"]["host"] == "forge");
  const Json& from = build["resolvedDependencies"];
  REQUIRE(from.size() == 3);
  CHECK(from[0] == Json{{"name", "parent.zip"}, {"uri", "pkg:generic/digits@1.0"}, {"digest", sha(sha256("zip"))}});
  CHECK(from[1]["name"] == "parent");
  CHECK(from[1]["digest"] == sha(sha256("tree")));
  CHECK(from[2]["name"] == "train_data");
  CHECK(from[2]["uri"] == "file:///data/digits");
  CHECK(from[2]["digest"] == sha(kData.digest));
  CHECK(from[2]["annotations"] == Json{{"digest_of", "trainyard.tree/1"}, {"files", 3}, {"bytes", 30}});
  const Json& details = statement["predicate"]["runDetails"];
  CHECK(details["builder"] == Json{{"id", "urn:trainyard:runner:local:1"}, {"version", {{"trainyard", "0.1.0"}}}});
  CHECK(details["metadata"] == Json{{"invocationId", example::kRun.text()},
                                    {"startedOn", "2026-01-01T00:00:00Z"},
                                    {"finishedOn", "2026-01-01T00:00:12Z"}});
  REQUIRE(details["byproducts"].size() == 2);
  CHECK(details["byproducts"][0] == Json{{"name", "_results.json"}, {"digest", sha(kResults)}});
  CHECK(details["byproducts"][1]["digest"] == sha(kArtifacts.digest));
  CHECK(results_in(slsa_statement(run, kResults)) == kResults);
  CHECK(types_of(statements_on_made(run, kResults)) == std::vector<std::string>{"provenance"});
  CHECK_FALSE(statement_on_evaluated(run));
}

TEST_CASE("a full run attests both, with the data that it was evaluated on", "[attest]") {
  const RunRecord run = record_of(RunType::full);
  const auto statements = statements_on_made(run, kResults);
  REQUIRE(types_of(statements) == std::vector<std::string>{"provenance", "test result"});
  CHECK(statements[0].predicate["buildDefinition"]["buildType"] == "urn:trainyard:build:full:1");
  CHECK(statements[0].predicate["buildDefinition"]["resolvedDependencies"].size() == 4);
  const InTotoStatement& result = statements[1];
  CHECK(result.predicate_type == "https://in-toto.io/attestation/test-result/v0.1");
  CHECK(result.subjects == statements[0].subjects);
  CHECK(result.predicate["result"] == "PASSED");
  CHECK(result.predicate["passedTests"] == Json::array({"evaluate"}));
  CHECK(result.predicate["trainyard_score"] == 0.9375);
  REQUIRE(result.predicate["configuration"].size() == 1);
  CHECK(result.predicate["configuration"][0]["digest"] == sha(kTest.digest));
  CHECK(result.predicate["configuration"][0]["uri"] == "file:///data/digits%20test");
  CHECK_FALSE(statement_on_evaluated(run));
}

TEST_CASE("an evaluation attests how good the version was that it evaluated", "[attest]") {
  const RunRecord run = record_of(RunType::evaluation);
  CHECK(statements_on_made(run, kResults).empty());
  const auto statement = statement_on_evaluated(run);
  REQUIRE(statement);
  CHECK(statement->subjects == subjects_of(run.parent));
  CHECK(statement->predicate["configuration"][0]["digest"] == sha(kData.digest));
  CHECK(statement->predicate["trainyard_run"] == example::kRun.text());
  RunRecord failed = run;
  failed.outcome = outcome(RunReason::crashed, "signal 11");
  CHECK_FALSE(statement_on_evaluated(failed));
}

TEST_CASE("an upload attests no more than that it was one", "[attest]") {
  const InTotoStatement statement = slsa_statement(example::parent());
  CHECK(statement.subjects[0] == InTotoSubject{"digits-1.0.zip", sha256("zip")});
  CHECK(statement.predicate["buildDefinition"]["buildType"] == "urn:trainyard:build:upload:1");
  CHECK(statement.predicate["buildDefinition"]["resolvedDependencies"].empty());
  CHECK(statement.predicate["runDetails"]["metadata"]["finishedOn"] == "2026-01-01T00:00:00Z");
  CHECK_FALSE(results_in(statement));
}

TEST_CASE("every statement has canonical bytes, whatever numbers it holds", "[attest]") {
  RunRecord run = record_of(RunType::full);
  run.hyperparameters = {{"seed", INT64_MAX}, {"small", 5e-324}, {"least", INT64_MIN}, {"one", 1.0}};
  for (const InTotoStatement& statement : statements_on_made(run, kResults)) CHECK(payload_of(statement).ok());
  const Json inner = slsa_statement(run, kResults).predicate["buildDefinition"]["internalParameters"];
  CHECK(inner["hyperparameters"] ==
        Json{{"seed", "9223372036854775807"}, {"small", 5e-324}, {"least", "-9223372036854775808"}, {"one", 1.0}});
}

TEST_CASE("a dataset of the store is named by its reference", "[attest]") {
  const RecordedInput input{
      "train_data", "digits@3/a b", DataSource::Kind::dataset, DatasetReference::parse("digits@3/a b").value(),
      std::nullopt, std::nullopt};
  CHECK(resource_of(input) == Json{{"name", "train_data"}, {"uri", "urn:trainyard:dataset:digits@3/a%20b"}});
}

TEST_CASE("two statements claim the same when they say the same kind of thing of the same content", "[attest]") {
  const InTotoStatement one = slsa_statement(example::parent());
  InTotoStatement other = one;
  other.predicate["more"] = 1;
  CHECK(same_claim(one, other));
  other.subjects[0].digest = sha256("x");
  CHECK_FALSE(same_claim(one, other));
  other = one;
  other.predicate_type = kModelSignature;
  CHECK_FALSE(same_claim(one, other));
}

}  // namespace trainyard::attest_test
