// SPDX-License-Identifier: Apache-2.0
#include "runner/core/secrets.hpp"

#include <catch2/catch.hpp>

namespace trainyard::secrets_test {
namespace {

const Secrets kSecrets = {{"TOKEN", "hünt/er 2\"+?"}, {"PIN", "123456"}, {"LONG_PIN", "1234567890"}};

}  // namespace

TEST_CASE("a secret is found however it is written", "[secrets]") {
  const SecretForms forms(kSecrets);
  // Made with Python's base64, urllib.parse, json and bytes.hex.
  const std::pair<const char*, const char*> rows[] = {
      {"as it is", "hünt/er 2\"+?"},
      {"Base64 of it alone", "aMO8bnQvZXIgMiIrPw=="},
      {"Base64 after one byte", "eGjDvG50L2VyIDIiKz8="},
      {"Base64 after two bytes", "eHhow7xudC9lciAyIis/"},
      {"Base64 in the middle", "dXNlcjpow7xudC9lciAyIis/OnRhaWw="},
      {"Base64 for URLs", "eHhow7xudC9lciAyIis_"},
      {"percent", "h%C3%BCnt%2Fer%202%22%2B%3F"},
      {"percent in small letters", "h%c3%bcnt%2fer%202%22%2b%3f"},
      {"percent with its slash", "h%C3%BCnt/er%202%22%2B%3F"},
      {"a form", "h%C3%BCnt%2Fer+2%22%2B%3F"},
      {"hex", "68c3bc6e742f65722032222b3f"},
      {"HEX", "68C3BC6E742F65722032222B3F"},
      {"JSON", "h\xc3\xbcnt/er 2\\\"+?"},
      {"JSON in ASCII", "h\\u00fcnt/er 2\\\"+?"},
  };
  for (const auto& [what, text] : rows) {
    INFO(what << ": " << text);
    const std::string written = text;
    const auto found = forms.find("before " + written + " after");
    REQUIRE(found);
    CHECK(found->name == "TOKEN");
    CHECK(forms.redacted("before " + written + "\nafter").find("[secret TOKEN]") != std::string::npos);
  }
  for (const char* const harmless : {"", "hünt/er 2", "12345", "hunt", "aMO8bnQ", "[secret TOKEN]"}) {
    INFO(harmless);
    CHECK_FALSE(forms.find(harmless));
  }
  CHECK(forms.redacted("a 123456 b 1234567890 c") == "a [secret PIN] b [secret LONG_PIN] c");
  CHECK(SecretForms({}).empty());
  CHECK(SecretForms({}).redacted("123456") == "123456");
}

TEST_CASE("what was cut within a secret does not show its beginning", "[secrets]") {
  const SecretForms forms(Secrets{{"KEY", "abcdefghijkl"}});
  CHECK(forms.redacted("it is abcdefghij") == "it is [secret]");
  CHECK(forms.redacted("it is abc") == "it is abc");
}

TEST_CASE("a stream hides secrets wherever it is cut in pieces", "[secrets]") {
  const SecretForms forms(kSecrets);
  const std::string text = "x 123456 y 123456789 z 1234567890, hünt/er 2\"+? hünt/er 2 end 12345";
  const std::string hidden = "x [secret PIN] y [secret PIN]789 z [secret LONG_PIN], [secret TOKEN] hünt/er 2 end 12345";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      SecretRedactor redactor(forms);
      std::string shown = redactor.pass(text.substr(0, first));
      shown += redactor.pass(text.substr(first, second - first));
      shown += redactor.pass(text.substr(second));
      shown += redactor.rest();
      if (shown != hidden) CHECK(shown == hidden);
    }
  }
  SecretRedactor redactor(forms);
  CHECK(redactor.pass("a line\n") == "a line\n");
  CHECK(redactor.pass("12345") == "");
  CHECK(redactor.pass("\n") == "12345\n");
}

TEST_CASE("a file is searched wherever it is cut in pieces", "[secrets]") {
  const SecretForms forms(kSecrets);
  const std::string text = "before hünt/er 2\"+? after";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SecretSearch search(forms);
    auto found = search.feed(text.substr(0, cut));
    if (!found) found = search.feed(text.substr(cut));
    CAPTURE(cut);
    CHECK(found == "TOKEN");
  }
  SecretSearch search(forms);
  CHECK_FALSE(search.feed("12345"));
  CHECK_FALSE(search.feed("x123"));
  CHECK(search.feed("456") == "PIN");
}

TEST_CASE("a secret must be one that can be hidden and passed", "[secrets]") {
  CHECK(check_secret("T", "123456").ok());
  CHECK(check_secret("T", std::string(kLongestSecret, 'x')).ok());
  for (const std::string& wrong : {std::string("12345"), std::string(kLongestSecret + 1, 'x'),
                                   std::string("1234\0005678", 9), std::string("\xff\xfe\xfd\xfc\xfb\xfa")}) {
    const auto refused = check_secret("T", wrong);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.starts_with("the secret T "));
    CHECK(refused.error().message.find(wrong) == std::string::npos);
  }
  CHECK(secrets_from_json(secrets_json(kSecrets)).value() == kSecrets);
  CHECK_FALSE(secrets_from_json("[]").ok());
  CHECK_FALSE(secrets_from_json(R"({"A":1})").ok());
}

}  // namespace trainyard::secrets_test
