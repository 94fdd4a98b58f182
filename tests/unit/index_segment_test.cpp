// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/index_segment.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/objects/object_index.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::index_segment_test {

namespace {

PackId pack_id(std::uint8_t number) {
  PackId id{};
  id.fill(number);
  return id;
}

// Entries with digests of "<from>", "<from+1>" …, sorted.
std::vector<IndexEntry> entries(std::uint32_t from, std::uint32_t count, std::uint32_t packs) {
  std::vector<IndexEntry> all;
  for (std::uint32_t i = from; i < from + count; ++i) {
    const auto kind = i % 5 == 0 ? pack_format::ObjectKind::list : pack_format::ObjectKind::bytes;
    all.push_back({sha256(std::to_string(i)), {std::uint64_t{i} << 33U, i % packs, i + 1, i + 2, i + 3, kind}});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.digest < b.digest; });
  return all;
}

std::function<const IndexEntry*()> one_by_one(const std::vector<IndexEntry>& all) {
  return [&all, next = std::size_t{0}]() mutable { return next == all.size() ? nullptr : &all[next++]; };
}

bool same(const ObjectPlace& a, const ObjectPlace& b) {
  return a.offset == b.offset && a.pack == b.pack && a.record_bytes == b.record_bytes && a.position == b.position &&
         a.length == b.length && a.kind == b.kind;
}

struct Folder {
  TempFolder folder;
  Path scratch = folder.folder("tmp");
  [[nodiscard]] Path path(const char* name) const { return folder.path() / name; }
  std::shared_ptr<const IndexSegment> write(const char* name, const std::vector<PackId>& packs,
                                            const std::vector<IndexEntry>& all) const {
    must(IndexSegment::write(scratch, path(name), packs, one_by_one(all)));
    return must(IndexSegment::open(path(name)));
  }
};

}  // namespace

TEST_CASE("a segment finds each of its entries and no other", "[index]") {
  const Folder where;
  for (const std::uint32_t count : {0U, 1U, 2U, 3U, 17U, 10'000U}) {
    const auto all = entries(0, count, 3);
    const auto segment = where.write("one", {pack_id(1), pack_id(2), pack_id(3)}, all);
    REQUIRE(segment->size() == count);
    CHECK(segment->packs() == std::vector<PackId>{pack_id(1), pack_id(2), pack_id(3)});
    CHECK(segment->check().ok());
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto place = segment->find(all[i].digest);
      if (!place || !same(*place, all[i].place)) FAIL("entry " << i << " of " << count);
      if (segment->number_of(all[i].digest) != i || segment->entry(i).digest != all[i].digest) FAIL("entry " << i);
    }
    for (std::uint32_t i = 0; i < 2000; ++i) {
      if (segment->find(sha256("absent " + std::to_string(i)))) FAIL("absent " << i);
    }
    std::array<std::uint8_t, Digest::kBytes> edge{};
    CHECK_FALSE(segment->find(Digest(edge)));
    edge.fill(0xFF);
    CHECK_FALSE(segment->find(Digest(edge)));
    REQUIRE(remove_file(where.path("one")).ok());
  }
  CHECK(must(list_folder(where.scratch)).empty());
}

TEST_CASE("a segment finds digests that are not spread evenly", "[index]") {
  const Folder where;
  std::vector<IndexEntry> all;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    std::array<std::uint8_t, Digest::kBytes> bytes{};
    bytes[0] = i < 1500 ? 0 : 0xFF;
    bytes[30] = static_cast<std::uint8_t>(i >> 8U);
    bytes[31] = static_cast<std::uint8_t>(i);
    all.push_back({Digest(bytes), {i, 0, 100, 0, 1, {}}});
  }
  const auto segment = where.write("one", {pack_id(1)}, all);
  for (const IndexEntry& entry : all) {
    const auto place = segment->find(entry.digest);
    if (!place || place->offset != entry.place.offset) FAIL("entry " << entry.place.offset);
  }
}

TEST_CASE("of several entries with one digest the first stays", "[index]") {
  const Folder where;
  auto all = entries(0, 10, 1);
  IndexEntry second = all[4];
  second.place.offset = 12345;
  all.insert(all.begin() + 5, second);
  const auto segment = where.write("one", {pack_id(1)}, all);
  CHECK(segment->size() == 10);
  CHECK(same(*segment->find(all[4].digest), all[4].place));
}

TEST_CASE("merged segments say what they said before", "[index]") {
  const Folder where;
  const std::vector<std::shared_ptr<const IndexSegment>> segments = {
      where.write("a", {pack_id(1), pack_id(2)}, entries(0, 300, 2)), where.write("b", {}, {}),
      where.write("c", {pack_id(3)}, entries(200, 300, 1)), where.write("d", {pack_id(1)}, entries(900, 50, 1))};
  must(merge_segments(where.scratch, where.path("all"), segments));
  const auto merged = must(IndexSegment::open(where.path("all")));
  CHECK(merged->check().ok());
  CHECK(merged->size() == 550);
  // A pack that two segments name is named once.
  CHECK(merged->packs() == std::vector<PackId>{pack_id(1), pack_id(2), pack_id(3)});
  for (const auto& segment : segments) {
    for (std::size_t i = 0; i < segment->size(); ++i) {
      const IndexEntry entry = segment->entry(i);
      const auto place = merged->find(entry.digest);
      REQUIRE(place);
      const auto first = segments[0]->find(entry.digest);
      const ObjectPlace expected = first ? *first : entry.place;
      CHECK(place->offset == expected.offset);
      CHECK(merged->packs()[place->pack] ==
            (first ? segments[0]->packs()[first->pack] : segment->packs()[entry.place.pack]));
    }
  }
}

TEST_CASE("entries of packs that are gone are left out, and new ones win", "[index]") {
  const Folder where;
  const std::vector<std::shared_ptr<const IndexSegment>> segments = {
      where.write("a", {pack_id(1), pack_id(2)}, entries(0, 100, 2)),
      where.write("b", {pack_id(3)}, entries(100, 100, 1))};
  auto fresh = entries(50, 100, 1);
  for (IndexEntry& entry : fresh) entry.place.offset = 7;
  PackChanges changes;
  changes.gone = {pack_id(1)};
  changes.added = {pack_id(9)};
  changes.next = one_by_one(fresh);
  must(merge_segments(where.scratch, where.path("all"), segments, changes));
  const auto merged = must(IndexSegment::open(where.path("all")));
  CHECK(merged->packs() == std::vector<PackId>{pack_id(9), pack_id(2), pack_id(3)});
  for (std::uint32_t i = 0; i < 200; ++i) {
    const auto place = merged->find(sha256(std::to_string(i)));
    INFO(i);
    if (i >= 50 && i < 150) {
      REQUIRE(place);
      CHECK(merged->packs()[place->pack] == pack_id(9));
      CHECK(place->offset == 7);
    } else if (i < 50 && i % 2 == 0) {
      CHECK_FALSE(place);
    } else {
      REQUIRE(place);
      CHECK(merged->packs()[place->pack] == (i < 50 ? pack_id(2) : pack_id(3)));
    }
  }
}

TEST_CASE("a segment whose frame is damaged cannot be opened, and no damage passes the check", "[index]") {
  const Folder where;
  where.write("good", {pack_id(1), pack_id(2)}, entries(0, 20, 2));
  const std::string good = where.folder.read("good");
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, good.size() - 1, good.size() - 40, good.size() + 1}) {
    std::string bytes = good;
    bytes.resize(size);
    where.folder.write("bad", bytes);
    const auto opened = IndexSegment::open(where.path("bad"));
    INFO(size);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().code == Errc::corrupt);
    CHECK(opened.error().message.find("fsck --repair") != std::string::npos);
  }
  for (std::size_t at = 0; at < good.size(); at += 3) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    where.folder.write("bad", bytes);
    const auto opened = IndexSegment::open(where.path("bad"));
    if (opened.ok() && (*opened)->check().ok()) FAIL("byte " << at);
    // Whatever it says, it can be asked.
    if (opened.ok()) static_cast<void>((*opened)->find(sha256("7")));
    REQUIRE(remove_file(where.path("bad")).ok());
  }
  CHECK(IndexSegment::open(where.path("absent")).error().code == Errc::not_found);
}

TEST_CASE("the names of packs are read as they are written", "[index]") {
  const PackId first = new_pack_id();
  const PackId second = new_pack_id();
  CHECK(first != second);
  CHECK(parse_pack_id(text_of(first)) == first);
  CHECK(text_of(first).size() == 32);
  CHECK_FALSE(parse_pack_id(""));
  CHECK_FALSE(parse_pack_id(text_of(first).substr(1)));
  CHECK_FALSE(parse_pack_id(text_of(first) + "0"));
  CHECK_FALSE(parse_pack_id(std::string(32, 'G')));
  CHECK_FALSE(parse_pack_id(std::string(32, 'A')));
}

TEST_CASE("an index stays a few segments, whatever is added", "[index]") {
  const Folder where;
  const Path folder = where.folder.folder("index");
  ObjectIndex index(folder, where.scratch);
  must(index.refresh());
  for (std::uint32_t i = 0; i < 40; ++i) {
    const auto all = entries(i * 10, 10 + i, 1);
    must(index.add({pack_id(static_cast<std::uint8_t>(i + 1))}, one_by_one(all)));
    CHECK(index.segments()->size() <= 8);
    CHECK(must(list_folder(folder)).size() == index.segments()->size());
  }
  ObjectIndex other(folder, where.scratch);
  must(other.refresh());
  for (std::uint32_t i = 0; i < 400; ++i) {
    if (!index.find(sha256(std::to_string(i))) || !other.find(sha256(std::to_string(i)))) FAIL(i);
  }
  CHECK(must(list_folder(where.scratch)).empty());
}

}  // namespace trainyard::index_segment_test
