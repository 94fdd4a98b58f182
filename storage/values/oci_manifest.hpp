// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/json.hpp"
#include "storage/values/result.hpp"

// What names content and puts it together, as the OCI image specification 1.1 has it: descriptor.md and manifest.md. A
// published version has the same manifest, byte for byte, wherever it is published.
namespace trainyard {

using OciAnnotations = std::map<std::string, std::string>;

struct OciDescriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t bytes = 0;
  std::string artifact_type = {};  // of a manifest; empty: not told
  OciAnnotations annotations = {};

  friend bool operator==(const OciDescriptor&, const OciDescriptor&) = default;
};

struct OciManifest {
  std::string artifact_type;
  OciDescriptor config;
  std::vector<OciDescriptor> layers;          // one at least
  std::optional<OciDescriptor> subject = {};  // what this one is attached to
  OciAnnotations annotations = {};

  // All that it names, the config first, each once.
  [[nodiscard]] std::vector<OciDescriptor> blobs() const;
  // Canonical JSON.
  [[nodiscard]] std::string text() const;
  // Of any spelling, with whatever else it says; `invalid` names what is missing or wrong.
  static Result<OciManifest> parse(std::string_view text);
  // Of these bytes as a manifest.
  static OciDescriptor descriptor(std::string_view text, std::string artifact_type);
  friend bool operator==(const OciManifest&, const OciManifest&) = default;
};

inline constexpr std::string_view kOciManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciIndexType = "application/vnd.oci.image.index.v1+json";
// The config of a manifest that needs none. It has to be put like any other.
inline constexpr std::string_view kOciEmptyConfig = "{}";
OciDescriptor oci_empty_config();
// Registries take no longer ones (distribution-spec 1.1, "Pushing Manifests": 4 MiB at least).
inline constexpr std::size_t kMostOciManifest = std::size_t{4} << 20U;

Json to_json(const OciDescriptor& descriptor);
Result<OciDescriptor> oci_descriptor_from(const Json& json);
// The list under `key`; a mistake is noted.
std::vector<OciDescriptor> oci_descriptors_in(Fields& fields, const char* key);

}  // namespace trainyard
