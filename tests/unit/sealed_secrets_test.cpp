// SPDX-License-Identifier: Apache-2.0
#include "runner/jobs/sealed_secrets.hpp"

#include <catch2/catch.hpp>

namespace trainyard::sealed_secrets_test {

TEST_CASE("what was sealed is opened by its key alone", "[unit]") {
  const Secrets secrets = {{"TOKEN", "hunter2-is-no-secret"}, {"OTHER", std::string(60'000, 'x')}};
  const auto sealed = seal(secrets);
  REQUIRE(sealed.ok());
  CHECK(sealed->text.find("hunter2") == std::string::npos);
  CHECK(unseal(sealed->text, sealed->key).value() == secrets);
  const auto again = seal(secrets);
  CHECK(again->text != sealed->text);
  CHECK(unseal(sealed->text, again->key).error().code == Errc::corrupt);
  CHECK(unseal(sealed->text, "").error().code == Errc::corrupt);
}

TEST_CASE("a sealed text with one bit changed, or cut, opens to nothing", "[unit]") {
  const auto sealed = seal({{"TOKEN", "hunter2-is-no-secret"}});
  REQUIRE(sealed.ok());
  for (std::size_t i = 0; i < sealed->text.size(); ++i) {
    std::string changed = sealed->text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK(unseal(changed, sealed->key).error().code == Errc::corrupt);
    CHECK_FALSE(unseal(sealed->text.substr(0, i), sealed->key).ok());
  }
}

}  // namespace trainyard::sealed_secrets_test
