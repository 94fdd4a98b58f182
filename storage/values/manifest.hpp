// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/names.hpp"
#include "storage/values/parameter.hpp"
#include "storage/values/rel_path.hpp"
#include "storage/values/runtime.hpp"

namespace trainyard {

// What a package says of itself: the file package.json in its root folder. Schema: schemas/package.schema.json.
struct Manifest {
  struct MetricPattern {
    std::string name;
    std::string regex;  // the first group is the value
    friend bool operator==(const MetricPattern&, const MetricPattern&) = default;
  };

  PackageName name;
  std::string description;
  Runtime runtime = Runtime::native;
  std::optional<RelPath> library;     // of a native package; in the root folder
  std::optional<std::string> python;  // of a Python package: the interpreter that it wants, as an absolute path
  std::string input_type;
  std::string input_description;
  std::string output_description;
  bool requires_gpu = false;
  bool training_enabled = true;
  std::vector<Hyperparameter> hyperparameters;
  bool custom_hyperparameters = true;
  std::map<std::string, std::string> environment;
  std::vector<MetricPattern> metrics;

  static Result<Manifest> parse(std::string_view text);
  // Of a Python package without a package.json.
  static Manifest of_python(PackageName name);
  [[nodiscard]] const Hyperparameter* find(std::string_view hyperparameter) const;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

inline constexpr std::string_view kManifestFile = "package.json";

Json to_json(const Manifest& manifest);
Json to_json(const std::vector<Manifest::MetricPattern>& metrics);
Result<std::vector<Manifest::MetricPattern>> metric_patterns_from(const Json& json);

}  // namespace trainyard
