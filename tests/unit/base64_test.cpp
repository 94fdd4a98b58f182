// SPDX-License-Identifier: Apache-2.0
#include "storage/values/base64.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

namespace trainyard::base64_test {

TEST_CASE("base64 gives the texts of RFC 4648 and reads them back, padded or not", "[base64]") {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"},
                                                                    {"\xFB\xEF\xFF", "++//"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64(bytes) == text);
    CHECK(from_base64(text).value() == bytes);
    CHECK(from_base64(text.substr(0, text.find('='))).value() == bytes);
  }
  CHECK(from_base64("--__").value() == "\xFB\xEF\xFF");
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
    CHECK(from_base64(base64(all)).value() == all);
  }
}

TEST_CASE("base64 that nobody writes is refused", "[base64]") {
  for (const char* const text : {"Z", "Zm9vY", "Zg=", "Zg===", "Z===", "=", "==", "Zm8=Zm8=", "Zm 8", "Zm8\n", "Zm9v\n",
                                 "+-==", "+_8", "Zh==", "Zm9=", "Zm9vYh", "Zm\xC3\xA9v", "Zm8*"}) {
    INFO(text);
    const auto bytes = from_base64(text);
    REQUIRE_FALSE(bytes.ok());
    CHECK(bytes.error().code == Errc::invalid);
  }
}

}  // namespace trainyard::base64_test
