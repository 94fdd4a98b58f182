// SPDX-License-Identifier: Apache-2.0
#include "storage/values/manifest.hpp"

#include <catch2/catch.hpp>

#include "storage/values/limits.hpp"

namespace trainyard::manifest_test {
namespace {

Json smallest() { return {{"schema", "trainyard.package/1"}, {"name", "digits"}, {"library", "libdigits.so"}}; }

std::string refusal(const Json& json) {
  const auto manifest = Manifest::parse(json.dump());
  return manifest.ok() ? "" : manifest.error().message;
}

std::string refusal_with(const char* key, const Json& value) {
  Json json = smallest();
  json[key] = value;
  return refusal(json);
}

}  // namespace

TEST_CASE("what a manifest leaves out has a default", "[manifest]") {
  const auto manifest = Manifest::parse(smallest().dump());
  REQUIRE(manifest.ok());
  CHECK(manifest->name.text() == "digits");
  CHECK(manifest->library->bytes() == "libdigits.so");
  CHECK((manifest->runtime == Runtime::native));
  CHECK(manifest->input_type == "json");
  CHECK_FALSE(manifest->requires_gpu);
  CHECK(manifest->training_enabled);
  CHECK(manifest->custom_hyperparameters);
  CHECK(manifest->hyperparameters.empty());
  CHECK(manifest->environment.empty());
  CHECK(manifest->metrics.empty());
  CHECK(Manifest::parse(to_json(*manifest).dump()).value() == *manifest);
}

TEST_CASE("what a hyperparameter leaves out has a default", "[manifest]") {
  Json json = smallest();
  json["hyperparameters"] = {{{"name", "epochs"}, {"type", "Integer"}, {"default", 3}},
                             {{"name", "note"}, {"type", "String"}}};
  const auto manifest = Manifest::parse(json.dump());
  REQUIRE(manifest.ok());
  REQUIRE(manifest->find("epochs") != nullptr);
  CHECK((manifest->find("epochs")->default_value == ParameterValue(std::int64_t{3})));
  CHECK(manifest->find("epochs")->editable);
  CHECK_FALSE(manifest->find("note")->default_value);
  CHECK_FALSE(manifest->find("note")->required);
  CHECK(manifest->find("Epochs") == nullptr);
}

TEST_CASE("a manifest is refused with the key and the rule", "[manifest]") {
  CHECK(refusal_with("name", "my package")
            .find("the manifest package.json, key 'name': 'my package' is not a package name") == 0);
  CHECK(refusal_with("library", "../x.so") ==
        "the manifest package.json, key 'library': the path '../x.so' has '..' in it, so it could leave its folder");
  CHECK(refusal_with("runtime", "java") ==
        "the manifest package.json, key 'runtime': 'java' is not a runtime; there are native and python");
  CHECK(refusal_with("library", nullptr) ==
        "the manifest package.json, key 'library': is null, but a native package needs one");
  CHECK(refusal_with("python", "/usr/bin/python3") ==
        "the manifest package.json, key 'python': is given, which is for Python packages");
  CHECK(refusal_with("input_type", "xml") ==
        "the manifest package.json, key 'input_type': is none of 'json', 'file', 'files'");
  CHECK(refusal_with("requires_gpu", "no") == "the manifest package.json, key 'requires_gpu': is not true or false");
  CHECK(refusal_with("hyperparameter", Json::array()) ==
        "the manifest package.json has an unknown key 'hyperparameter'; did you mean 'hyperparameters'?");
  CHECK(refusal_with("hyperparameters", {{{"name", "a"}, {"type", "String"}}, {{"name", "a"}, {"type", "String"}}}) ==
        "the manifest package.json declares the hyperparameter 'a' twice");
  CHECK(refusal_with("hyperparameters", {{{"name", "a"}, {"type", "Text"}}}) ==
        "the manifest package.json: a hyperparameter, key 'type': 'Text' is none of String, Integer, Float, Boolean");
  CHECK(refusal_with("hyperparameters", {{{"name", "a"}, {"type", "Integer"}, {"default", 0}, {"range", {1, 9}}}}) ==
        "the manifest package.json: hyperparameter 'a' is 0 but must be between 1 and 9");
  CHECK(refusal_with("environment", {{"A-B", "x"}}) ==
        "the manifest package.json has an environment entry 'A-B' that is not a variable name with a text");
  CHECK(refusal_with("environment", {{"A", 1}}) ==
        "the manifest package.json has an environment entry 'A' that is not a variable name with a text");
  CHECK(refusal_with("metrics", {{{"name", "a b"}, {"regex", "(x)"}}}) ==
        "a metric of the manifest, key 'name': is not a metric name of 1 to 64 letters, digits, '_' or '-'");
  CHECK(refusal(Json::array()) == "the manifest package.json is not a JSON object");
  for (const char* const key : {"schema", "name", "library"}) {
    Json json = smallest();
    json.erase(key);
    CHECK(refusal(json) == "the manifest package.json has no key '" + std::string(key) + "'");
  }
}

TEST_CASE("a manifest of another world says so", "[manifest]") {
  Json newer = smallest();
  newer["schema"] = "trainyard.package/2";
  CHECK(Manifest::parse(newer.dump()).error().code == Errc::incompatible);
  CHECK(Manifest::parse(newer.dump()).error().message ==
        "the manifest package.json has schema 'trainyard.package/2' but this Trainyard reads 'trainyard.package/1'");
}

TEST_CASE("a Python package names an interpreter, and no library", "[manifest]") {
  Json json = {{"schema", "trainyard.package/1"}, {"name", "wine"}, {"runtime", "python"}};
  const auto plain = Manifest::parse(json.dump());
  REQUIRE(plain.ok());
  CHECK(*plain == Manifest::of_python(PackageName::parse("wine").value()));
  json["python"] = "/opt/python3.12/bin/python3";
  CHECK(Manifest::parse(json.dump())->python == "/opt/python3.12/bin/python3");
  json["python"] = "python3";
  CHECK(refusal(json) == "the manifest package.json, key 'python': is 'python3' but must be an absolute path");
  json["python"] = nullptr;
  json["library"] = "libwine.so";
  CHECK(refusal(json) == "the manifest package.json, key 'library': is given, which is for native packages");
}

TEST_CASE("a manifest is bounded", "[manifest]") {
  Json many = smallest();
  many["hyperparameters"] = Json::array();
  for (std::size_t i = 0; i < limits::kHyperparameters; ++i)
    many["hyperparameters"].push_back({{"name", "p" + std::to_string(i)}, {"type", "String"}});
  CHECK(refusal(many).empty());
  many["hyperparameters"].push_back({{"name", "one_more"}, {"type", "String"}});
  CHECK(refusal(many) == "the manifest package.json declares more than 1000 hyperparameters");
  CHECK(refusal_with("description", std::string(limits::kManifestBytes, 'x')) ==
        "the manifest package.json is larger than 1 MiB");
}

}  // namespace trainyard::manifest_test
