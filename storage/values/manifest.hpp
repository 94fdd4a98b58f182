// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/names.hpp"
#include "storage/values/parameter.hpp"
#include "storage/values/rel_path.hpp"

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
  std::string runtime;  // "native"
  RelPath library;      // in the root folder
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
  [[nodiscard]] const Hyperparameter* find(std::string_view hyperparameter) const;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

inline constexpr std::string_view kManifestFile = "package.json";

Json to_json(const Manifest& manifest);

}  // namespace trainyard
