// SPDX-License-Identifier: Apache-2.0
#include "storage/keys/envelope_check.hpp"

#include <algorithm>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

std::string problem_of(const DsseSignature& signature, const std::vector<StoredKey>& keys) {
  for (const StoredKey& key : keys) {
    if (key.key.id() == signature.keyid)
      return "the signature of the key '" + key.name.text() +
             "' is wrong: the document or the signature has been changed since it was signed";
  }
  if (signature.keyid.empty()) return "a signature that names no key is right for none of this store";
  return "the signature of the key " + printable(signature.keyid.substr(0, 16)) +
         " cannot be checked, because this store does not have that key; 'trainyard keys import' takes it in";
}

}  // namespace

Result<DsseSignature> sign_payload(std::string_view payload_type, std::string_view payload, const SigningKey& key) {
  std::string signature = TRY(key.sign(dsse_pae(payload_type, payload)));
  return DsseSignature{key.public_key().id(), std::move(signature)};
}

bool EnvelopeCheck::signed_by(const PublicKey& key) const {
  return std::any_of(signers.begin(), signers.end(), [&](const StoredKey& signer) { return signer.key == key; });
}

EnvelopeCheck check_envelope(const DsseEnvelope& envelope, const std::vector<StoredKey>& keys) {
  EnvelopeCheck check;
  const std::string signed_bytes = dsse_pae(envelope);
  for (const DsseSignature& signature : envelope.signatures) {
    std::vector<const StoredKey*> in_order;
    for (const StoredKey& key : keys) {
      const bool named = key.key.id() == signature.keyid;
      in_order.insert(named ? in_order.begin() : in_order.end(), &key);
    }
    const auto made_by = std::find_if(in_order.begin(), in_order.end(), [&](const StoredKey* key) {
      return key->key.verify(signed_bytes, signature.sig);
    });
    if (made_by == in_order.end()) {
      check.problems.push_back(problem_of(signature, keys));
    } else if (!check.signed_by((*made_by)->key)) {
      check.signers.push_back(**made_by);
    }
  }
  return check;
}

}  // namespace trainyard
