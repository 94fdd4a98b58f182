// SPDX-License-Identifier: Apache-2.0
#include "storage/values/dsse.hpp"

#include <catch2/catch.hpp>

namespace trainyard::dsse_test {
namespace {

Result<DsseEnvelope> read(const std::string& text) { return dsse_envelope_from(TRY(parse_json(text, "it"))); }

}  // namespace

TEST_CASE("what is signed counts bytes", "[dsse]") {
  // The vector of the specification.
  CHECK(dsse_pae("http://example.com/HelloWorld", "hello world") ==
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  CHECK(dsse_pae("", "") == "DSSEv1 0  0 ");
  CHECK(dsse_pae("t", "\xE2\x82\xAC") == "DSSEv1 1 t 3 \xE2\x82\xAC");
  CHECK(dsse_pae("t", std::string("a\0b", 3)) == std::string("DSSEv1 1 t 3 a\0b", 16));
}

TEST_CASE("an envelope keeps the bytes of its payload and all signatures", "[dsse]") {
  // Not the form in which anybody here would write it.
  const DsseEnvelope envelope{"application/vnd.in-toto+json", "{ \"a\" : 1.0 }\n", {{"k", "\x01\xFF"}, {"", "s"}}};
  CHECK(dsse_envelope_from(to_json(envelope)).value() == envelope);
  CHECK(canonical(to_json(envelope)) ==
        R"({"payload":"eyAiYSIgOiAxLjAgfQo=","payloadType":"application/vnd.in-toto+json",)"
        R"("signatures":[{"keyid":"k","sig":"Af8="},{"keyid":"","sig":"cw=="}]})");
}

TEST_CASE("an envelope of somebody else may be URL-safe, without key ids and with more keys", "[dsse]") {
  const auto envelope = read(R"({"payload":"--__","payloadType":"x","more":1,"signatures":[{"sig":"_w"}]})");
  REQUIRE(envelope.ok());
  CHECK(*envelope == DsseEnvelope{"x", "\xFB\xEF\xFF", {{"", "\xFF"}}});
  CHECK(read(R"({"payload":"","payloadType":"x","signatures":[{"sig":"","keyid":null}]})").ok());
}

TEST_CASE("an envelope without one of its parts is refused by name", "[dsse]") {
  const auto refusal = [](const std::string& text) { return read(text).error().message; };
  CHECK(refusal("[]") == "the envelope is not a JSON object");
  CHECK(refusal(R"({"payloadType":"x","signatures":[]})") == "the envelope has no key 'payload'");
  CHECK(refusal(R"({"payload":"","signatures":[]})") == "the envelope has no key 'payloadType'");
  CHECK(refusal(R"({"payload":"","payloadType":"x"})") == "the envelope has no key 'signatures'");
  CHECK(refusal(R"({"payload":"","payloadType":"x","signatures":[]})") == "the envelope has no signature");
  CHECK(refusal(R"({"payload":"","payloadType":"x","signatures":[{}]})") ==
        "a signature of the envelope has no key 'sig'");
  CHECK(refusal(R"({"payload":"**","payloadType":"x","signatures":[{"sig":""}]})") ==
        "the envelope, key 'payload': the base64 text has a character that is not of its alphabet");
}

TEST_CASE("envelopes stand one a line", "[dsse]") {
  const std::vector<DsseEnvelope> envelopes = {{"a", "1\n2", {{"", "s"}}}, {"b", "", {{"k", "t"}}}};
  const std::string lines = dsse_lines(envelopes);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  CHECK(dsse_envelopes_from_lines(lines).value() == envelopes);
  CHECK(dsse_envelopes_from_lines("").value().empty());
  CHECK(dsse_envelopes_from_lines(lines.substr(0, lines.size() - 1)).error().message ==
        "line 2 has no end, so something is missing");
  CHECK(dsse_envelopes_from_lines(lines + "{}\n").error().message == "line 3: the envelope has no key 'payload'");
  CHECK_FALSE(dsse_envelopes_from_lines("\n" + lines).ok());
}

}  // namespace trainyard::dsse_test
