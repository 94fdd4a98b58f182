// SPDX-License-Identifier: Apache-2.0
#include "runner/core/attest.hpp"

#include "runner/core/run_plan.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "storage/values/model_signing.hpp"

namespace trainyard {

namespace {

// A package that gave a score has passed: whether the score is good enough is for whoever reads it.
InTotoStatement test_result(const RunRecord& run, const RecordedVersion& evaluated) {
  const RecordedInput* data = &run.inputs.front();
  for (const RecordedInput& input : run.inputs) {
    if (input.input == "evaluation_data") data = &input;
  }
  return {subjects_of(evaluated),
          std::string(kTestResult),
          {{"result", "PASSED"},
           {"configuration", Json::array({resource_of(*data)})},
           {"passedTests", Json::array({"evaluate"})},
           {"trainyard_score", *run.score},
           {"trainyard_run", run.run.text()}}};
}

}  // namespace

std::vector<InTotoStatement> statements_on_made(const RunRecord& run, const Digest& results) {
  std::vector<InTotoStatement> statements;
  if (!run.version) return statements;
  statements.push_back(slsa_statement(run, results));
  if (evaluates(run.type) && run.score) statements.push_back(test_result(run, *run.version));
  return statements;
}

std::optional<InTotoStatement> statement_on_evaluated(const RunRecord& run) {
  if (run.type != RunType::evaluation || run.outcome.reason != RunReason::ok || !run.score) return std::nullopt;
  return test_result(run, run.parent);
}

bool same_claim(const InTotoStatement& a, const InTotoStatement& b) {
  return a.predicate_type == b.predicate_type && a.subjects == b.subjects;
}

std::string claim_text(const InTotoStatement& statement) {
  if (statement.predicate_type == kSlsaProvenance) return "provenance";
  if (statement.predicate_type == kModelSignature) return "model signature";
  if (statement.predicate_type == kTestResult) return "test result";
  return statement.predicate_type;
}

std::optional<Digest> results_in(const InTotoStatement& provenance) {
  if (provenance.predicate_type != kSlsaProvenance) return std::nullopt;
  static const Json::json_pointer kByproducts("/runDetails/byproducts");
  static const Json::json_pointer kSha256("/digest/sha256");
  if (!provenance.predicate.contains(kByproducts)) return std::nullopt;
  for (const Json& byproduct : provenance.predicate.at(kByproducts)) {
    if (!byproduct.contains("name") || byproduct["name"] != "_results.json" || !byproduct.contains(kSha256)) continue;
    const Json& hex = byproduct.at(kSha256);
    const auto digest = Digest::parse(hex.is_string() ? hex.get<std::string>() : std::string());
    if (digest.ok()) return *digest;
  }
  return std::nullopt;
}

}  // namespace trainyard
