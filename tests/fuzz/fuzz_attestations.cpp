// SPDX-License-Identifier: Apache-2.0
#include "storage/values/dsse.hpp"
#include "storage/values/in_toto.hpp"
#include "storage/values/model_signing.hpp"
#include "storage/values/rfc8785.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

namespace {

// A statement that is read has canonical bytes, unless it holds a number that has none, and they are read as it was.
void require_statement(const Json& json) {
  const auto statement = in_toto_statement_from(json);
  if (!statement.ok()) return fuzz::require_sentence(statement.error());
  const auto payload = payload_of(*statement);
  if (!payload.ok()) return fuzz::require_sentence(payload.error());
  const auto again = in_toto_statement_from_payload(*payload);
  fuzz::require(again.ok() && payload_of(*again).value() == *payload, "a statement is read as it was written");
  const auto model = signed_model_from(*statement);
  if (!model.ok()) return fuzz::require_sentence(model.error());
  const auto read = signed_model_from(model_statement(*model));
  fuzz::require(read.ok() && read->files == model->files, "a signed model is read as it was written");
}

}  // namespace

// What is attested of a version, and the documents that it is made of.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const auto envelopes = dsse_envelopes_from_lines(text);
  if (!envelopes.ok()) {
    fuzz::require_sentence(envelopes.error());
  } else {
    fuzz::require(dsse_envelopes_from_lines(dsse_lines(*envelopes)).value() == *envelopes, "lines are read as written");
    for (const DsseEnvelope& envelope : *envelopes) {
      if (const auto json = parse_json(envelope.payload, "the payload"); json.ok()) require_statement(*json);
    }
  }
  const auto json = parse_json(text, "the document");
  if (!json.ok()) return 0;
  fuzz::require_rewrite(*json, dsse_envelope_from);
  fuzz::require_rewrite(*json, sigstore_bundle_from);
  require_statement(*json);
  if (const auto bytes = canonical_json(*json); bytes.ok()) {
    const auto parsed = parse_json(*bytes, "the canonical bytes");
    fuzz::require(parsed.ok() && canonical_json(*parsed).value() == *bytes, "canonical bytes are canonical");
  }
  return 0;
}
