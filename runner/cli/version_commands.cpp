// SPDX-License-Identifier: Apache-2.0
// What people decide on versions, and how versions come and go.
#include "runner/cli/commands.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/attesting.hpp"
#include "runner/engine/package_exchange.hpp"
#include "runner/engine/version_removal.hpp"
#include "runner/processes/clock.hpp"
#include "runner/python/python_interpreter.hpp"
#include "storage/packages/decisions.hpp"
#include "storage/packages/registry.hpp"

namespace trainyard {

namespace {

std::string text_of(const VersionRecord& record) { return record.content.name.text() + "@" + record.version.text(); }

Decision decision_on(const VersionRecord& record, Decision::Kind kind, const std::string& why) {
  return {now(), user_name(), why, kind, record.version, std::nullopt};
}

void tell(const Decision& decision, const std::string& sentence, const Invocation& invocation) {
  if (invocation.output == Output::json) {
    print_json(to_json(decision));
  } else {
    print(sentence + "\n");
  }
}

Result<ExitCode> judge(const std::string& reference, Decision::Kind kind, const std::string& why,
                       const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, reference));
  const Decision decision = decision_on(record, kind, why);
  TRY(PackageDecisions(store.packages(), store.journal()).add(record.content.name, decision));
  tell(decision, text_of(record) + " is " + std::string(name_of(kind)), invocation);
  return ExitCode::ok;
}

}  // namespace

Result<ExitCode> perform(const command::PackageLabel& command, const Invocation& invocation) {
  const VersionLabel label = TRY(VersionLabel::parse(command.label));
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, command.reference));
  const PackageDecisions decisions(store.packages(), store.journal());
  const Standing standing = standing_of(TRY(decisions.of(record.content.name)));
  const auto before = standing.labels.find(label);
  Decision decision = decision_on(record, Decision::Kind::labelled, command.why);
  decision.label = label;
  TRY(decisions.add(record.content.name, decision));
  tell(decision,
       text_of(record) + " is labelled '" + label.text() + "'" +
           (before == standing.labels.end() || before->second == record.version
                ? ""
                : ", which " + before->second.text() + " was until now"),
       invocation);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageUnlabel& command, const Invocation& invocation) {
  const VersionLabel label = TRY(VersionLabel::parse(command.label));
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, command.package + "@" + label.text()));
  Decision decision = decision_on(record, Decision::Kind::unlabelled, command.why);
  decision.label = label;
  TRY(PackageDecisions(store.packages(), store.journal()).add(record.content.name, decision));
  tell(decision, text_of(record) + " is no longer labelled '" + label.text() + "'", invocation);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageApprove& command, const Invocation& invocation) {
  return judge(command.reference, Decision::Kind::approved, command.why, invocation);
}

Result<ExitCode> perform(const command::PackageReject& command, const Invocation& invocation) {
  return judge(command.reference, Decision::Kind::rejected, command.why, invocation);
}

Result<ExitCode> perform(const command::PackageDelete& command, const Invocation& invocation) {
  const PackageReference reference = TRY(PackageReference::parse(command.reference));
  if (!reference.version)
    return fail(Errc::invalid,
                "'" + command.reference + "' does not say which version; give " + reference.name.text() + "@VERSION");
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, command.reference));
  const Decision decision = decision_on(record, Decision::Kind::deleted, command.why);
  TRY(remove_version(store, record, decision));
  tell(decision, "deleted " + text_of(record) + "; 'trainyard store gc' frees what nothing else needs", invocation);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageExport& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, command.reference));
  const ExportedPackage exported = TRY(export_package(record, TRY(absolute_path(command.folder)), store));
  if (invocation.output == Output::json) {
    print_json({{"zip", exported.zip.string()},
                {"metadata", exported.metadata.string()},
                {"zip_digest", exported.summary.digest.hex()}});
  } else {
    print("exported " + text_of(record) + " as " + exported.zip.string() + " (" + size_text(exported.summary.bytes) +
          ", sha256 " + exported.summary.digest.hex() + ") and " + exported.metadata.filename().string() + "\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::PackageImport& command, const Invocation& invocation) {
  std::string metadata = command.metadata;
  if (metadata.empty()) {
    const std::string stem =
        command.zip.ends_with(".zip") ? command.zip.substr(0, command.zip.size() - 4) : command.zip;
    metadata = stem + "_metadata.json";
  }
  const Store store = TRY(open_store(invocation));
  PythonInterpreter python(TRY(store.config()).python.value_or(kDefaultPython), TRY(python_kit()));
  const VersionRecord record = TRY(import_package(command.zip, metadata, python, store, now()));
  if (const auto attested = attest_upload(record, store); !attested.ok())
    complain(not_attested(text_of(record), attested.error()));
  if (invocation.output == Output::json) {
    print_json(to_json(record));
  } else {
    print("imported " + text_of(record) + "\n");
  }
  return ExitCode::ok;
}

}  // namespace trainyard
