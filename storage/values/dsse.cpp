// SPDX-License-Identifier: Apache-2.0
#include "storage/values/dsse.hpp"

#include "storage/values/base64.hpp"

namespace trainyard {

namespace {

Result<DsseSignature> signature_from(const Json& json) {
  Fields fields(json, "a signature of the envelope", UnknownKeys::ignore);
  DsseSignature signature;
  if (fields.has("keyid")) signature.keyid = fields.optional_text("keyid").value_or("");
  auto sig = fields.parsed("sig", from_base64);
  TRY(fields.finish());
  signature.sig = std::move(*sig);
  return signature;
}

}  // namespace

std::string dsse_pae(std::string_view payload_type, std::string_view payload) {
  std::string bytes = "DSSEv1 " + std::to_string(payload_type.size()) + " ";
  bytes.append(payload_type);
  bytes += " " + std::to_string(payload.size()) + " ";
  bytes.append(payload);
  return bytes;
}

std::string dsse_pae(const DsseEnvelope& envelope) { return dsse_pae(envelope.payload_type, envelope.payload); }

Json to_json(const DsseEnvelope& envelope) {
  Json signatures = Json::array();
  for (const DsseSignature& signature : envelope.signatures)
    signatures.push_back({{"keyid", signature.keyid}, {"sig", base64(signature.sig)}});
  return {{"payload", base64(envelope.payload)},
          {"payloadType", envelope.payload_type},
          {"signatures", std::move(signatures)}};
}

Result<DsseEnvelope> dsse_envelope_from(const Json& json) {
  Fields fields(json, "the envelope", UnknownKeys::ignore);
  auto payload = fields.parsed("payload", from_base64);
  DsseEnvelope envelope;
  envelope.payload_type = fields.text("payloadType");
  const Json& signatures = fields.array("signatures");
  TRY(fields.finish());
  envelope.payload = std::move(*payload);
  if (signatures.empty()) return fail(Errc::invalid, "the envelope has no signature");
  for (const Json& signature : signatures) envelope.signatures.push_back(TRY(signature_from(signature)));
  return envelope;
}

std::string dsse_lines(const std::vector<DsseEnvelope>& envelopes) {
  std::string lines;
  for (const DsseEnvelope& envelope : envelopes) lines += canonical(to_json(envelope)) + "\n";
  return lines;
}

Result<std::vector<DsseEnvelope>> dsse_envelopes_from_lines(std::string_view text) {
  std::vector<DsseEnvelope> envelopes;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string line = "line " + std::to_string(number);
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return fail(Errc::invalid, line + " has no end, so something is missing");
    const auto json = parse_json(text.substr(0, end), line);
    if (!json.ok()) return json.error();
    auto envelope = dsse_envelope_from(*json);
    if (!envelope.ok()) return within(line, envelope.error());
    envelopes.push_back(std::move(*envelope));
    text.remove_prefix(end + 1);
  }
  return envelopes;
}

}  // namespace trainyard
