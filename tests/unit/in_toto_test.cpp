// SPDX-License-Identifier: Apache-2.0
#include "storage/values/in_toto.hpp"

#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"

namespace trainyard::in_toto_test {
namespace {

const std::string kHex = sha256("zip").hex();

std::string statement_text(const std::string& subjects) {
  return R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"x:y","predicate":{},"subject":)" + subjects +
         "}";
}

}  // namespace

TEST_CASE("a statement is written canonically and read back", "[in_toto]") {
  const InTotoStatement statement{
      {{"digits-1.1.zip", sha256("zip")}, {"digits@1.1", sha256("tree")}}, "https://example.org/p", {{"score", 1.0}}};
  const std::string payload = payload_of(statement).value();
  CHECK(payload == R"({"_type":"https://in-toto.io/Statement/v1","predicate":{"score":1},)"
                   R"("predicateType":"https://example.org/p","subject":[{"digest":{"sha256":")" +
                       kHex + R"("},"name":"digits-1.1.zip"},{"digest":{"sha256":")" + sha256("tree").hex() +
                       R"("},"name":"digits@1.1"}]})");
  CHECK(in_toto_statement_from_payload(payload).value() == statement);
}

TEST_CASE("a statement of somebody else may say more", "[in_toto]") {
  const auto statement = in_toto_statement_from_payload(
      R"({"_type":"https://in-toto.io/Statement/v1","predicateType":"x:y","extra":[],"subject":[{"uri":"file:///a",)"
      R"("digest":{"sha512":"00","sha256":")" +
      kHex + "\"}}]}");
  REQUIRE(statement.ok());
  CHECK(*statement == InTotoStatement{{{"", sha256("zip")}}, "x:y", Json::object()});
}

TEST_CASE("what is no statement is refused by name", "[in_toto]") {
  const auto refusal = [](const std::string& text) { return in_toto_statement_from_payload(text).error(); };
  CHECK(refusal("nonsense").message == "the statement is not valid JSON near line 1");
  CHECK(refusal(statement_text("[]")).message == "the statement is about nothing: it has no subject");
  CHECK(refusal(statement_text(R"([{"name":"a"}])")).message == "a subject of the statement has no key 'digest'");
  CHECK(refusal(statement_text(R"([{"name":"a","digest":{"sha512":"00"}}])")).message ==
        "the digest of the subject 'a' has no key 'sha256'");
  const std::string one = R"({"name":"a","digest":{"sha256":")" + kHex + "\"}}";
  CHECK(refusal(statement_text("[" + one + "," + one + "]")).message == "the statement has the subject 'a' twice");
  std::string other = statement_text("[" + one + "]");
  other.replace(other.find("/v1"), 3, "/v9");
  CHECK(refusal(other).code == Errc::incompatible);
}

}  // namespace trainyard::in_toto_test
