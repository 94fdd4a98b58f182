// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/use_count.hpp"

#include <catch2/catch.hpp>
#include <utility>

namespace trainyard::use_count_test {
namespace {

// What each owner reaches, in this order, and what comes of it. Object n has 10 to the power of n bytes, so that each
// digit of a sum tells how often an object is in it.
struct Row {
  const char* what;
  std::vector<std::vector<std::size_t>> reached;
  std::vector<UseOfOwner> owners;
  std::uint64_t live_bytes;
  std::uint64_t live_objects;
  std::uint64_t shared_bytes;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"nobody", {}, {}, 0, 0, 0},
      {"one owner that reaches nothing", {{}}, {{0, 0, 0}}, 0, 0, 0},
      {"one owner", {{0, 2}}, {{101, 0, 2}}, 101, 2, 0},
      {"one owner that reaches the same again and again", {{1, 1, 0, 1}}, {{11, 0, 2}}, 11, 2, 0},
      {"two that share nothing", {{0}, {1}}, {{1, 0, 1}, {10, 0, 1}}, 11, 2, 0},
      {"two that share one object", {{0, 1}, {1, 2}}, {{1, 10, 2}, {100, 10, 2}}, 111, 3, 10},
      {"two that share it all", {{0, 1}, {1, 0}}, {{0, 11, 2}, {0, 11, 2}}, 11, 2, 11},
      {"three that share one object, each twice",
       {{0, 0}, {0, 0}, {0, 0, 1}},
       {{0, 1, 1}, {0, 1, 1}, {10, 1, 2}},
       11,
       2,
       1},
      {"the first and the last", {{0, 1}, {2}, {1}}, {{1, 10, 2}, {100, 0, 1}, {0, 10, 1}}, 111, 3, 10},
      {"a chain",
       {{0, 1}, {1, 2}, {2, 3}, {3, 0}},
       {{0, 11, 2}, {0, 110, 2}, {0, 1100, 2}, {0, 1001, 2}},
       1111,
       4,
       1111},
  };
  return all;
}

constexpr std::uint64_t kBytes[] = {1, 10, 100, 1000};

UseCount count_of(const Row& row) {
  UseCount count(std::size(kBytes));
  for (const auto& owner : row.reached) {
    count.next_owner();
    for (const std::size_t object : owner) count.reach(object, kBytes[object]);
  }
  return count;
}

}  // namespace

TEST_CASE("bytes are unique to one owner or shared by several", "[use_count]") {
  for (const Row& row : rows()) {
    INFO(row.what);
    const UseCount count = count_of(row);
    CHECK(count.owners() == row.owners);
    CHECK(count.live_bytes() == row.live_bytes);
    CHECK(count.live_objects() == row.live_objects);
    CHECK(count.shared_bytes() == row.shared_bytes);
  }
}

TEST_CASE("unique bytes of all owners and what is shared are all that is live", "[use_count]") {
  for (const Row& row : rows()) {
    INFO(row.what);
    const UseCount count = count_of(row);
    std::uint64_t unique = 0;
    for (const UseOfOwner& owner : count.owners()) unique += owner.unique_bytes;
    CHECK(unique + count.shared_bytes() == count.live_bytes());
  }
}

TEST_CASE("an object is live when any owner reaches it", "[use_count]") {
  const UseCount count = count_of(rows()[5]);
  CHECK(count.is_live(0));
  CHECK(count.is_live(1));
  CHECK(count.is_live(2));
  CHECK_FALSE(count.is_live(3));
}

}  // namespace trainyard::use_count_test
