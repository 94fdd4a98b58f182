// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/values/oci_manifest.hpp"
#include "storage/values/version_record.hpp"

// What a version is published as. Pure; publishing is runner/engine/publishing.hpp.
//
// The manifest of a version is an OCI image manifest whose config is the version's record, byte for byte, and whose layers
// are, for each version from the first upload to this one, a tar of its records and bundles of the objects that the
// versions before it have not. So a new minor adds layers to those of its parent, and the same version of the same store
// has the same manifest everywhere.
namespace trainyard {

namespace media_type {
inline constexpr std::string_view kPublication =
    "application/vnd.trainyard.publication.v1";  // the manifest's artifact type
inline constexpr std::string_view kRecord = "application/vnd.trainyard.version.v1+json";
inline constexpr std::string_view kRecords = "application/vnd.trainyard.records.v1.tar";
inline constexpr std::string_view kBundle = "application/vnd.trainyard.objects.v1";
// What is attached to it: artifact types of manifests that have it as their subject.
inline constexpr std::string_view kData = "application/vnd.trainyard.data.v1";  // bundles of the runs' data
inline constexpr std::string_view kCapsule = "application/vnd.trainyard.capsule.v1+zip";
inline constexpr std::string_view kEvidence =
    "application/vnd.trainyard.evidence.v1";  // the store's journal, public keys
inline constexpr std::string_view kAttestations = "application/vnd.in-toto+json";
inline constexpr std::string_view kModelSignature = "application/vnd.dev.sigstore.bundle.v0.3+json";
inline constexpr std::string_view kBill = "application/vnd.cyclonedx+json";  // of materials
}  // namespace media_type

// The layers of one version of a lineage.
struct PublishedStep {
  PackageVersion version;
  std::vector<OciDescriptor> layers;  // in a publication the first one is the records; the others are bundles

  friend bool operator==(const PublishedStep&, const PublishedStep&) = default;
};

struct PublishedVersion {
  PackageName package;
  PackageVersion version;
  OciDescriptor record;
  std::vector<PublishedStep> steps;  // the oldest first; the last one is the version itself

  friend bool operator==(const PublishedVersion&, const PublishedVersion&) = default;
};

// The manifest, with what people and other tools look for in its annotations.
OciManifest manifest_of(const PublishedVersion& publication, const VersionRecord& record);
// `incompatible` for the manifest of something else, `invalid` names what is wrong with it.
Result<PublishedVersion> publication_from(const OciManifest& manifest);

// "digits-1.1.records.tar", as a layer's annotation has it.
OciDescriptor records_layer(const PackageName& package, const PackageVersion& version, const Digest& digest,
                            std::uint64_t bytes);
// `number` counts those of the version from 1.
OciDescriptor bundle_layer(const PackageName& package, const PackageVersion& version, std::size_t number,
                           const Digest& digest, std::uint64_t bytes);

// A manifest that is attached to `subject`: layers with names, and no config.
OciManifest attachment(std::string_view artifact_type, const OciDescriptor& subject, std::vector<OciDescriptor> layers);
OciDescriptor named_layer(std::string_view media_type, std::string name, const Digest& digest, std::uint64_t bytes);
// The name of a layer, empty when it has none.
std::string name_of(const OciDescriptor& layer);
// The steps that bundles belong to; `invalid` for a layer that is none.
Result<std::vector<PublishedStep>> data_steps(const OciManifest& attachment);

}  // namespace trainyard
