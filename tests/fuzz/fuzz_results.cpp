// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_exit.hpp"
#include "runner/core/job_spec.hpp"
#include "runner/core/run_plan.hpp"
#include "runner/core/run_request.hpp"
#include "runner/core/run_results.hpp"
#include "runner/core/run_state.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

// The results of a run, and the documents that they are made of.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = parse_json(fuzz::text_of(data, size), "the document");
  if (!json.ok()) {
    fuzz::require_sentence(json.error());
    return 0;
  }
  const auto again = parse_json(readable(*json), "the document");
  fuzz::require(again.ok() && *again == *json, "a document is read as it was written");

  const auto artifacts = artifacts_in_results(*json);
  if (!artifacts.ok()) {
    fuzz::require_sentence(artifacts.error());
  } else if (*artifacts) {
    fuzz::require_rewrite(to_json(**artifacts), tree_summary_from);
  }
  fuzz::require_rewrite(*json, run_request_from);
  fuzz::require_rewrite(*json, run_plan_from);
  fuzz::require_rewrite(*json, job_spec_from);
  fuzz::require_rewrite(*json, job_exit_from);
  fuzz::require_rewrite(*json, journal_entry_from);
  return 0;
}
