// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "tests/soak/soak.hpp"

namespace trainyard::soak_test {

namespace {

std::chrono::seconds time_given() {
  const char* const text = std::getenv("TRAINYARD_SOAK_SECONDS");
  return std::chrono::seconds(text == nullptr ? 25 : std::atoi(text));
}

}  // namespace

TEST_CASE("Sixty-four runs at once lose nothing while others stop, kill, delete and collect") {
  Soak soak;
  soak.go(time_given());
  std::cout << time_given().count() << " s: " << soak.tally() << ", versions told: " << soak.told().size() << std::endl;
  CHECK(soak.wrong() == std::vector<std::string>());
  CHECK(broken_after(soak) == std::vector<std::string>());
}

}  // namespace trainyard::soak_test
