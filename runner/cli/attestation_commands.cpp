// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/secret_input.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/attest.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "runner/engine/attestation_check.hpp"
#include "runner/engine/attesting.hpp"
#include "runner/processes/clock.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Json to_json(const AttestationCheck& check) {
  Json signers = Json::array();
  for (const StoredKey& key : check.signers) signers.push_back({{"name", key.name.text()}, {"id", key.key.id()}});
  return {{"statement", check.statement ? to_json(*check.statement) : Json(nullptr)},
          {"signers", std::move(signers)},
          {"problems", check.problems},
          {"good", check.good()}};
}

std::string signers_text(const AttestationCheck& check) {
  std::string text;
  for (const StoredKey& key : check.signers) text += (text.empty() ? "" : ", ") + key.name.text();
  return text.empty() ? "-" : text;
}

// To a new file, or to standard output.
Result<ExitCode> write_document(const std::string& document, const std::string& file, const Invocation& invocation) {
  if (file.empty()) {
    print(document);
    return ExitCode::ok;
  }
  const Path path = TRY(absolute_path(file));
  TRY(publish_file(path.parent_path(), path, document, 0644, Durable::yes));
  if (invocation.output == Output::json) {
    print_json({{"file", path.string()}});
  } else {
    print("wrote " + path.string() + "\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> show(const VersionRecord& record, const Store& store, const Invocation& invocation) {
  const std::vector<AttestationCheck> checks = TRY(check_attestations(record, store));
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"STATEMENT", "SIGNED BY", "CHECK"}};
  bool good = true;
  for (const AttestationCheck& check : checks) {
    list.push_back(to_json(check));
    good = good && check.good();
    const std::string what = check.statement ? printable(claim_text(*check.statement)) : "unknown";
    rows.push_back({what, signers_text(check), check.good() ? "good" : printable(check.problems.front())});
    for (std::size_t i = 1; i < check.problems.size(); ++i) rows.push_back({"", "", printable(check.problems[i])});
  }
  if (invocation.output == Output::json) {
    print_json(list);
  } else if (checks.empty()) {
    print("nothing is attested of " + recorded(record).text() + "; 'trainyard sign " + recorded(record).text() +
          "' does it\n");
  } else {
    print(table(rows));
  }
  return good ? ExitCode::ok : ExitCode::no;
}

}  // namespace

Result<ExitCode> perform(const command::Sign& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, command.reference));
  const KeyRing ring(store.keys(), store.scratch());
  const auto password = TRY(take_password(command.password, PasswordUse::unlock));
  const SigningKey key =
      command.key.empty() ? TRY(ring.default_key()) : TRY(ring.signing_key(TRY(ring.find(command.key)).name, password));
  const Signed done = TRY(sign_version(record, store, key, now()));
  for (const std::string& sentence : done.left_out) complain(sentence);
  if (invocation.output == Output::json) {
    print_json({{"version", recorded(record).text()},
                {"key", key.public_key().id()},
                {"made", done.made},
                {"added", done.added},
                {"there", done.there},
                {"left_out", done.left_out}});
  } else {
    print("signed " + recorded(record).text() + ": " + plural(done.made, "statement") + " made, " +
          plural(done.added, "signature") + " added, " + std::to_string(done.there) + " there before\n");
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::ShowAttestations& command, const Invocation& invocation) {
  const bool whole = command.format == "intoto";
  const bool model = command.format == "model-signing";
  if (!whole && !model && !command.format.empty())
    return fail(Errc::invalid, "--format must be intoto or model-signing, not '" + command.format + "'");
  if (command.format.empty() && !command.file.empty())
    return fail(Errc::invalid, "--output needs --format intoto or --format model-signing");
  const Store store = TRY(open_store(invocation));
  const VersionRecord record = TRY(find_version(store, command.reference));
  if (model) {
    const auto key = command.key.empty() ? std::nullopt : std::optional(command.key);
    return write_document(readable(to_json(TRY(model_signature(record, store, key)))), command.file, invocation);
  }
  if (!whole) return show(record, store, invocation);
  const Envelopes all = TRY(Attestations(store.packages(), store.journal()).of(record.content.name, record.version));
  if (invocation.output == Output::text || !command.file.empty())
    return write_document(dsse_lines(all), command.file, invocation);
  Json list = Json::array();
  for (const DsseEnvelope& envelope : all) list.push_back(to_json(envelope));
  print_json(list);
  return ExitCode::ok;
}

}  // namespace trainyard
