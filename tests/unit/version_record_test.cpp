// SPDX-License-Identifier: Apache-2.0
#include "storage/values/version_record.hpp"
#include "storage/values/sha256.hpp"

#include <catch2/catch.hpp>

namespace trainyard::version_record_test {
namespace {

VersionRecord record() {
  VersionDraft draft{PackageName::parse("digits").value(),
                     Instant{1'767'225'612'500'000},
                     PackageVersion{1, 9},
                     RunId::parse("019b76da-a800-7c3f-9a51-6d0e8f1b2c4d").value(),
                     {sha256("tree"), 3, 12},
                     {sha256("zip"), 9},
                     {Runtime::native, 1, 2, "g++", {Verb::save, Verb::train}},
                     "more data"};
  return {{1, 10}, draft};
}

std::string refusal_with(const char* key, const Json& value) {
  Json json = to_json(record());
  json[key] = value;
  const auto read = VersionRecord::parse(canonical(json));
  return read.ok() ? "" : read.error().message;
}

}  // namespace

TEST_CASE("a version record is written as it was read", "[version_record]") {
  CHECK(VersionRecord::parse(canonical(to_json(record()))).value() == record());
  VersionRecord upload = record();
  upload.content.parent = std::nullopt;
  upload.content.run = std::nullopt;
  CHECK(VersionRecord::parse(canonical(to_json(upload))).value() == upload);
  CHECK(to_json(upload)["parent"].is_null());
  CHECK(to_json(record())["version"] == Json("1.10"));
  CHECK(to_json(record())["abi"]["verbs"] == Json({"train", "save"}));
}

TEST_CASE("a version record is refused with the key and the rule", "[version_record]") {
  CHECK(refusal_with("change_log", "x").empty());
  CHECK(refusal_with("version", 1.1) == "the version record, key 'version': is not a text");
  CHECK(refusal_with("version", "1.1.0").find("the version record, key 'version': '1.1.0' is not a version") == 0);
  CHECK(refusal_with("tree", nullptr).find("the version record, key 'tree': a tree summary is not a JSON object") == 0);
  CHECK(refusal_with("zip", {{"digest", "x"}, {"bytes", 1}})
            .find("the version record, key 'zip': a zip summary, key 'digest': 'x' is not a SHA-256") == 0);
  CHECK(refusal_with("run", "yesterday") == "the version record, key 'run': 'yesterday' is not a run id");
  CHECK(refusal_with("labels", Json::array()) == "the version record has an unknown key 'labels'");
}

TEST_CASE("verbs have names", "[version_record]") {
  for (const Verb verb : {Verb::process_data, Verb::train, Verb::save, Verb::evaluate, Verb::predict})
    CHECK(parse_verb(name_of(verb)).value() == verb);
  CHECK(name_of(Verb::process_data) == "process_data");
  CHECK(parse_verb("Train").error().message == "'Train' is not a verb of a package");
}

}  // namespace trainyard::version_record_test
