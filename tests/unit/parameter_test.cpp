// SPDX-License-Identifier: Apache-2.0
#include "storage/values/parameter.hpp"

#include <catch2/catch.hpp>

namespace trainyard::parameter_test {
namespace {

Hyperparameter declared(ParameterType type) {
  Hyperparameter parameter;
  parameter.name = "p";
  parameter.type = type;
  return parameter;
}

std::string refusal(const Hyperparameter& parameter, std::string_view text) {
  const auto value = parameter.accept(text);
  return value.ok() ? "" : value.error().message;
}

// A hyperparameter with every key, and one of them changed.
std::string refusal_of(const char* key, const Json& value) {
  Json json = {{"name", "p"},      {"type", "Integer"}, {"default", nullptr}, {"required", false},
               {"editable", true}, {"range", nullptr},  {"enum", nullptr},    {"description", ""}};
  json[key] = value;
  const auto read = hyperparameter_from(json);
  return read.ok() ? "" : read.error().message;
}

}  // namespace

TEST_CASE("texts become typed values, and back", "[parameter]") {
  struct Row {
    ParameterType type;
    const char* given;
    ParameterValue value;
    const char* text;
  };
  const Row rows[] = {
      {ParameterType::text, "", std::string(), ""},
      {ParameterType::text, " 1 ", std::string(" 1 "), " 1 "},
      {ParameterType::integer, "10", std::int64_t{10}, "10"},
      {ParameterType::integer, "-9223372036854775808", INT64_MIN, "-9223372036854775808"},
      {ParameterType::number, "0.1", 0.1, "0.1"},
      {ParameterType::number, "1", 1.0, "1"},
      {ParameterType::number, "1e-05", 1e-5, "1e-05"},
      {ParameterType::number, "-2.5E3", -2500.0, "-2500"},
      {ParameterType::number, "1e-4", 0.0001, "0.0001"},
      {ParameterType::number, "1e15", 1e15, "1000000000000000"},
      {ParameterType::number, "1e300", 1e300, "1e+300"},
      {ParameterType::number, "0", 0.0, "0"},
      {ParameterType::boolean, "True", true, "true"},
      {ParameterType::boolean, "TRUE", true, "true"},
      {ParameterType::boolean, "1", true, "true"},
      {ParameterType::boolean, "False", false, "false"},
      {ParameterType::boolean, "0", false, "false"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.given);
    const auto value = parse_parameter(row.type, row.given);
    REQUIRE(value.ok());
    CHECK((*value == row.value));
    CHECK(type_of(*value) == row.type);
    CHECK(text_of(*value) == row.text);
    CHECK((parameter_from(row.type, json_of(*value)).value() == *value));
  }
}

TEST_CASE("a text of another type is refused by name", "[parameter]") {
  struct Row {
    ParameterType type;
    const char* given;
    const char* type_name;
  };
  const Row rows[] = {
      {ParameterType::integer, "", "Integer"},     {ParameterType::integer, "1.5", "Integer"},
      {ParameterType::integer, "1 ", "Integer"},   {ParameterType::integer, "+1", "Integer"},
      {ParameterType::integer, "0x10", "Integer"}, {ParameterType::integer, "9223372036854775808", "Integer"},
      {ParameterType::number, "", "Float"},        {ParameterType::number, "nan", "Float"},
      {ParameterType::number, "inf", "Float"},     {ParameterType::number, "1e999", "Float"},
      {ParameterType::number, "0,1", "Float"},     {ParameterType::number, "1.0x", "Float"},
      {ParameterType::boolean, "yes", "Boolean"},  {ParameterType::boolean, "", "Boolean"},
      {ParameterType::boolean, "tRUE", "Boolean"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.given);
    const auto value = parse_parameter(row.type, row.given);
    REQUIRE_FALSE(value.ok());
    CHECK(value.error().message == "'" + std::string(row.given) + "' is not of type " + row.type_name);
  }
}

TEST_CASE("a constraint is refused with name, value and rule", "[parameter]") {
  Hyperparameter epochs = declared(ParameterType::integer);
  epochs.name = "epochs";
  epochs.range = {1, 1000};
  CHECK(refusal(epochs, "1").empty());
  CHECK(refusal(epochs, "1000").empty());
  CHECK(refusal(epochs, "0") == "hyperparameter 'epochs' is 0 but must be between 1 and 1000");
  CHECK(refusal(epochs, "1001") == "hyperparameter 'epochs' is 1001 but must be between 1 and 1000");
  CHECK(refusal(epochs, "ten") == "hyperparameter 'epochs': 'ten' is not of type Integer");
  CHECK(refusal(epochs, "2.0") == "hyperparameter 'epochs': '2.0' is not of type Integer");

  Hyperparameter rate = declared(ParameterType::number);
  rate.name = "rate";
  rate.range = {0.0001, 1};
  CHECK(refusal(rate, "0.0001").empty());
  CHECK(refusal(rate, "1.5") == "hyperparameter 'rate' is 1.5 but must be between 0.0001 and 1");

  Hyperparameter optimizer = declared(ParameterType::text);
  optimizer.name = "optimizer";
  optimizer.choices = {std::string("sgd"), std::string("momentum")};
  CHECK(refusal(optimizer, "sgd").empty());
  CHECK(refusal(optimizer, "adam") == "hyperparameter 'optimizer' is adam but must be one of sgd, momentum");
  CHECK_FALSE(refusal(optimizer, "SGD").empty());

  Hyperparameter width = declared(ParameterType::integer);
  width.choices = {std::int64_t{64}, std::int64_t{128}};
  CHECK(refusal(width, "128").empty());
  CHECK(refusal(width, "100") == "hyperparameter 'p' is 100 but must be one of 64, 128");
}

TEST_CASE("a declaration that cannot be kept is refused", "[parameter]") {
  CHECK(refusal_of("description", "fine").empty());
  CHECK(refusal_of("range", {1, 1}).empty());
  CHECK(refusal_of("default", 5).empty());
  CHECK(refusal_of("enum", {1, 2}).empty());
  CHECK(refusal_of("name", "batch-size") ==
        "hyperparameter 'batch-size' needs a name of letters, digits and '_' that does not begin with a digit");
  CHECK(refusal_of("name", "") ==
        "hyperparameter '' needs a name of letters, digits and '_' that does not begin with a digit");
  CHECK(refusal_of("type", "Int") == "a hyperparameter, key 'type': 'Int' is none of String, Integer, Float, Boolean");
  CHECK(refusal_of("type", "String").empty());
  CHECK(refusal_of("default", "5") == "hyperparameter 'p', default: \"5\" is not of type Integer");
  CHECK(refusal_of("default", 5.0) == "hyperparameter 'p', default: 5.0 is not of type Integer");
  for (const Json& range : {Json({2, 1}), Json({1}), Json({1, 2, 3}), Json({"1", "2"}), Json("1-2")}) {
    CAPTURE(range);
    CHECK(refusal_of("range", range) ==
          "hyperparameter 'p' has a range that is not [least, most] of an Integer or Float");
  }
  CHECK(refusal_of("enum", Json::array()) == "hyperparameter 'p' has an enum that is not a list of values");
  CHECK(refusal_of("enum", {1, "2"}) == "\"2\" is not of type Integer");
  CHECK(refusal_of("widget", "slider") == "a hyperparameter has an unknown key 'widget'");
}

TEST_CASE("a declaration is written as it was read", "[parameter]") {
  Hyperparameter parameter = declared(ParameterType::number);
  parameter.default_value = 0.5;
  parameter.required = true;
  parameter.editable = false;
  parameter.range = {0, 1};
  parameter.choices = {0.25, 0.5};
  parameter.description = "x";
  CHECK(hyperparameter_from(to_json(parameter)).value() == parameter);
  CHECK(hyperparameter_from(to_json(declared(ParameterType::boolean))).value() == declared(ParameterType::boolean));
}

TEST_CASE("parameters keep their types and their order", "[parameter]") {
  const std::vector<Parameter> parameters = {{"z", std::string("1")}, {"a", std::int64_t{1}}, {"m", 1.0}, {"b", true}};
  const Json json = to_json(parameters);
  CHECK(
      canonical(json) ==
      R"([{"name":"z","type":"String","value":"1"},{"name":"a","type":"Integer","value":1},{"name":"m","type":"Float","value":1.0},{"name":"b","type":"Boolean","value":true}])");
  CHECK((parameters_from(json).value() == parameters));
  CHECK_FALSE(parameters_from(Json::object()).ok());
  CHECK_FALSE(parameters_from({{{"name", "a"}, {"type", "Integer"}, {"value", "1"}}}).ok());
}

TEST_CASE("variable names", "[parameter]") {
  for (const std::string& good :
       {std::string("a"), std::string("_"), std::string("OMP_NUM_THREADS"), std::string(128, 'x')})
    CHECK(is_variable_name(good));
  for (const std::string& bad :
       {std::string(), std::string("2a"), std::string("a-b"), std::string("a=b"), std::string("a b"),
        std::string("\xC3\xBC"), std::string(129, 'x'), std::string("a\0", 2)}) {
    CAPTURE(bad);
    CHECK_FALSE(is_variable_name(bad));
  }
}

}  // namespace trainyard::parameter_test
