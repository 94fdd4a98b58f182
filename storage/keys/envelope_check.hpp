// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/keys/key_ring.hpp"
#include "storage/values/dsse.hpp"

namespace trainyard {

// A signature of these bytes, with the id of the key as its hint.
Result<DsseSignature> sign_payload(std::string_view payload_type, std::string_view payload, const SigningKey& key);

// Whose signatures an envelope has.
struct EnvelopeCheck {
  std::vector<StoredKey> signers;     // whose signatures are right, each key once
  std::vector<std::string> problems;  // one sentence for each signature that is not, in their order

  [[nodiscard]] bool signed_by(const PublicKey& key) const;
};

// Holds each signature against the keys. What a signature says of its key is where the search begins, and no more than
// that: any of the keys may have made it.
EnvelopeCheck check_envelope(const DsseEnvelope& envelope, const std::vector<StoredKey>& keys);

}  // namespace trainyard
