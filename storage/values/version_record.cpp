// SPDX-License-Identifier: Apache-2.0
#include "storage/values/version_record.hpp"

#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kVersionSchema = "trainyard.version/1";
constexpr std::string_view kRuntimes[] = {"native", "python"};
constexpr std::string_view kVerbs[] = {"process_data", "train", "save", "evaluate", "predict"};

Result<PackageAbi> abi_from(const Json& json) {
  PackageAbi abi;
  Fields fields(json, "the abi");
  const auto runtime = fields.parsed("runtime", parse_runtime);
  abi.major = static_cast<std::uint32_t>(fields.integer("major", 1, UINT32_MAX));
  abi.minor = static_cast<std::uint32_t>(fields.integer("minor", 0, UINT32_MAX));
  abi.builder = fields.text("builder");
  const Json& verbs = fields.array("verbs");
  TRY(fields.finish());
  abi.runtime = *runtime;
  for (const Json& verb : verbs) {
    if (!verb.is_string()) return fail(Errc::invalid, "a verb of the abi is not a text");
    abi.verbs.insert(TRY(parse_verb(verb.get<std::string>())));
  }
  return abi;
}

template <class Value>
Json text_or_null(const std::optional<Value>& value) {
  return value ? Json(value->text()) : Json(nullptr);
}

}  // namespace

std::string_view name_of(Verb verb) { return kVerbs[static_cast<std::size_t>(verb)]; }

Result<Verb> parse_verb(std::string_view text) {
  if (const auto value = enum_named<Verb>(kVerbs, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a verb of a package");
}

std::string_view name_of(Runtime runtime) { return kRuntimes[static_cast<std::size_t>(runtime)]; }

Result<Runtime> parse_runtime(std::string_view text) {
  if (const auto value = enum_named<Runtime>(kRuntimes, text)) return *value;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a runtime; there are native and python");
}

Json to_json(const PackageAbi& abi) {
  Json verbs = Json::array();
  for (const Verb verb : abi.verbs) verbs.push_back(name_of(verb));
  return {{"runtime", name_of(abi.runtime)},
          {"major", abi.major},
          {"minor", abi.minor},
          {"builder", abi.builder},
          {"verbs", std::move(verbs)}};
}

Json to_json(const TreeSummary& tree) {
  return {{"digest", tree.digest.hex()}, {"files", tree.files}, {"bytes", tree.bytes}};
}

Result<TreeSummary> tree_summary_from(const Json& json) {
  Fields fields(json, "a tree summary");
  const auto digest = fields.parsed("digest", Digest::parse);
  const std::uint64_t files = fields.count("files");
  const std::uint64_t bytes = fields.count("bytes");
  TRY(fields.finish());
  return TreeSummary{*digest, files, bytes};
}

Json to_json(const ZipSummary& zip) { return {{"digest", zip.digest.hex()}, {"bytes", zip.bytes}}; }

Result<ZipSummary> zip_summary_from(const Json& json) {
  Fields fields(json, "a zip summary");
  const auto digest = fields.parsed("digest", Digest::parse);
  const std::uint64_t bytes = fields.count("bytes");
  TRY(fields.finish());
  return ZipSummary{*digest, bytes};
}

Json to_json(const VersionRecord& record) {
  const VersionDraft& content = record.content;
  return {{"schema", kVersionSchema},
          {"package", content.name.text()},
          {"version", record.version.text()},
          {"created_at", content.created_at.text()},
          {"parent", text_or_null(content.parent)},
          {"run", text_or_null(content.run)},
          {"tree", to_json(content.tree)},
          {"zip", to_json(content.zip)},
          {"abi", to_json(content.abi)},
          {"change_log", content.change_log},
          {"score", content.score ? Json(*content.score) : Json(nullptr)}};
}

Result<VersionRecord> VersionRecord::parse(std::string_view text) {
  const Json json = TRY(parse_json(text, "the version record"));
  return version_record_from(json);
}

Result<VersionRecord> version_record_from(const Json& json) {
  Fields fields(json, "the version record");
  fields.schema(kVersionSchema);
  const auto name = fields.parsed("package", PackageName::parse);
  const auto version = fields.parsed("version", PackageVersion::parse);
  const auto created_at = fields.parsed("created_at", Instant::parse);
  const auto parent = fields.parsed_or_null("parent", PackageVersion::parse);
  const auto run = fields.parsed_or_null("run", RunId::parse);
  const auto tree = fields.nested("tree", tree_summary_from);
  const auto zip = fields.nested("zip", zip_summary_from);
  const auto abi = fields.nested("abi", abi_from);
  const std::string change_log = fields.text("change_log");
  std::optional<double> score;
  if (fields.nullable("score") != nullptr) score = fields.number("score");
  TRY(fields.finish());
  return VersionRecord{*version, {*name, *created_at, parent, run, *tree, *zip, *abi, change_log, score}};
}

Json or_null(const std::optional<TreeSummary>& tree) { return tree ? to_json(*tree) : Json(nullptr); }

}  // namespace trainyard
