// SPDX-License-Identifier: Apache-2.0
#include "storage/values/oci_manifest.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "storage/values/sha256.hpp"

namespace trainyard::oci_manifest_test {
namespace {

OciDescriptor blob(const std::string& bytes) { return {"application/octet-stream", sha256(bytes), bytes.size()}; }

OciManifest full() {
  OciManifest manifest{"application/vnd.trainyard.version.v1+json", blob("{}"), {blob("a"), blob("b")}, blob("s")};
  manifest.layers[1].annotations = {{"org.opencontainers.image.title", "model.bin"}, {"größe", "groß \"x\"\n"}};
  manifest.layers[1].artifact_type = "application/vnd.x";
  manifest.annotations = {{"b", ""}, {"a", "1"}};
  return manifest;
}

Json json_of(const OciManifest& manifest) { return Json::parse(manifest.text()); }

}  // namespace

TEST_CASE("manifests are read as they were written", "[remotes]") {
  OciManifest bare = full();
  bare.subject = std::nullopt;
  bare.annotations = {};
  bare.layers = {blob("")};
  OciManifest large = full();
  large.layers[0].bytes = INT64_MAX;
  for (const OciManifest& manifest : {full(), bare, large}) {
    const auto read = OciManifest::parse(manifest.text());
    REQUIRE(read.ok());
    CHECK(*read == manifest);
    CHECK(read->text() == manifest.text());
    CHECK(Json::parse(manifest.text())["schemaVersion"] == 2);
  }
  CHECK(OciManifest{"t", blob("{}"), {blob("a")}}.text() ==
        "{\"artifactType\":\"t\",\"config\":{\"digest\":\"sha256:" + sha256("{}").hex() +
            "\",\"mediaType\":\"application/octet-stream\",\"size\":2},\"layers\":[{\"digest\":\"sha256:" +
            sha256("a").hex() +
            "\",\"mediaType\":\"application/octet-stream\",\"size\":1}],"
            "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2}");
  const OciDescriptor named = OciManifest::descriptor("text", "t");
  CHECK(named.digest == sha256("text"));
  CHECK(named.bytes == 4);
  CHECK(oci_descriptor_from(to_json(named)).value() == named);
}

TEST_CASE("manifests of other tools are read, whatever else they say", "[remotes]") {
  Json json = json_of(full());
  json.erase("artifactType");
  json.erase("mediaType");
  json["config"]["urls"] = {"https://example.com"};
  json["layers"][0]["platform"] = {{"os", "linux"}};
  json["more"] = Json::array({1, 2.5, nullptr});
  const auto read = OciManifest::parse(json.dump(4));
  REQUIRE(read.ok());
  CHECK(read->artifact_type == full().config.media_type);
  CHECK(read->layers == full().layers);
}

TEST_CASE("what is no manifest is refused with one sentence", "[remotes]") {
  std::vector<std::string> texts = {"",
                                    "{",
                                    "null",
                                    "[]",
                                    "\"x\"",
                                    "7",
                                    "{}",
                                    std::string("\0", 1),
                                    std::string(kMostOciManifest + 1, ' '),
                                    std::string(100'000, '['),
                                    full().text() + full().text(),
                                    full().text().substr(0, 100),
                                    "\xff\xfe"};
  const auto changed = [&](auto change) {
    Json json = json_of(full());
    change(json);
    texts.push_back(json.dump());
  };
  const std::string hex = sha256("a").hex();
  for (const Json& digest :
       std::vector<Json>{hex, "sha256:" + hex.substr(1), "sha256:" + hex + "0", "sha512:" + hex, "sha256:", "", 7,
                         nullptr, "SHA256:" + hex, "sha256:" + std::string(64, 'G'), "sha256:" + std::string(64, 'A')})
    changed([&](Json& json) { json["layers"][0]["digest"] = digest; });
  for (const Json& size : std::vector<Json>{-1, 1.5, "1", nullptr, UINT64_MAX, 1e30, Json::array(), true})
    changed([&](Json& json) { json["config"]["size"] = size; });
  for (const char* const key : {"schemaVersion", "config", "layers"}) changed([&](Json& json) { json.erase(key); });
  for (const char* const key : {"mediaType", "digest", "size"}) {
    changed([&](Json& json) { json["layers"][1].erase(key); });
    changed([&](Json& json) { json["subject"].erase(key); });
  }
  for (const Json& value : std::vector<Json>{1, 3, "2", 2.0, nullptr})
    changed([&](Json& json) { json["schemaVersion"] = value; });
  for (const Json& value : std::vector<Json>{Json::object(), nullptr, "x", Json::array({"x"}), Json::array({nullptr}),
                                             Json::array(), Json::array({Json::array()})})
    changed([&](Json& json) { json["layers"] = value; });
  for (const Json& value : std::vector<Json>{"x", Json::array(), 7, true}) {
    changed([&](Json& json) { json["config"] = value; });
    changed([&](Json& json) { json["subject"] = value; });
    changed([&](Json& json) { json["annotations"] = value; });
    changed([&](Json& json) { json["layers"][0]["annotations"] = value; });
  }
  changed([](Json& json) { json["annotations"]["a"] = 7; });
  changed([](Json& json) { json["artifactType"] = 7; });
  changed([](Json& json) { json["layers"][0]["mediaType"] = ""; });
  changed([](Json& json) { json["mediaType"] = std::string(kOciIndexType); });
  for (const std::string& text : texts) {
    INFO(text.substr(0, 1200));
    const auto read = OciManifest::parse(text);
    CHECK_FALSE(read.ok());
    if (read.ok()) continue;
    CHECK(read.error().code == Errc::invalid);
    CHECK(read.error().message.find('\n') == std::string::npos);
    CHECK(read.error().message.size() < 500);
  }
}

}  // namespace trainyard::oci_manifest_test
