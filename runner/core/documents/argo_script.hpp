// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/core/documents/argo_wish.hpp"
#include "runner/core/run_plan.hpp"

// What the container of an exported run does.
namespace trainyard {

// Where it finds and leaves things, in the container.
inline constexpr const char* kArgoData = "/trainyard/data";
inline constexpr const char* kArgoEvaluationData = "/trainyard/evaluation-data";
inline constexpr const char* kArgoRegistryLogin = "/trainyard/registry";
inline constexpr const char* kArgoWork = "/tmp/trainyard";

// A variable of the container whose value is somebody's text, in the form that argo_escaped gives it.
struct ArgoVariable {
  std::string name;
  std::string value;
};

struct ArgoScript {
  std::string text;                     // for /bin/sh -c; ends with a line break
  std::vector<ArgoVariable> variables;  // that it reads, beside those named below
};

// The variables with the values of parameters and secrets.
std::string argo_value_variable(const std::string& parameter);
std::string argo_secret_variable(const std::string& secret);

// Pure. A script for a POSIX shell: a new store, the package from the remote, the run with the options of the plan, and
// what came of it where output artifacts are taken from. No text of users is in it but names that are letters, digits and
// "-_.@": values come in variables, are quoted, and are never read as shell. `parameters` are the variables of the code
// that the workflow has parameters for.
ArgoScript argo_script(const RunPlan& plan, const std::vector<std::string>& parameters, const ArgoWish& wish);

}  // namespace trainyard
