// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/package_metadata.hpp"

namespace trainyard {

namespace {

// The version stands there as a text, as a number or in parts, depending on who wrote the file.
Result<PackageVersion> version_in(const Json& json) {
  const auto found = json.find("version");
  if (found == json.end() || found->is_null()) return fail(Errc::invalid, "the metadata has no key 'version'");
  if (found->is_string()) {
    const std::string text = found->get<std::string>();
    auto version = PackageVersion::parse(text.starts_with('v') ? text.substr(1) : text);
    return version.ok() ? version : within("the metadata, key 'version'", version.error());
  }
  if (found->is_number_unsigned() && found->get<std::uint64_t>() >= 1 && found->get<std::uint64_t>() <= UINT32_MAX)
    return PackageVersion{found->get<std::uint32_t>(), 0};
  // A number with a point cannot tell 1.1 from 1.10.
  return fail(Errc::invalid, "the metadata, key 'version': is neither a text such as \"1.3\" nor a whole number");
}

std::string text_or_empty(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Json package_metadata(const VersionRecord& version, const Manifest& manifest) {
  const VersionDraft& content = version.content;
  const bool python = manifest.runtime == Runtime::python;
  return {{"name", content.name.text()},
          {"displayName", content.name.text()},
          {"description", manifest.description},
          {"inputDescription", manifest.input_description},
          {"outputDescription", manifest.output_description},
          {"inputType", manifest.input_type},
          {"mlPackageLanguage", python ? "PYTHON3" : "CPP"},
          {"languageVersion", content.abi.builder},
          {"retrainable", manifest.training_enabled && content.abi.verbs.contains(Verb::train)},
          {"gpu", manifest.requires_gpu},
          {"cpu", nullptr},
          {"memory", nullptr},
          {"processorType", manifest.requires_gpu ? "GPU" : "CPU"},
          {"changeLog", content.change_log},
          {"projectId", nullptr},
          {"stagingUri", nullptr},
          {"version", version.version.text()},
          {"imagePath", nullptr}};
}

Result<ImportedMetadata> imported_metadata(const Json& json) {
  if (!json.is_object()) return fail(Errc::invalid, "the metadata is not a JSON object");
  const auto name = PackageName::parse(text_or_empty(json, "name"));
  if (!name.ok()) return within("the metadata, key 'name'", name.error());
  const PackageVersion version = TRY(version_in(json));
  return ImportedMetadata{*name, version, text_or_empty(json, "changeLog")};
}

std::string export_name(const VersionRecord& version) {
  return version.content.name.text() + "_v" + version.version.text();
}

}  // namespace trainyard
