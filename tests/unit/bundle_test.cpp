// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>
#include <memory>

#include "storage/objects/bundle.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/noise.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::bundle_test {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 30U;

// A store of objects in a folder of its own.
struct Objects {
  TempFolder temp;
  std::unique_ptr<PackObjects> store;
  Objects() {
    REQUIRE(make_folders(temp.path() / "scratch").ok());
    REQUIRE(make_folders(temp.path() / "objects").ok());
    REQUIRE(PackObjects::create(temp.path() / "objects").ok());
    store = PackObjects::open(temp.path() / "objects", temp.path() / "scratch").value();
  }
  Digest put(std::string_view bytes, Cut cut = Cut::coarse) const {
    const auto writer = store->writer(cut);
    REQUIRE(writer->write(bytes).ok());
    return writer->finish()->digest;
  }
};

// Every bundle of these objects, as files in that folder.
std::vector<Path> bundles_of(const Objects& from, const std::vector<Digest>& wanted, const std::vector<Digest>& known,
                             const Path& folder) {
  REQUIRE(make_folders(folder).ok());
  BundleContents contents(*from.store);
  for (const Digest& digest : known) REQUIRE(contents.add(digest, BundleContents::Where::known).ok());
  for (const Digest& digest : wanted) REQUIRE(contents.add(digest, BundleContents::Where::carried).ok());
  std::vector<Path> files;
  for (std::span<const BundleMember> rest = contents.members(); !rest.empty(); rest = rest.subspan(bundle_size(rest))) {
    files.push_back(folder / std::to_string(files.size()));
    const auto written = write_bundle(rest.first(bundle_size(rest)), *from.store, files.back());
    REQUIRE(written.ok());
    const std::string bytes = read_file(files.back(), std::size_t{1} << 30U).value();
    CHECK(sha256(bytes) == written->digest);
    CHECK(bytes.size() == written->bytes);
  }
  return files;
}

// A bundle as a stranger could make it: one record for each object, whatever the object is called.
class ForeignBundle {
 public:
  void add(const Digest& digest, const std::string& raw,
           pack_format::ObjectKind kind = pack_format::ObjectKind::bytes) {
    const pack_format::RecordObject object{digest, static_cast<std::uint32_t>(raw.size()), kind};
    bytes_ += pack_format::record_front(pack_format::Coding::none, {&object, 1}, raw.size()) + raw;
  }
  void add_bytes(const std::string& raw) { add(sha256(raw), raw); }
  void add_list(const Digest& digest, const pack_format::ChunkList& list) {
    add(digest, write_list(list), pack_format::ObjectKind::list);
  }
  // What copying that object out of it yields.
  [[nodiscard]] Result<void> copied(const Digest& digest, std::uint64_t most) const {
    const TempFolder temp;
    const Path file = temp.write("bundle", bytes_);
    const auto bundles = open_bundles(std::vector<Path>{file}, temp.folder("work"));
    REQUIRE(bundles.ok());
    const Objects to;
    auto done = copy_object(digest, most, Cut::coarse, **bundles, *to.store);
    CHECK(*to.store->has(digest) == done.ok());
    return done;
  }

 private:
  std::string bytes_{pack_format::kPackMagic};
};

}  // namespace

TEST_CASE("objects of any size come out of bundles as they were") {
  const Objects from;
  // The last one is a list of lists.
  std::vector<Digest> digests;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{1} << 20U, std::size_t{5} << 20U, std::size_t{40} << 20U})
    digests.push_back(from.put(noise(size, size + 1)));
  digests.push_back(from.put(std::string(3'000'000, 'x')));
  digests.push_back(from.put(noise(std::size_t{7} << 20U, 3), Cut::fine));
  REQUIRE(from.store->sync().ok());
  const TempFolder temp;
  const auto files = bundles_of(from, digests, {}, temp.path() / "out");
  CHECK(files.size() == 2);
  const Objects to;
  const auto bundles = open_bundles(files, temp.path() / "work");
  REQUIRE(bundles.ok());
  for (const Digest& digest : digests) REQUIRE(copy_object(digest, kMost, Cut::coarse, **bundles, *to.store).ok());
  REQUIRE(to.store->sync().ok());
  for (const Digest& digest : digests) {
    Sha256 hash;
    REQUIRE(to.store
                ->stream(digest,
                         [&](std::string_view piece) -> Result<void> {
                           hash.update(piece);
                           return {};
                         })
                .ok());
    CHECK(hash.finish() == digest);
  }
}

TEST_CASE("a bundle depends on its objects alone, not on the store that they lie in") {
  const Objects one;
  const Objects two;
  const std::string big = noise(3U << 20U, 5);
  const std::vector<Digest> wanted = {one.put("a"), one.put(big), one.put(std::string(700'000, 'z'))};
  REQUIRE(one.store->sync().ok());
  for (const std::string& bytes : {std::string(700'000, 'z'), std::string("other"), big, std::string("a")})
    two.put(bytes);
  REQUIRE(two.store->sync().ok());
  const TempFolder temp;
  const auto first = bundles_of(one, wanted, {}, temp.path() / "one");
  const auto second = bundles_of(two, wanted, {}, temp.path() / "two");
  REQUIRE(first.size() == second.size());
  CHECK(read_file(first[0], 1U << 30U).value() == read_file(second[0], 1U << 30U).value());
}

TEST_CASE("what the receiver has is not carried, and is found with him") {
  const Objects from;
  std::string bytes = noise(8U << 20U, 9);
  const Digest before = from.put(bytes);
  bytes.replace(4U << 20U, 1000, noise(1000, 10));
  const Digest after = from.put(bytes);
  REQUIRE(from.store->sync().ok());
  const TempFolder temp;
  const Objects to;
  const auto all = open_bundles(bundles_of(from, {before}, {}, temp.path() / "first"), temp.path() / "work1");
  REQUIRE(copy_object(before, kMost, Cut::coarse, **all, *to.store).ok());
  const auto files = bundles_of(from, {after}, {before}, temp.path() / "second");
  CHECK(status_of(files[0]).value()->st_size < 1'500'000);
  const auto rest = open_bundles(files, temp.path() / "work2");
  REQUIRE(copy_object(after, kMost, Cut::coarse, **rest, *to.store).ok());
  const Objects nobody;
  const auto again = bundles_of(from, {after}, {before}, temp.path() / "third");
  const auto lacking = open_bundles(again, temp.path() / "work3");
  const auto refused = copy_object(after, kMost, Cut::coarse, **lacking, *nobody.store);
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Errc::not_found);
}

TEST_CASE("lists in a bundle are held to what they say, so that few bytes cannot stand for work without an end") {
  using namespace pack_format;
  const std::string a = noise(40, 1);
  const std::string b = noise(50, 2);
  const std::string refs = write_refs(std::vector<ChunkRef>{{sha256(a), 40}, {sha256(b), 50}});
  const Digest wanted = sha256(a + b + a + b);
  const Digest other = sha256("other");
  // Each level names the one below a thousand times: 200 KiB for 10^15 chunks of nothing.
  std::string nothing = write_refs(std::vector<ChunkRef>(1000, {sha256(""), 0}));
  std::string large = write_refs(std::vector<ChunkRef>(1000, {sha256(a), 40}));
  ForeignBundle levels;
  levels.add_bytes("");
  levels.add_bytes(a);
  levels.add_bytes(nothing);
  levels.add_bytes(large);
  std::uint64_t bytes = 40'000;
  for (std::uint32_t depth = 1; depth < 5; ++depth) {
    nothing = write_refs(std::vector<ChunkRef>(1000, {sha256(nothing), 0}));
    large = write_refs(std::vector<ChunkRef>(1000, {sha256(large), bytes}));
    bytes *= 1000;
    levels.add_bytes(nothing);
    levels.add_bytes(large);
  }
  struct Row {
    const char* what;
    ChunkList list;
    Digest digest;
    bool good;
  };
  const std::vector<Row> rows = {
      {"a list of lists", {1, 180, {{sha256(refs), 90}, {sha256(refs), 90}}}, wanted, true},
      {"one that names itself", {1, 40, {{other, 40}}}, other, false},
      {"one that names itself as a chunk", {0, 40, {{other, 40}}}, other, false},
      {"chunks of other sizes", {0, 90, {{sha256(a), 41}, {sha256(b), 49}}}, sha256(a + b), false},
      {"lists of other sizes", {1, 181, {{sha256(refs), 91}, {sha256(refs), 90}}}, wanted, false},
      {"parts that cover nothing", {5, 0, {{sha256(nothing), 0}}}, other, false},
      {"more than there may be", {5, bytes, {{sha256(large), bytes}}}, other, false},
      {"that hidden in a part", {5, 40, {{sha256(large), 40}}}, other, false},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    ForeignBundle bundle = levels;
    bundle.add_bytes(b);
    bundle.add_bytes(refs);
    bundle.add_list(row.digest, row.list);
    const auto copied = bundle.copied(row.digest, 1'000'000);
    CHECK(copied.ok() == row.good);
    if (!copied.ok()) CHECK(copied.error().code == Errc::corrupt);
  }
  ForeignBundle plain;
  plain.add_bytes(a);
  CHECK(plain.copied(sha256(a), 40).ok());
  CHECK_FALSE(plain.copied(sha256(a), 39).ok());
}

TEST_CASE("a bundle that was changed on its way yields nothing that is wrong") {
  const Objects from;
  const Digest digest = from.put(noise(200'000, 21));
  REQUIRE(from.store->sync().ok());
  const TempFolder temp;
  const std::string right = read_file(bundles_of(from, {digest}, {}, temp.path() / "right")[0], 1U << 30U).value();
  for (const std::size_t at : {std::size_t{9}, std::size_t{45}, std::size_t{100'000}, right.size() - 1}) {
    INFO(at);
    std::string wrong = right;
    wrong[at] = static_cast<char>(wrong[at] ^ 1);
    temp.write("wrong", wrong);
    const auto bundles =
        open_bundles(std::vector<Path>{temp.path() / "wrong"}, temp.folder("work" + std::to_string(at)));
    const Objects to;
    if (bundles.ok()) CHECK(!copy_object(digest, kMost, Cut::coarse, **bundles, *to.store).ok());
    CHECK(!*to.store->has(digest));
  }
}

}  // namespace trainyard::bundle_test
