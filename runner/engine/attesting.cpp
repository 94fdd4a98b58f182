// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/attesting.hpp"

#include <algorithm>

#include "runner/core/attest.hpp"
#include "runner/core/slsa_provenance.hpp"
#include "storage/keys/envelope_check.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/in_toto.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

using Statements = std::vector<InTotoStatement>;

KeyRing ring_of(const Store& store) { return {store.keys(), store.scratch()}; }

// None for what is no statement.
std::optional<InTotoStatement> statement_in(const DsseEnvelope& envelope) {
  if (envelope.payload_type != kInTotoPayload) return std::nullopt;
  auto statement = in_toto_statement_from_payload(envelope.payload);
  if (!statement.ok()) return std::nullopt;
  return std::move(*statement);
}

Result<DsseEnvelope> signed_by(const SigningKey& key, const InTotoStatement& statement) {
  std::string payload = TRY(payload_of(statement));
  DsseEnvelope envelope{std::string(kInTotoPayload), std::move(payload), {}};
  envelope.signatures.push_back(TRY(sign_payload(envelope.payload_type, envelope.payload, key)));
  return envelope;
}

// Those of which there is nothing yet.
Statements missing(const Statements& wanted, const Envelopes& there) {
  Statements left = wanted;
  for (const DsseEnvelope& envelope : there) {
    const auto statement = statement_in(envelope);
    if (statement) std::erase_if(left, [&](const InTotoStatement& other) { return same_claim(*statement, other); });
  }
  return left;
}

// The key is asked for only when there is something to sign.
Result<Envelopes> with_missing(const Envelopes& there, const Statements& wanted, const Store& store) {
  const Statements left = missing(wanted, there);
  if (left.empty()) return there;
  const SigningKey key = TRY(ring_of(store).default_key());
  Envelopes all = there;
  for (const InTotoStatement& statement : left) all.push_back(TRY(signed_by(key, statement)));
  return all;
}

Result<InTotoStatement> model_statement_of(const RecordedVersion& version, const Store& store) {
  const Tree tree = TRY(load_tree(version.tree.digest, store.objects()));
  return model_statement(TRY(signed_model(version.text(), tree)));
}

// The model signature comes last, so that what a package's names keep from being signed costs nothing else.
Result<void> attest(const RecordedVersion& version, Statements statements, Instant now, const Store& store) {
  const auto model = model_statement_of(version, store);
  if (model.ok()) statements.push_back(*model);
  const Attestations attestations(store.packages(), store.journal());
  TRY(attestations.change(version.package, version.version, now,
                          [&](const Envelopes& there) { return with_missing(there, statements, store); }));
  if (!model.ok()) return model.error();
  return {};
}

struct Results {
  RunRecord run;
  Digest digest;
};

Result<Results> read_results(const RunFolder& folder) {
  const std::string text = TRY(read_file(folder.results(), std::size_t{256} << 20U));
  const Json json = TRY(parse_json(text, "'" + folder.results().string() + "'"));
  return Results{TRY(run_record_from(json)), sha256(text)};
}

}  // namespace

Result<void> attest_run(const RunFolder& folder, const Store& store) {
  const Results results = TRY(read_results(folder));
  if (const auto& version = results.run.version)
    return attest(*version, statements_on_made(results.run, results.digest), results.run.ended_at, store);
  const auto evaluated = statement_on_evaluated(results.run);
  if (!evaluated) return {};
  const Path file = folder.path() / std::string(kRunAttestations);
  const Envelopes there = TRY(read_attestations(file));
  const Envelopes all = TRY(with_missing(there, {*evaluated}, store));
  return all == there ? Result<void>() : write_attestations(store.scratch(), file, all);
}

Result<void> attest_upload(const VersionRecord& version, const Store& store) {
  return attest(recorded(version), {slsa_statement(version)}, version.content.created_at, store);
}

std::string not_attested(const std::string& version, const Error& why) {
  return version + " is not attested: " + why.message + "; 'trainyard sign " + version + "' makes up for it";
}

namespace {

// What there is to attest of a version, whenever it was made.
Result<Statements> statements_of(const VersionRecord& version, const Store& store, Signed& done) {
  Statements statements;
  const std::string text = recorded(version).text();
  if (!version.content.run) {
    statements.push_back(slsa_statement(version));
  } else {
    const RunFolder folder = RunFolders(store.runs(), store.active()).folder(*version.content.run);
    if (is_there(folder.results())) {
      const Results results = TRY(read_results(folder));
      statements = statements_on_made(results.run, results.digest);
    } else {
      done.left_out.push_back("the provenance of " + text + " cannot be made, because the run " +
                              version.content.run->text() + " is not in this store any more");
    }
  }
  auto model = model_statement_of(recorded(version), store);
  if (model.ok()) {
    statements.push_back(std::move(*model));
  } else {
    done.left_out.push_back("the model signature of " + text + " cannot be made: " + model.error().message);
  }
  return statements;
}

Result<void> add_signature(DsseEnvelope& envelope, const SigningKey& key, const std::vector<StoredKey>& keys,
                           Signed& done) {
  const auto statement = statement_in(envelope);
  const EnvelopeCheck check = check_envelope(envelope, keys);
  const std::string what =
      statement ? claim_text(*statement) : "attestation of the type '" + envelope.payload_type + "'";
  if (check.signers.empty()) {
    return fail(Errc::corrupt, "the " + what + " is not signed again: " +
                                   (check.problems.empty() ? "nobody has signed it" : check.problems.front()));
  }
  if (check.signed_by(key.public_key())) {
    ++done.there;
    return {};
  }
  envelope.signatures.push_back(TRY(sign_payload(envelope.payload_type, envelope.payload, key)));
  ++done.added;
  return {};
}

}  // namespace

Result<Signed> sign_version(const VersionRecord& version, const Store& store, const SigningKey& key, Instant now) {
  Signed done;
  const Statements wanted = TRY(statements_of(version, store, done));
  const std::vector<StoredKey> keys = TRY(ring_of(store).list());
  const Attestations attestations(store.packages(), store.journal());
  TRY(attestations.change(version.content.name, version.version, now, [&](const Envelopes& there) -> Result<Envelopes> {
    Envelopes all = there;
    for (DsseEnvelope& envelope : all) TRY(add_signature(envelope, key, keys, done));
    for (const InTotoStatement& statement : missing(wanted, there)) {
      all.push_back(TRY(signed_by(key, statement)));
      ++done.made;
    }
    return all;
  }));
  return done;
}

Result<SigstoreBundle> model_signature(const VersionRecord& version, const Store& store,
                                       const std::optional<std::string>& key) {
  const std::vector<StoredKey> keys = TRY(ring_of(store).list());
  std::optional<PublicKey> wanted;
  if (key) wanted = TRY(ring_of(store).find(*key)).key;
  std::optional<SigstoreBundle> found;
  for (const DsseEnvelope& envelope :
       TRY(Attestations(store.packages(), store.journal()).of(version.content.name, version.version))) {
    const auto statement = statement_in(envelope);
    if (!statement || statement->predicate_type != kModelSignature) continue;
    for (const DsseSignature& signature : envelope.signatures) {
      // Other programs take one signature and no id of the key beside it.
      const DsseEnvelope alone{envelope.payload_type, envelope.payload, {{"", signature.sig}}};
      for (const StoredKey& signer : check_envelope(alone, keys).signers) {
        if (signer.key.type() != KeyType::ecdsa_p256 || (wanted && signer.key != *wanted)) continue;
        if (!found || signer.name == KeyRing::default_name()) found = SigstoreBundle{signer.key.id(), alone};
      }
    }
  }
  if (found) return *found;
  return fail(Errc::not_found, recorded(version).text() + " has no model signature" +
                                   (key ? " of the key '" + *key + "'" : "") + " by an ECDSA key; 'trainyard sign " +
                                   recorded(version).text() + "' makes one");
}

}  // namespace trainyard
