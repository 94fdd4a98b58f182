// SPDX-License-Identifier: Apache-2.0
#include "storage/values/parameter.hpp"

#include <algorithm>
#include <cmath>

#include "storage/values/named_enum.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kTypeNames[] = {"String", "Integer", "Float", "Boolean"};

Result<ParameterType> parse_type(std::string_view text) {
  if (const auto value = enum_named<ParameterType>(kTypeNames, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of String, Integer, Float, Boolean");
}

std::string number_text(double value) {
  char buffer[32];
  // As people write it: 0.0001 and not 1e-04, which is shorter.
  const bool plain = value == 0 || (std::abs(value) >= 1e-4 && std::abs(value) < 1e16);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] = std::to_chars(std::begin(buffer), std::end(buffer), value, format);
  return error == std::errc() ? std::string(buffer, end) : std::string();
}

}  // namespace

std::string_view name_of(ParameterType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

ParameterType type_of(const ParameterValue& value) { return static_cast<ParameterType>(value.index()); }

std::string text_of(const ParameterValue& value) {
  switch (type_of(value)) {
    case ParameterType::text: return std::get<std::string>(value);
    case ParameterType::integer: return std::to_string(std::get<std::int64_t>(value));
    case ParameterType::number: return number_text(std::get<double>(value));
    case ParameterType::boolean: return std::get<bool>(value) ? "true" : "false";
  }
  return {};
}

Json json_of(const ParameterValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE" || text == "1") return true;
  if (text == "false" || text == "False" || text == "FALSE" || text == "0") return false;
  return std::nullopt;
}

Result<ParameterValue> parse_parameter(ParameterType type, std::string_view text) {
  switch (type) {
    case ParameterType::text: return ParameterValue(std::string(text));
    case ParameterType::integer:
      if (const auto value = number_in<std::int64_t>(text)) return ParameterValue(*value);
      break;
    case ParameterType::number:
      if (const auto value = number_in<double>(text); value && std::isfinite(*value)) return ParameterValue(*value);
      break;
    case ParameterType::boolean:
      if (const auto value = parse_boolean(text)) return ParameterValue(*value);
      break;
  }
  return fail(Errc::invalid, "'" + std::string(text) + "' is not of type " + std::string(name_of(type)));
}

Result<ParameterValue> parameter_from(ParameterType type, const Json& json) {
  if (type == ParameterType::text && json.is_string()) return ParameterValue(json.get<std::string>());
  if (type == ParameterType::boolean && json.is_boolean()) return ParameterValue(json.get<bool>());
  if (type == ParameterType::number && json.is_number()) return ParameterValue(json.get<double>());
  const bool fits = !json.is_number_unsigned() || json.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
  if (type == ParameterType::integer && json.is_number_integer() && fits)
    return ParameterValue(json.get<std::int64_t>());
  return fail(Errc::invalid, canonical(json) + " is not of type " + std::string(name_of(type)));
}

Json to_json(const std::vector<Parameter>& parameters) {
  Json list = Json::array();
  for (const Parameter& parameter : parameters) {
    list.push_back(
        {{"name", parameter.name}, {"type", name_of(type_of(parameter.value))}, {"value", json_of(parameter.value)}});
  }
  return list;
}

Result<std::vector<Parameter>> parameters_from(const Json& json) {
  if (!json.is_array()) return fail(Errc::invalid, "the parameters are not a list");
  std::vector<Parameter> parameters;
  for (const Json& item : json) {
    Fields fields(item, "a parameter");
    std::string name = fields.text("name");
    const auto type = fields.parsed("type", parse_type);
    const Json& value = fields.any("value");
    TRY(fields.finish());
    auto typed = TRY(parameter_from(*type, value));
    parameters.push_back({std::move(name), std::move(typed)});
  }
  return parameters;
}

Result<ParameterValue> Hyperparameter::accept(std::string_view text) const {
  auto parsed = parse_parameter(type, text);
  if (!parsed.ok()) return fail(Errc::invalid, "hyperparameter '" + name + "': " + parsed.error().message);
  const std::string prefix = "hyperparameter '" + name + "' is " + std::string(text) + " but must be ";
  if (!choices.empty() && std::find(choices.begin(), choices.end(), *parsed) == choices.end()) {
    std::string list;
    for (const ParameterValue& choice : choices) list += (list.empty() ? "" : ", ") + text_of(choice);
    return fail(Errc::invalid, prefix + "one of " + list);
  }
  if (range) {
    const double value = type == ParameterType::integer ? static_cast<double>(std::get<std::int64_t>(*parsed))
                                                        : std::get<double>(*parsed);
    if (value < (*range)[0] || value > (*range)[1]) {
      return fail(Errc::invalid, prefix + "between " + number_text((*range)[0]) + " and " + number_text((*range)[1]));
    }
  }
  return parsed;
}

Json to_json(const Hyperparameter& hyperparameter) {
  Json choices = nullptr;
  if (!hyperparameter.choices.empty()) {
    choices = Json::array();
    for (const ParameterValue& choice : hyperparameter.choices) choices.push_back(json_of(choice));
  }
  return {{"name", hyperparameter.name},
          {"type", name_of(hyperparameter.type)},
          {"default", hyperparameter.default_value ? json_of(*hyperparameter.default_value) : Json(nullptr)},
          {"required", hyperparameter.required},
          {"editable", hyperparameter.editable},
          {"range", hyperparameter.range ? Json(*hyperparameter.range) : Json(nullptr)},
          {"enum", std::move(choices)},
          {"description", hyperparameter.description}};
}

Result<Hyperparameter> hyperparameter_from(const Json& json) {
  Hyperparameter result;
  Fields fields(json, "a hyperparameter");
  result.name = fields.text("name");
  const auto type = fields.parsed("type", parse_type);
  const Json* const default_value = fields.nullable("default");
  result.required = fields.boolean("required");
  result.editable = fields.boolean("editable");
  const Json* const range = fields.nullable("range");
  const Json* const choices = fields.nullable("enum");
  result.description = fields.text("description");
  TRY(fields.finish());
  result.type = *type;
  const std::string what = "hyperparameter '" + result.name + "'";
  if (!is_variable_name(result.name)) {
    return fail(Errc::invalid, what + " needs a name of letters, digits and '_' that does not begin with a digit");
  }
  const bool numeric = result.type == ParameterType::integer || result.type == ParameterType::number;
  if (range != nullptr) {
    const bool shaped = range->is_array() && range->size() == 2 && (*range)[0].is_number() && (*range)[1].is_number();
    if (!numeric || !shaped || (*range)[0].get<double>() > (*range)[1].get<double>()) {
      return fail(Errc::invalid, what + " has a range that is not [least, most] of an Integer or Float");
    }
    result.range = {(*range)[0].get<double>(), (*range)[1].get<double>()};
  }
  if (choices != nullptr) {
    if (!choices->is_array() || choices->empty())
      return fail(Errc::invalid, what + " has an enum that is not a list of values");
    for (const Json& choice : *choices) result.choices.push_back(TRY(parameter_from(result.type, choice)));
  }
  if (default_value != nullptr) {
    const auto value = parameter_from(result.type, *default_value);
    if (!value.ok()) return within(what + ", default", value.error());
    result.default_value = TRY(result.accept(text_of(*value)));
  }
  return result;
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 128 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace trainyard
