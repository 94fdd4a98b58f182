// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/remote_documents.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kFormat = "trainyard.remote/1";
constexpr std::string_view kPackage = "trainyard.remote-package/1";
constexpr std::string_view kPublished = "trainyard.published/1";
constexpr std::string_view kLabel = "trainyard.remote-label/1";
constexpr std::string_view kAttached = "trainyard.attached/1";
constexpr std::string_view kCollecting = "trainyard.collecting/1";

}  // namespace

Json to_json(const RemoteFormat& /*format*/) { return {{"schema", kFormat}}; }

Json to_json(const RemotePackage& package) { return {{"schema", kPackage}, {"name", package.name.text()}}; }

Json to_json(const Publication& publication) {
  return {{"schema", kPublished},
          {"manifest", to_json(publication.manifest)},
          {"publication", publication.publication},
          {"publisher", publication.publisher},
          {"published_at", publication.published_at.text()}};
}

Json to_json(const RemoteLabel& label) {
  return {{"schema", kLabel}, {"label", label.label.text()}, {"manifest", to_json(label.manifest)}};
}

Json to_json(const Attachment& attachment) {
  return {{"schema", kAttached}, {"manifest", to_json(attachment.manifest)}};
}

Json to_json(const Collecting& collecting) {
  return {{"schema", kCollecting}, {"collection", collecting.collection}, {"since", collecting.since.text()}};
}

Result<RemoteFormat> remote_format_from(const Json& json) {
  Fields fields(json, "the remote");
  fields.schema(kFormat);
  TRY(fields.finish());
  return RemoteFormat{};
}

Result<RemotePackage> remote_package_from(const Json& json) {
  Fields fields(json, "the package of a remote");
  fields.schema(kPackage);
  auto name = fields.parsed("name", PackageName::parse);
  TRY(fields.finish());
  return RemotePackage{std::move(*name)};
}

Result<Publication> publication_from(const Json& json) {
  Fields fields(json, "a publication");
  fields.schema(kPublished);
  auto manifest = fields.nested("manifest", oci_descriptor_from);
  std::string publication = fields.text("publication");
  std::string publisher = fields.text("publisher");
  const auto published_at = fields.parsed("published_at", Instant::parse);
  TRY(fields.finish());
  return Publication{std::move(*manifest), std::move(publication), std::move(publisher), *published_at};
}

Result<RemoteLabel> remote_label_from(const Json& json) {
  Fields fields(json, "the label of a remote");
  fields.schema(kLabel);
  auto label = fields.parsed("label", VersionLabel::parse);
  auto manifest = fields.nested("manifest", oci_descriptor_from);
  TRY(fields.finish());
  return RemoteLabel{std::move(*label), std::move(*manifest)};
}

Result<Attachment> attachment_from(const Json& json) {
  Fields fields(json, "an attachment");
  fields.schema(kAttached);
  auto manifest = fields.nested("manifest", oci_descriptor_from);
  TRY(fields.finish());
  return Attachment{std::move(*manifest)};
}

Result<Collecting> collecting_from(const Json& json) {
  Fields fields(json, "the removal of garbage");
  fields.schema(kCollecting);
  std::string collection = fields.text("collection");
  const auto since = fields.parsed("since", Instant::parse);
  TRY(fields.finish());
  return Collecting{std::move(collection), *since};
}

}  // namespace trainyard
