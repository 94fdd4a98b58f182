// SPDX-License-Identifier: Apache-2.0
#include "storage/values/in_toto.hpp"

#include <set>

#include "storage/values/rfc8785.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kType = "https://in-toto.io/Statement/v1";

Result<InTotoSubject> subject_from(const Json& json) {
  Fields fields(json, "a subject of the statement", UnknownKeys::ignore);
  std::string name;
  if (fields.has("name")) name = fields.text("name");
  const Json& digests = fields.object("digest");
  TRY(fields.finish());
  Fields digest(digests, "the digest of the subject '" + name + "'", UnknownKeys::ignore);
  const auto sha256 = digest.parsed("sha256", Digest::parse);
  TRY(digest.finish());
  return InTotoSubject{std::move(name), *sha256};
}

}  // namespace

Json to_json(const InTotoStatement& statement) {
  Json subjects = Json::array();
  for (const InTotoSubject& subject : statement.subjects)
    subjects.push_back({{"name", subject.name}, {"digest", {{"sha256", subject.digest.hex()}}}});
  return {{"_type", kType},
          {"subject", std::move(subjects)},
          {"predicateType", statement.predicate_type},
          {"predicate", statement.predicate}};
}

Result<std::string> payload_of(const InTotoStatement& statement) { return canonical_json(to_json(statement)); }

Result<InTotoStatement> in_toto_statement_from(const Json& json) {
  Fields fields(json, "the statement", UnknownKeys::ignore);
  const std::string type = fields.text("_type");
  const Json& subjects = fields.array("subject");
  InTotoStatement statement;
  statement.predicate_type = fields.text("predicateType");
  if (fields.has("predicate")) statement.predicate = fields.object("predicate");
  if (fields.good() && type != kType) {
    return fail(Errc::incompatible,
                "the statement is of the type '" + type + "' but this Trainyard reads '" + std::string(kType) + "'");
  }
  TRY(fields.finish());
  if (subjects.empty()) return fail(Errc::invalid, "the statement is about nothing: it has no subject");
  std::set<std::string> names;
  for (const Json& subject : subjects) {
    statement.subjects.push_back(TRY(subject_from(subject)));
    const std::string& name = statement.subjects.back().name;
    if (!name.empty() && !names.insert(name).second)
      return fail(Errc::invalid, "the statement has the subject '" + name + "' twice");
  }
  return statement;
}

Result<InTotoStatement> in_toto_statement_from_payload(std::string_view payload) {
  return in_toto_statement_from(TRY(parse_json(payload, "the statement")));
}

}  // namespace trainyard
