// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/chunker.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::chunker_test {

namespace {

constexpr Chunker::Sizes kSmall = {256, 1024, 4096};
constexpr Chunker::Sizes kCoarse = {std::size_t{64} << 10U, std::size_t{256} << 10U, std::size_t{1} << 20U};

std::vector<std::size_t> lengths(const Chunker& chunker, std::string_view bytes) {
  std::vector<std::size_t> all;
  while (!bytes.empty()) {
    all.push_back(chunker.cut(bytes));
    bytes.remove_prefix(all.back());
  }
  return all;
}

std::multiset<std::string> chunks(const Chunker& chunker, std::string_view bytes) {
  std::multiset<std::string> all;
  for (const std::size_t length : lengths(chunker, bytes)) {
    all.insert(sha256(bytes.substr(0, length)).hex());
    bytes.remove_prefix(length);
  }
  return all;
}

}  // namespace

// The gear table is part of the format of stores: these numbers never change.
TEST_CASE("the same bytes are cut in the same places for ever", "[chunker]") {
  const std::string bytes = random_bytes(42, 20'000);
  CHECK(lengths(Chunker(kSmall), bytes) == std::vector<std::size_t>{457, 1595, 1174, 513, 1531, 1295, 1127, 1217, 2143,
                                                                    2025, 2232, 1157, 1099, 1055, 727, 653});
  CHECK(lengths(Chunker(kCoarse), random_bytes(43, 2'000'000)) ==
        std::vector<std::size_t>{276231, 262237, 367062, 207985, 289560, 297465, 299460});
  CHECK(lengths(Chunker(kSmall), text_bytes(44, 10'000)) ==
        std::vector<std::size_t>{1958, 933, 1235, 398, 1285, 1030, 1451, 1177, 533});
}

TEST_CASE("chunks are within their bounds, and near the average", "[chunker]") {
  const Chunker chunker(kSmall);
  const std::string bytes = random_bytes(1, 1'000'000);
  const std::vector<std::size_t> all = lengths(chunker, bytes);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (all[i] < kSmall.least || all[i] > kSmall.most) FAIL("chunk " << i << " has " << all[i] << " bytes");
  }
  const std::size_t average = bytes.size() / all.size();
  CHECK(average > kSmall.average * 3 / 4);
  CHECK(average < kSmall.average * 3 / 2);
  // Normalised chunking: most are near the average.
  const auto near =
      std::count_if(all.begin(), all.end(), [](std::size_t length) { return length > 600 && length < 2000; });
  CHECK(static_cast<std::size_t>(near) > all.size() * 6 / 10);
}

TEST_CASE("an insertion changes only the chunks around it", "[chunker]") {
  const Chunker chunker(kSmall);
  const std::string before = random_bytes(2, 300'000);
  for (const std::size_t at : {std::size_t{0}, std::size_t{150'000}, std::size_t{299'999}}) {
    std::string after = before;
    after.insert(at, "a hundred bytes, more or less, that were not there before");
    const auto old_chunks = chunks(chunker, before);
    const auto new_chunks = chunks(chunker, after);
    std::vector<std::string> fresh;
    std::set_difference(new_chunks.begin(), new_chunks.end(), old_chunks.begin(), old_chunks.end(),
                        std::back_inserter(fresh));
    INFO("inserted at " << at);
    CHECK(fresh.size() >= 1);
    CHECK(fresh.size() <= 5);
  }
}

TEST_CASE("a removal changes only the chunks around it", "[chunker]") {
  const Chunker chunker(kSmall);
  const std::string before = text_bytes(3, 300'000);
  std::string after = before;
  after.erase(100'000, 7777);
  const auto old_chunks = chunks(chunker, before);
  const auto new_chunks = chunks(chunker, after);
  std::vector<std::string> fresh;
  std::set_difference(new_chunks.begin(), new_chunks.end(), old_chunks.begin(), old_chunks.end(),
                      std::back_inserter(fresh));
  CHECK(fresh.size() <= 6);
}

TEST_CASE("bytes that repeat are cut into equal chunks", "[chunker]") {
  for (const char byte : {'\0', 'x'}) {
    // All alike, whichever size the byte leads to, so that they are stored once; but for what is left at the end.
    const std::vector<std::size_t> all = lengths(Chunker(kSmall), std::string(10 * kSmall.most + 1, byte));
    CHECK(all.size() <= 10 * kSmall.most / kSmall.least + 1);
    CHECK(std::set<std::size_t>(all.begin(), all.end() - 1).size() == 1);
  }
}

TEST_CASE("what is no larger than the least is one chunk", "[chunker]") {
  const Chunker chunker(kSmall);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{255}, std::size_t{256}})
    CHECK(chunker.cut(random_bytes(4, size)) == size);
  CHECK(chunker.cut(random_bytes(4, 257)) <= 257);
}

TEST_CASE("a cut does not depend on what follows it", "[chunker]") {
  const Chunker chunker(kSmall);
  const std::string bytes = random_bytes(5, 100'000);
  const std::size_t first = chunker.cut(bytes);
  REQUIRE(first < kSmall.most);
  for (const std::size_t more : {std::size_t{0}, std::size_t{1}, std::size_t{100}, kSmall.most})
    CHECK(chunker.cut(std::string_view(bytes).substr(0, first + more)) == first);
}

}  // namespace trainyard::chunker_test
