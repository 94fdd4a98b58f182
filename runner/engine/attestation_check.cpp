// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/attestation_check.hpp"

#include <algorithm>

#include "runner/core/attest.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "storage/keys/envelope_check.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/model_signing.hpp"

namespace trainyard {

namespace {

class VersionAttestations {
 public:
  VersionAttestations(const VersionRecord& version, const Store& store) : version_(version), store_(store) {}

  [[nodiscard]] AttestationCheck check(const DsseEnvelope& envelope, const std::vector<StoredKey>& keys) const {
    EnvelopeCheck signatures = check_envelope(envelope, keys);
    AttestationCheck check{std::nullopt, std::move(signatures.signers), std::move(signatures.problems)};
    if (check.signers.empty()) return check;
    if (envelope.payload_type != kInTotoPayload) {
      check.problems.push_back("what was signed is not an in-toto statement but '" + envelope.payload_type + "'");
      return check;
    }
    auto statement = in_toto_statement_from_payload(envelope.payload);
    if (!statement.ok()) {
      check.problems.push_back(statement.error().message);
      return check;
    }
    hold_against_version(*statement, check.problems);
    check.statement = std::move(*statement);
    return check;
  }

 private:
  using Problems = std::vector<std::string>;

  void hold_against_version(const InTotoStatement& statement, Problems& problems) const {
    if (statement.predicate_type == kModelSignature) return hold_against_files(statement, problems);
    const auto own = subjects_of(recorded(version_));
    for (const InTotoSubject& subject : statement.subjects) {
      const bool same =
          std::any_of(own.begin(), own.end(), [&](const InTotoSubject& one) { return one.digest == subject.digest; });
      if (!same) {
        problems.push_back("it is about other content than that of " + text() + ": '" + subject.name +
                           "' had the sha256 " + subject.digest.hex());
      }
    }
    hold_against_results(statement, problems);
  }

  void hold_against_files(const InTotoStatement& statement, Problems& problems) const {
    const auto model = signed_model_from(statement);
    const auto tree = load_tree(version_.content.tree.digest, store_.objects());
    if (!model.ok()) return problems.push_back(model.error().message);
    if (!tree.ok()) return problems.push_back(tree.error().message);
    for (std::string& difference : model_differences(*model, *tree)) problems.push_back(std::move(difference));
  }

  // A run that was deleted has taken its results with it.
  void hold_against_results(const InTotoStatement& statement, Problems& problems) const {
    const auto attested = results_in(statement);
    if (!attested || !version_.content.run) return;
    const RunFolder folder = RunFolders(store_.runs(), store_.active()).folder(*version_.content.run);
    const auto results = read_file(folder.results(), std::size_t{256} << 20U);
    if (!results.ok() && results.error().code == Errc::not_found) return;
    if (!results.ok()) return problems.push_back(results.error().message);
    if (sha256(*results) != *attested)
      problems.push_back("'" + folder.results().string() + "' has been changed since the run attested it");
  }

  [[nodiscard]] std::string text() const { return recorded(version_).text(); }

  const VersionRecord& version_;
  const Store& store_;
};

Result<std::vector<AttestationCheck>> check_all(const Envelopes& envelopes, const VersionRecord& version,
                                                const Store& store) {
  const std::vector<StoredKey> keys = TRY(KeyRing(store.keys(), store.scratch()).list());
  const VersionAttestations attestations(version, store);
  std::vector<AttestationCheck> checks;
  checks.reserve(envelopes.size());
  for (const DsseEnvelope& envelope : envelopes) checks.push_back(attestations.check(envelope, keys));
  return checks;
}

}  // namespace

Result<std::vector<AttestationCheck>> check_attestations(const VersionRecord& version, const Store& store) {
  const Attestations attestations(store.packages(), store.journal());
  return check_all(TRY(attestations.of(version.content.name, version.version)), version, store);
}

Result<std::vector<AttestationCheck>> check_run_attestations(const Path& run_folder, const VersionRecord& evaluated,
                                                             const Store& store) {
  return check_all(TRY(read_attestations(run_folder / std::string(kRunAttestations))), evaluated, store);
}

}  // namespace trainyard
