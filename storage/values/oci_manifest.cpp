// SPDX-License-Identifier: Apache-2.0
#include "storage/values/oci_manifest.hpp"

#include <limits>
#include <set>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSha256Prefix = "sha256:";

Result<Digest> parse_oci_digest(std::string_view text) {
  if (text.substr(0, kSha256Prefix.size()) != kSha256Prefix)
    return fail(Errc::invalid, "is no SHA-256 digest ('sha256:' and 64 hexadecimal digits)");
  return Digest::parse(text.substr(kSha256Prefix.size()));
}

Result<OciAnnotations> annotations_from(const Json& json) {
  OciAnnotations annotations;
  if (!json.is_object()) return fail(Errc::invalid, "must be an object of texts");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return fail(Errc::invalid, "must be an object of texts");
    annotations.emplace(name, value.get<std::string>());
  }
  return annotations;
}

OciAnnotations annotations_of(Fields& fields) {
  if (!fields.has("annotations")) return {};
  return fields.nested("annotations", annotations_from).value_or(OciAnnotations());
}

}  // namespace

Json to_json(const OciDescriptor& descriptor) {
  Json json = {{"mediaType", descriptor.media_type},
               {"digest", std::string(kSha256Prefix) + descriptor.digest.hex()},
               {"size", descriptor.bytes}};
  if (!descriptor.artifact_type.empty()) json["artifactType"] = descriptor.artifact_type;
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  return json;
}

Result<OciDescriptor> oci_descriptor_from(const Json& json) {
  Fields fields(json, "a descriptor", UnknownKeys::ignore);
  std::string media_type = fields.text("mediaType");
  if (media_type.empty()) fields.note("mediaType", "is empty");
  const auto digest = fields.parsed("digest", parse_oci_digest);
  const std::int64_t bytes = fields.integer("size", 0, std::numeric_limits<std::int64_t>::max());
  std::string artifact_type = fields.has("artifactType") ? fields.text("artifactType") : "";
  OciAnnotations annotations = annotations_of(fields);
  TRY(fields.finish());
  return OciDescriptor{std::move(media_type), *digest, static_cast<std::uint64_t>(bytes), std::move(artifact_type),
                       std::move(annotations)};
}

std::vector<OciDescriptor> oci_descriptors_in(Fields& fields, const char* key) {
  std::vector<OciDescriptor> descriptors;
  for (const Json& each : fields.array(key)) {
    auto descriptor = oci_descriptor_from(each);
    if (descriptor.ok()) {
      descriptors.push_back(std::move(*descriptor));
    } else {
      fields.note(key, descriptor.error().message);
    }
  }
  return descriptors;
}

OciDescriptor oci_empty_config() {
  return {"application/vnd.oci.empty.v1+json", sha256(kOciEmptyConfig), kOciEmptyConfig.size(), {}, {}};
}

std::vector<OciDescriptor> OciManifest::blobs() const {
  std::vector<OciDescriptor> blobs{config};
  std::set<Digest> seen{config.digest};
  for (const OciDescriptor& layer : layers) {
    if (seen.insert(layer.digest).second) blobs.push_back(layer);
  }
  return blobs;
}

std::string OciManifest::text() const {
  Json list = Json::array();
  for (const OciDescriptor& layer : layers) list.push_back(to_json(layer));
  Json json = {{"schemaVersion", 2},
               {"mediaType", kOciManifestType},
               {"artifactType", artifact_type},
               {"config", to_json(config)},
               {"layers", std::move(list)}};
  if (subject) json["subject"] = to_json(*subject);
  if (!annotations.empty()) json["annotations"] = annotations;
  return canonical(json);
}

Result<OciManifest> OciManifest::parse(std::string_view text) {
  if (text.size() > kMostOciManifest) return fail(Errc::invalid, "the manifest is longer than 4 MiB");
  const Json json = TRY(parse_json(text, "the manifest"));
  Fields fields(json, "the manifest", UnknownKeys::ignore);
  fields.integer("schemaVersion", 2, 2);
  if (fields.has("mediaType")) {
    const std::string type = fields.text("mediaType");
    if (type != kOciManifestType) fields.note("mediaType", "is '" + type + "', not an image manifest's");
  }
  const auto config = fields.nested("config", oci_descriptor_from);
  std::string artifact_type = fields.has("artifactType") ? fields.text("artifactType") : "";
  std::vector<OciDescriptor> layers = oci_descriptors_in(fields, "layers");
  if (layers.empty()) fields.note("layers", "names no content");
  std::optional<OciDescriptor> subject;
  if (fields.has("subject")) subject = fields.nested("subject", oci_descriptor_from);
  OciAnnotations annotations = annotations_of(fields);
  TRY(fields.finish());
  if (artifact_type.empty()) artifact_type = config->media_type;
  return OciManifest{std::move(artifact_type), *config, std::move(layers), std::move(subject), std::move(annotations)};
}

OciDescriptor OciManifest::descriptor(std::string_view text, std::string artifact_type) {
  return {std::string(kOciManifestType), sha256(text), text.size(), std::move(artifact_type), {}};
}

}  // namespace trainyard
