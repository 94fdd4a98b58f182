// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/values/json.hpp"
#include "storage/values/result.hpp"

// Signed documents: DSSE v1.0.2, the Dead Simple Signing Envelope (github.com/secure-systems-lab/dsse).
namespace trainyard {

struct DsseSignature {
  std::string keyid;  // a hint for finding the key, and never a reason to trust; may be empty
  std::string sig;    // the bytes themselves

  friend bool operator==(const DsseSignature&, const DsseSignature&) = default;
};

// A payload and who signed it. The payload is kept as the very bytes that were signed, since no other writing of the same
// document has the signature.
//
//   {"payload":base64,"payloadType":text,"signatures":[{"keyid":text,"sig":base64},…]}
struct DsseEnvelope {
  std::string payload_type;
  std::string payload;
  std::vector<DsseSignature> signatures;  // at least one

  friend bool operator==(const DsseEnvelope&, const DsseEnvelope&) = default;
};

// What a signature is over, the pre-authentication encoding: "DSSEv1 SP LEN SP type SP LEN SP body"; lengths are decimal
// numbers of bytes.
std::string dsse_pae(std::string_view payload_type, std::string_view payload);
std::string dsse_pae(const DsseEnvelope& envelope);

Json to_json(const DsseEnvelope& envelope);
// A key that it does not know is ignored, as the specification asks. `invalid` names what is wrong.
Result<DsseEnvelope> dsse_envelope_from(const Json& json);

// Several of them, as a bundle of in-toto attestations has them (JSON Lines): one envelope a line.
std::string dsse_lines(const std::vector<DsseEnvelope>& envelopes);
// `invalid` names the line. A last line without its end is refused: nobody writes one.
Result<std::vector<DsseEnvelope>> dsse_envelopes_from_lines(std::string_view text);

}  // namespace trainyard
