// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace trainyard;

TEST_CASE("sizes and durations read as people say them", "[terminal]") {
  CHECK(size_text(0) == "0 B");
  CHECK(size_text(1023) == "1023 B");
  CHECK(size_text(1536) == "1.5 KiB");
  CHECK(size_text(std::uint64_t{3} << 40U) == "3.0 TiB");
  CHECK(size_text(std::uint64_t{5000} << 40U) == "5000.0 TiB");
  CHECK(duration_text(0.417) == "0.42 s");
  CHECK(duration_text(185) == "3 min 5 s");
  CHECK(duration_text(7805) == "2 h 10 min");
  CHECK(number_text(0.3519297404408079) == "0.35193");
  CHECK(number_text(std::nan("")) == "nan");
  CHECK(plural(1, "file") == "1 file");
  CHECK(plural(0, "file") == "0 files");
}

TEST_CASE("a bar has one width, whatever fraction a package reports", "[terminal]") {
  for (const double fraction : {-1.0, 0.0, 0.4, 1.0, 7.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    CAPTURE(fraction);
    CHECK(bar(fraction).size() == bar(0).size());
  }
  CHECK(bar(0.5) == "[############            ]  50%");
}

TEST_CASE("columns are as wide as their widest cell, in characters", "[terminal]") {
  CHECK(table({{"NAME", "N"}, {"\xC3\xA9t\xC3\xA9", "10"}, {"longer", "2"}}) ==
        "NAME    N\n\xC3\xA9t\xC3\xA9     10\nlonger  2\n");
  CHECK(table({}).empty());
}
