// SPDX-License-Identifier: Apache-2.0
#include "runner/core/published_version.hpp"

namespace trainyard {

namespace {

// Those of the OCI image specification, annotations.md, and our own.
constexpr const char* kTitleAnnotation = "org.opencontainers.image.title";
constexpr const char* kVersion = "org.opencontainers.image.version";
constexpr const char* kCreated = "org.opencontainers.image.created";
constexpr const char* kOwnPackage = "io.trainyard.package";
constexpr const char* kOwnVersion = "io.trainyard.version";
constexpr const char* kOwnParent = "io.trainyard.parent";
constexpr const char* kOwnRun = "io.trainyard.run";
constexpr const char* kOwnTree = "io.trainyard.tree";

OciDescriptor layer(std::string_view type, const PackageVersion& version, std::string name, const Digest& digest,
                    std::uint64_t bytes) {
  OciDescriptor layer = named_layer(type, std::move(name), digest, bytes);
  layer.annotations[kOwnVersion] = version.text();
  return layer;
}

Result<PackageVersion> version_in(const OciDescriptor& layer) {
  const auto told = layer.annotations.find(kOwnVersion);
  if (told == layer.annotations.end())
    return fail(Errc::invalid, "the layer " + layer.digest.hex() + " does not say to which version it belongs");
  return PackageVersion::parse(told->second);
}

// Layers of one version stand side by side, and versions in their order.
Result<std::vector<PublishedStep>> steps_of(const std::vector<OciDescriptor>& layers) {
  std::vector<PublishedStep> steps;
  for (const OciDescriptor& layer : layers) {
    const PackageVersion version = TRY(version_in(layer));
    if (steps.empty() || steps.back().version < version) steps.push_back({version, {}});
    if (steps.back().version != version)
      return fail(Errc::invalid, "its layers are not in the order of versions: one of " + version.text() +
                                     " comes after one of " + steps.back().version.text());
    steps.back().layers.push_back(layer);
  }
  return steps;
}

}  // namespace

OciDescriptor named_layer(std::string_view media_type, std::string name, const Digest& digest, std::uint64_t bytes) {
  return {std::string(media_type), digest, bytes, {}, {{kTitleAnnotation, std::move(name)}}};
}

OciDescriptor records_layer(const PackageName& package, const PackageVersion& version, const Digest& digest,
                            std::uint64_t bytes) {
  return layer(media_type::kRecords, version, package.text() + "-" + version.text() + ".records.tar", digest, bytes);
}

OciDescriptor bundle_layer(const PackageName& package, const PackageVersion& version, std::size_t number,
                           const Digest& digest, std::uint64_t bytes) {
  const std::string name = package.text() + "-" + version.text() + ".objects-" + std::to_string(number) + ".pack";
  return layer(media_type::kBundle, version, name, digest, bytes);
}

std::string name_of(const OciDescriptor& layer) {
  const auto title = layer.annotations.find(kTitleAnnotation);
  return title == layer.annotations.end() ? "" : title->second;
}

OciManifest manifest_of(const PublishedVersion& publication, const VersionRecord& record) {
  OciManifest manifest{std::string(media_type::kPublication), publication.record, {}, {}, {}};
  for (const PublishedStep& step : publication.steps)
    manifest.layers.insert(manifest.layers.end(), step.layers.begin(), step.layers.end());
  const VersionDraft& content = record.content;
  manifest.annotations = {{kTitleAnnotation, publication.package.text()}, {kVersion, publication.version.text()},
                          {kCreated, content.created_at.text()},          {kOwnPackage, publication.package.text()},
                          {kOwnVersion, publication.version.text()},      {kOwnTree, content.tree.digest.hex()}};
  if (content.parent) manifest.annotations[kOwnParent] = content.parent->text();
  if (content.run) manifest.annotations[kOwnRun] = content.run->text();
  return manifest;
}

Result<PublishedVersion> publication_from(const OciManifest& manifest) {
  if (manifest.artifact_type != media_type::kPublication || manifest.config.media_type != media_type::kRecord)
    return fail(Errc::incompatible, "it is no published version of a package, but '" + manifest.artifact_type + "'");
  const auto told = [&](const char* name) {
    const auto found = manifest.annotations.find(name);
    return found == manifest.annotations.end() ? std::string() : found->second;
  };
  PackageName package = TRY(PackageName::parse(told(kOwnPackage)));
  const PackageVersion version = TRY(PackageVersion::parse(told(kOwnVersion)));
  std::vector<PublishedStep> steps = TRY(steps_of(manifest.layers));
  if (steps.empty() || steps.back().version != version)
    return fail(Errc::invalid, "its layers do not end with those of version " + version.text());
  for (const PublishedStep& step : steps) {
    for (std::size_t i = 0; i < step.layers.size(); ++i) {
      const std::string_view wanted = i == 0 ? media_type::kRecords : media_type::kBundle;
      if (step.layers[i].media_type == wanted) continue;
      return fail(Errc::incompatible, "a layer of version " + step.version.text() + " is '" +
                                          step.layers[i].media_type + "' and not '" + std::string(wanted) + "'");
    }
  }
  return PublishedVersion{std::move(package), version, manifest.config, std::move(steps)};
}

OciManifest attachment(std::string_view artifact_type, const OciDescriptor& subject,
                       std::vector<OciDescriptor> layers) {
  OciDescriptor of{subject.media_type, subject.digest, subject.bytes, {}, {}};
  return {std::string(artifact_type), oci_empty_config(), std::move(layers), std::move(of), {}};
}

Result<std::vector<PublishedStep>> data_steps(const OciManifest& attachment) {
  for (const OciDescriptor& layer : attachment.layers) {
    if (layer.media_type != media_type::kBundle)
      return fail(Errc::incompatible, "a layer of the data is '" + layer.media_type + "'");
  }
  return steps_of(attachment.layers);
}

}  // namespace trainyard
