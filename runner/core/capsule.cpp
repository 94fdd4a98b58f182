// SPDX-License-Identifier: Apache-2.0
#include "runner/core/capsule.hpp"

#include <algorithm>

namespace trainyard {

namespace {

constexpr std::string_view kCapsuleSchema = "trainyard.capsule/1";
constexpr std::string_view kFiles[] = {"included", "left_out", "unavailable"};

Json to_json(const CapsuleData& data) {
  return {{"input", data.input},
          {"source", data.source},
          {"tree", or_null(data.tree)},
          {"listed", data.list == CapsuleData::List::present},
          {"files", kFiles[static_cast<std::size_t>(data.files)]}};
}

Json to_json(const CapsuleJournal& journal) {
  Json proofs = Json::array();
  for (const CapsuleProof& proof : journal.proofs) {
    Json path = Json::array();
    for (const Digest& node : proof.path) path.push_back(node.hex());
    proofs.push_back({{"line", proof.line}, {"path", std::move(path)}});
  }
  return {{"size", journal.head.size},
          {"root", journal.head.root.hex()},
          {"proofs", std::move(proofs)},
          {"not_told", journal.not_told}};
}

}  // namespace

bool CapsuleManifest::has(std::string_view path) const {
  return std::any_of(files.begin(), files.end(), [&](const CapsuleFile& file) { return file.path == path; });
}

bool CapsuleManifest::has_signed(std::string_view name) const {
  return std::any_of(signatures.begin(), signatures.end(), [&](const CapsuleSigned& one) { return one.name == name; });
}

Json to_json(const CapsuleManifest& capsule) {
  Json data = Json::array();
  for (const CapsuleData& one : capsule.data) data.push_back(to_json(one));
  Json keys = Json::array();
  for (const CapsuleKey& key : capsule.keys) keys.push_back({{"name", key.name}, {"id", key.id}});
  Json signatures = Json::array();
  for (const CapsuleSigned& one : capsule.signatures)
    signatures.push_back({{"name", one.name}, {"says", one.says}, {"keys", one.keys}});
  Json files = Json::array();
  for (const CapsuleFile& file : capsule.files) files.push_back({{"path", file.path}, {"what", file.what}});
  const RecordedVersion& version = capsule.version;
  return {{"schema", kCapsuleSchema},
          {"version",
           {{"package", version.package.text()},
            {"version", version.version.text()},
            {"tree", to_json(version.tree)},
            {"zip", to_json(version.zip)}}},
          {"zip_as_recorded", capsule.zip == CapsuleManifest::Zip::as_recorded},
          {"run", capsule.run ? Json(capsule.run->text()) : Json(nullptr)},
          {"artifacts", or_null(capsule.artifacts)},
          {"ancestors", capsule.ancestors},
          {"lost_ancestor", capsule.lost ? Json(*capsule.lost) : Json(nullptr)},
          {"data", std::move(data)},
          {"keys", std::move(keys)},
          {"signatures", std::move(signatures)},
          {"journal", capsule.journal ? to_json(*capsule.journal) : Json(nullptr)},
          {"files", std::move(files)},
          {"missing", capsule.missing}};
}

std::string capsule_folder(const RecordedVersion& version) {
  return version.package.text() + "-" + version.version.text() + "-capsule";
}

std::string capsule_package(const RecordedVersion& version) {
  return "package/" + version.package.text() + "-" + version.version.text() + ".zip";
}

}  // namespace trainyard
