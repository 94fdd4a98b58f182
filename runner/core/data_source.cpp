// SPDX-License-Identifier: Apache-2.0
#include "runner/core/data_source.hpp"

#include "storage/values/named_enum.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kKindNames[] = {"folder", "archive", "dataset", "snapshot", "bucket"};

}  // namespace

Result<DataSource::Kind> parse_data_kind(std::string_view text) {
  if (const auto kind = enum_named<DataSource::Kind>(kKindNames, text)) return *kind;
  return fail(Errc::invalid, "'" + std::string(text) + "' is none of folder, archive, dataset, snapshot, bucket");
}

Result<DatasetReference> chosen_dataset_from(const Json& json) {
  Fields fields(json, "the dataset");
  const auto name = fields.parsed("name", DatasetName::parse);
  const auto number = static_cast<std::uint32_t>(fields.integer("version", 1, UINT32_MAX));
  const auto folder = fields.parsed_or_null("folder", RelPath::from_text);
  TRY(fields.finish());
  return DatasetReference{*name, number, folder};
}

std::string_view name_of(DataSource::Kind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

Json dataset_json(const DataSource& source) {
  if (!source.dataset) return nullptr;
  const DatasetReference& dataset = *source.dataset;
  return {{"name", dataset.name.text()},
          {"version", dataset.number ? Json(*dataset.number) : Json(nullptr)},
          {"folder", dataset.folder ? Json(dataset.folder->text()) : Json(nullptr)}};
}

Json to_json(const DataSource& source) {
  return {{"kind", name_of(source.kind)},
          {"folder", source.folder},
          {"tree", source.tree ? to_json(*source.tree) : Json(nullptr)},
          {"dataset", dataset_json(source)},
          {"bucket", source.bucket ? to_json(*source.bucket) : Json(nullptr)}};
}

Result<DataSource> data_source_from(const Json& json) {
  Fields fields(json, "the source of the data");
  const auto kind = fields.parsed("kind", parse_data_kind);
  std::string folder = fields.text("folder");
  if (!folder.starts_with('/')) fields.note("folder", "is not an absolute path");
  std::optional<TreeSummary> tree;
  if (fields.nullable("tree") != nullptr) tree = fields.nested("tree", tree_summary_from);
  std::optional<DatasetReference> dataset;
  if (fields.nullable("dataset") != nullptr) dataset = fields.nested("dataset", chosen_dataset_from);
  std::optional<BucketState> bucket;  // which no source was before there was the word
  if (fields.has("bucket") && fields.nullable("bucket") != nullptr) bucket = fields.nested("bucket", bucket_state_from);
  TRY(fields.finish());
  if (tree.has_value() != (*kind != DataSource::Kind::folder))
    return fail(Errc::invalid, "the tree of a data source goes with all kinds but folder");
  if (dataset.has_value() != (*kind == DataSource::Kind::dataset))
    return fail(Errc::invalid, "the dataset of a data source goes with the kind dataset, and with no other");
  if (bucket.has_value() != (*kind == DataSource::Kind::bucket))
    return fail(Errc::invalid, "the state of a bucket goes with the kind bucket, and with no other");
  return DataSource{*kind, std::move(folder), tree, std::move(dataset), std::move(bucket)};
}

}  // namespace trainyard
