// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/object_census.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "storage/objects/pack_scan.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::object_census_test {

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

// How many bytes of records there are, and how many objects in them, by what the packs say.
std::pair<std::uint64_t, std::size_t> in_packs(const PackStore& store) {
  std::uint64_t bytes = 0;
  std::size_t objects = 0;
  for (const Path& path : store.packs()) {
    PackScan scan = must(PackScan::open(path));
    while (const auto record = must(scan.next())) {
      bytes += record->header.record_bytes();
      objects += record->objects.size();
    }
    REQUIRE(scan.gaps().empty());
  }
  return {bytes, objects};
}

}  // namespace

TEST_CASE("a census numbers every object by its digest", "[census]") {
  const PackStore store;
  std::set<Digest> put;
  CHECK(must(ObjectCensus::take(*store.objects)).size() == 0);
  CHECK_FALSE(must(ObjectCensus::take(*store.objects)).find(sha256("")));
  for (std::uint64_t pack = 0; pack < 5; ++pack) {
    std::vector<std::string> all = {"", "in every pack"};
    for (std::uint64_t i = 0; i < 300; ++i) all.push_back(text_bytes(pack * 1000 + i, 10 + 17 * i));
    all.push_back(random_bytes(pack, 300'000));
    for (const Digest& digest : store.put_pack(all)) put.insert(digest);
  }
  const ObjectCensus census = must(ObjectCensus::take(*store.objects));
  REQUIRE(census.size() == put.size());
  CHECK(census.packs().size() == 5);
  std::size_t number = 0;
  for (const Digest& digest : put) {
    if (census.digest(number) != digest || census.find(digest) != number) FAIL("object " << number);
    if (census.at(number).pack != census.packs()[census.pack_of(number)]) FAIL("the pack of object " << number);
    ++number;
  }
  CHECK_FALSE(census.find(sha256("another")));
}

TEST_CASE("what objects take on disk adds up to their records", "[census]") {
  const PackStore store;
  for (std::uint64_t pack = 0; pack < 3; ++pack) {
    std::vector<std::string> all = {""};
    for (std::uint64_t i = 0; i < 200; ++i) all.push_back(text_bytes(pack * 1000 + i, 1 + 31 * i));
    all.push_back(random_bytes(pack, 300'000));
    all.push_back(text_bytes(pack, 5 * kMegabyte));
    store.put_pack(all);
  }
  const auto [bytes, objects] = in_packs(store);
  const ObjectCensus census = must(ObjectCensus::take(*store.objects));
  CHECK(census.size() == objects);
  std::uint64_t sum = 0;
  for (std::size_t number = 0; number < census.size(); ++number) sum += census.stored_bytes(number);
  CHECK(sum == bytes);
}

TEST_CASE("a census counts an object that lies in two packs once", "[census]") {
  const PackStore store;
  const auto other = store.another();
  const std::string shared = text_bytes(1, 5000);
  REQUIRE(other->put(shared).ok());
  REQUIRE(store.objects->put(shared).ok());
  REQUIRE(store.objects->put("its own").ok());
  must(other->sync());
  store.sync();
  REQUIRE(store.packs().size() == 2);
  const ObjectCensus census = must(ObjectCensus::take(*store.objects));
  CHECK(census.size() == 2);
  const auto number = census.find(sha256(shared));
  REQUIRE(number);
  CHECK(census.at(*number).pack == store.objects->index().find(sha256(shared))->pack);
}

TEST_CASE("a census knows the parts of a list, and which are missing", "[census]") {
  const PackStore store;
  const std::string large = random_bytes(7, 5 * kMegabyte);
  const Digest whole = store.put(large);
  const Digest small = store.put("small");
  store.sync();
  const ObjectCensus census = must(ObjectCensus::take(*store.objects));
  std::vector<Digest> missing;
  const auto parts = must(census.parts(census.find(whole).value(), &missing));
  CHECK(missing.empty());
  CHECK(parts.size() == census.size() - 2);
  CHECK(std::is_sorted(parts.begin(), parts.end()));
  CHECK(must(census.parts(census.find(small).value(), &missing)).empty());
  std::uint64_t bytes = 0;
  for (const std::size_t part : parts) bytes += census.at(part).place.length;
  CHECK(bytes == large.size());
}

TEST_CASE("a census knows the parts of a list of lists", "[census]") {
  const PackStore store;
  const std::string large = random_bytes(11, 24 * kMegabyte);
  const auto writer = store.objects->writer(Cut::fine);
  must(writer->write(large));
  const Digest whole = must(writer->finish()).digest;
  store.sync();
  const ObjectCensus census = must(ObjectCensus::take(*store.objects));
  const auto list = must(store.objects->list_of(whole));
  REQUIRE(list);
  CHECK(list->depth == 1);
  CHECK(list->total == large.size());
  std::vector<Digest> missing;
  const auto parts = must(census.parts(census.find(whole).value(), &missing));
  CHECK(missing.empty());
  // The lists in between count too: everything but the whole.
  CHECK(parts.size() == census.size() - 1);
  CHECK(parts.size() > 1000);
  CHECK((store.read(whole) == large));
}

}  // namespace trainyard::object_census_test
