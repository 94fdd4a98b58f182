// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// What an attestation is about.
struct InTotoSubject {
  std::string name;
  Digest digest;

  friend bool operator==(const InTotoSubject&, const InTotoSubject&) = default;
};

// An in-toto Statement v1 (github.com/in-toto/attestation, spec/v1): something is said about its subjects. What is said, the
// predicate, has a form of its own, which its type names.
//
//   {"_type":"https://in-toto.io/Statement/v1","predicate":object,"predicateType":URI,
//    "subject":[{"digest":{"sha256":hex},"name":text},…]}
struct InTotoStatement {
  std::vector<InTotoSubject> subjects;  // at least one; their names differ
  std::string predicate_type;
  Json predicate = Json::object();

  friend bool operator==(const InTotoStatement&, const InTotoStatement&) = default;
};

// The payload type of an envelope around a statement.
inline constexpr std::string_view kInTotoPayload = "application/vnd.in-toto+json";

Json to_json(const InTotoStatement& statement);
// The bytes to be signed: canonical JSON (RFC 8785). `invalid` for what has none.
Result<std::string> payload_of(const InTotoStatement& statement);
// Keys that it does not know, and digests of other algorithms than SHA-256, are ignored, as the specification asks.
// `invalid` where a subject has no SHA-256, `incompatible` for a statement of another version.
Result<InTotoStatement> in_toto_statement_from(const Json& json);
Result<InTotoStatement> in_toto_statement_from_payload(std::string_view payload);

}  // namespace trainyard
