// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/values/json.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

enum class ParameterType { text, integer, number, boolean };

// The names of the types in manifests and jobs: String, Integer, Float, Boolean.
std::string_view name_of(ParameterType type);

using ParameterValue = std::variant<std::string, std::int64_t, double, bool>;  // in the order of ParameterType

ParameterType type_of(const ParameterValue& value);
// As the package finds it in its environment: the fewest digits that read back as the same number, "true" or "false".
std::string text_of(const ParameterValue& value);
Json json_of(const ParameterValue& value);

// "true", "True", "TRUE" and "1" are true, and the same for false and "0"; anything else is none.
std::optional<bool> parse_boolean(std::string_view text);
Result<ParameterValue> parse_parameter(ParameterType type, std::string_view text);
Result<ParameterValue> parameter_from(ParameterType type, const Json& json);

// A named value of a run, typed.
struct Parameter {
  std::string name;
  ParameterValue value;
  friend bool operator==(const Parameter&, const Parameter&) = default;
};

Json to_json(const std::vector<Parameter>& parameters);
Result<std::vector<Parameter>> parameters_from(const Json& json);

// A parameter that a package declares, with what it accepts.
struct Hyperparameter {
  std::string name;
  ParameterType type = ParameterType::text;
  std::optional<ParameterValue> default_value;
  bool required = false;
  bool editable = true;
  std::optional<std::array<double, 2>> range;  // least and most, both allowed; for Integer and Float
  std::vector<ParameterValue> choices;         // empty: any
  std::string description;

  // The typed value of a user's text. The error names the parameter, the value and the constraint.
  [[nodiscard]] Result<ParameterValue> accept(std::string_view text) const;

  friend bool operator==(const Hyperparameter&, const Hyperparameter&) = default;
};

Json to_json(const Hyperparameter& hyperparameter);
Result<Hyperparameter> hyperparameter_from(const Json& json);

// [A-Za-z_][A-Za-z0-9_]{0,127}: a name that the environment of a process can carry.
bool is_variable_name(std::string_view name);

}  // namespace trainyard
