// SPDX-License-Identifier: Apache-2.0
#include <boost/filesystem/operations.hpp>

#include "runner/cli/commands.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/attesting.hpp"
#include "runner/engine/package_upload.hpp"
#include "runner/processes/clock.hpp"
#include "runner/python/python_interpreter.hpp"
#include "storage/packages/decisions.hpp"
#include "storage/packages/registry.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

std::string verbs_text(const PackageAbi& abi) {
  std::string text;
  for (const Verb verb : abi.verbs) text += (text.empty() ? "" : ", ") + std::string(name_of(verb));
  return text;
}

std::string reference_text(const VersionRecord& record) {
  return record.content.name.text() + "@" + record.version.text();
}

std::string origin_text(const VersionDraft& content) {
  return content.parent ? "trained from " + content.parent->text() : std::string("uploaded");
}

std::string labels_text(const Standing& standing, const PackageVersion& version) {
  std::string text;
  for (const std::string& label : standing.labels_of(version)) text += (text.empty() ? "" : ", ") + label;
  return text.empty() ? "-" : text;
}

std::string approval_text(const Standing& standing, const PackageVersion& version) {
  const std::string text(name_of(standing.approval_of(version)));
  const auto judged = standing.judged.find(version);
  if (judged == standing.judged.end()) return text;
  const Decision& decision = judged->second;
  return text + " by " + printable(decision.who) + " at " + decision.time.short_text() + ": " + printable(decision.why);
}

// The record, and what was decided on it since.
Json version_json(const VersionRecord& record, const Standing& standing) {
  Json json = to_json(record);
  json["labels"] = standing.labels_of(record.version);
  json["approval"] = name_of(standing.approval_of(record.version));
  const auto judged = standing.judged.find(record.version);
  json["judged"] = judged == standing.judged.end() ? Json(nullptr) : to_json(judged->second);
  return json;
}

PackageRegistry registry_of(const Store& store) { return {store.packages(), store.journal()}; }

Result<std::optional<PackageName>> given_name(const std::string& text) {
  if (text.empty()) return std::optional<PackageName>();
  return std::optional(TRY(PackageName::parse(text)));
}

Json to_json(const CheckedPackage& checked) {
  Json verbs = Json::array();
  for (const Verb verb : checked.abi.verbs) verbs.push_back(name_of(verb));
  return {{"valid", true},
          {"manifest", trainyard::to_json(checked.manifest)},
          {"verbs", std::move(verbs)},
          {"builder", checked.abi.builder}};
}

}  // namespace

Result<ExitCode> perform(const command::Init& /*command*/, const Invocation& invocation) {
  const Path root = TRY(absolute_path(TRY(store_path(invocation))));
  TRY(Store::create(root, now()));
  if (invocation.output == Output::json) {
    print_json({{"store", root.string()}});
  } else {
    print("made the store " + root.string() + "\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageValidate& command, const Invocation& invocation) {
  boost::system::error_code error;
  const Path scratch = boost::filesystem::temp_directory_path(error);
  PythonInterpreter python(kDefaultPython, TRY(python_kit()));
  const auto name = TRY(given_name(command.name));
  const PackageReading reading{python, name};
  const CheckedPackage checked = TRY(validate_package(command.package, error ? Path("/tmp") : scratch, reading));
  if (invocation.output == Output::json) {
    print_json(to_json(checked));
  } else {
    print(command.package + " is a valid package '" + checked.manifest.name.text() + "' with " +
          verbs_text(checked.abi) + "\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackagePack& command, const Invocation& invocation) {
  PythonInterpreter python(kDefaultPython, TRY(python_kit()));
  const auto name = TRY(given_name(command.name));
  const PackageReading reading{python, name};
  const PackedPackage packed = TRY(pack_package(command.folder, command.zip, reading));
  if (invocation.output == Output::json) {
    print_json(
        {{"zip", packed.path.string()}, {"zip_digest", packed.zip.digest.hex()}, {"tree", to_json(packed.tree)}});
  } else {
    print("packed " + plural(packed.tree.files, "file") + " into " + packed.path.string() + " (" +
          size_text(packed.zip.bytes) + ", sha256 " + packed.zip.digest.hex() + ")\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageAdd& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  PythonInterpreter python(TRY(store.config()).python.value_or(kDefaultPython), TRY(python_kit()));
  const auto name = TRY(given_name(command.name));
  const PackageReading reading{python, name};
  const VersionRecord record = TRY(upload_package(command.package, reading, command.change_log, store, now()));
  if (const auto attested = attest_upload(record, store); !attested.ok())
    complain(not_attested(reference_text(record), attested.error()));
  if (invocation.output == Output::json) {
    print_json(to_json(record));
  } else {
    print("added " + reference_text(record) + " (" + plural(record.content.tree.files, "file") + ", " +
          size_text(record.content.tree.bytes) + ")\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageList& /*command*/, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const PackageRegistry registry = registry_of(store);
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {
      {"PACKAGE", "VERSION", "CREATED", "FROM", "SCORE", "FILES", "SIZE", "LABELS"}};
  for (const PackageName& name : TRY(registry.names())) {
    const Standing standing = standing_of(TRY(PackageDecisions(store.packages(), store.journal()).of(name)));
    for (const VersionRecord& record : TRY(registry.versions(name))) {
      const VersionDraft& content = record.content;
      list.push_back(version_json(record, standing));
      rows.push_back({name.text(), record.version.text(), content.created_at.short_text(), origin_text(content),
                      content.score ? number_text(*content.score) : "-", std::to_string(content.tree.files),
                      size_text(content.tree.bytes), labels_text(standing, record.version)});
    }
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else {
    print(rows.size() == 1 ? "no packages yet; 'trainyard package add ZIP' uploads one\n" : table(rows));
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageShow& command, const Invocation& invocation) {
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(registry_of(store).find(reference));
  const Standing standing =
      standing_of(TRY(PackageDecisions(store.packages(), store.journal()).of(record.content.name)));
  if (invocation.output == Output::json) {
    print_json(version_json(record, standing));
    return ExitCode::ok;
  }
  const VersionDraft& content = record.content;
  print(table({{"version", reference_text(record)},
               {"created", content.created_at.short_text()},
               {"from", content.run ? origin_text(content) + " by run " + content.run->text() : origin_text(content)},
               {"verbs", verbs_text(content.abi)},
               {"builder", printable(content.abi.builder)},
               {"tree", content.tree.digest.hex() + " (" + plural(content.tree.files, "file") + ", " +
                            size_text(content.tree.bytes) + ")"},
               {"zip", content.zip.digest.hex() + " (" + size_text(content.zip.bytes) + ")"},
               {"score", content.score ? number_text(*content.score) : "-"},
               {"labels", labels_text(standing, record.version)},
               {"approval", approval_text(standing, record.version)},
               {"change log", content.change_log.empty() ? "-" : printable(content.change_log)}}));
  return ExitCode::ok;
}

}  // namespace trainyard
