// SPDX-License-Identifier: Apache-2.0
// What every adapter of ObjectStore promises.
#include <fcntl.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "storage/objects/memory_objects.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::objects_test {
namespace {

constexpr std::size_t kAll = SIZE_MAX;
constexpr std::size_t kKilobyte = std::size_t{1} << 10U;
constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

struct OnDisk : PackStore {
  ObjectStore& store() { return *objects; }
};

struct InMemory {
  TempFolder folder;
  MemoryObjects objects;

  ObjectStore& store() { return objects; }
};

// Around every size at which an object is kept in another way.
std::vector<std::string> samples() {
  std::vector<std::string> all = {"", "a", std::string("\0\xFF\n", 3)};
  for (const std::size_t edge : {4 * kKilobyte, 32 * kKilobyte, 64 * kKilobyte, 256 * kKilobyte, 512 * kKilobyte,
                                 kMegabyte, 2 * kMegabyte, 5 * kMegabyte}) {
    for (const std::size_t size : {edge - 1, edge, edge + 1}) {
      all.push_back(random_bytes(size, size));
      all.push_back(text_bytes(size, size));
    }
    all.emplace_back(edge, '\0');
  }
  return all;
}

// What came of each object, collected from all threads.
class Collected final : public ObjectReceiver {
 public:
  explicit Collected(std::size_t count) : bytes(count), ends(count), verdicts(count) {}

  Result<void> piece(std::size_t which, std::string_view piece) override {
    const std::lock_guard lock(mutex_);
    bytes.at(which) += piece;
    if (ends.at(which) > 0) ++ends[which];
    return {};
  }
  Result<void> end(std::size_t which, const Result<void>& verdict) override {
    const std::lock_guard lock(mutex_);
    ++ends.at(which);
    verdicts.at(which) = verdict;
    return {};
  }

  std::vector<std::string> bytes;
  std::vector<int> ends;  // 1 for each when all is well
  std::vector<Result<void>> verdicts;

 private:
  std::mutex mutex_;
};

}  // namespace

TEMPLATE_TEST_CASE("an object store keeps bytes by their digest", "[objects]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  const Digest absent = sha256("absent");
  CHECK_FALSE(must(store.has(absent)));
  CHECK(store.read(absent, kAll).error() == fail(Errc::not_found, "the store has no object " + absent.hex()));
  const std::vector<std::string> all = samples();
  for (const std::string& bytes : all) {
    const Digest digest = sha256(bytes);
    if (must(store.put(bytes)) != digest || must(store.put(bytes)) != digest) FAIL(bytes.size() << " bytes");
  }
  for (int synced = 0; synced < 2; ++synced) {
    for (const std::string& bytes : all) {
      INFO(bytes.size() << " bytes, synced " << synced);
      const Digest digest = sha256(bytes);
      if (!must(store.has(digest))) FAIL("not there");
      if (must(store.read(digest, kAll)) != bytes) FAIL("other bytes");
      if (must(store.read(digest, bytes.size())) != bytes) FAIL("other bytes");
      if (!bytes.empty() && store.read(digest, bytes.size() - 1).error().code != Errc::invalid) FAIL("too many bytes");
      const Path copy = where.folder.path() / "copy";
      const UniqueFd out = must(open_file(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600));
      if (must(store.copy_to(digest, out.get(), copy)) != bytes.size()) FAIL("another size");
      if (where.folder.read("copy") != bytes) FAIL("other bytes in the copy");
    }
    REQUIRE(store.sync().ok());
  }
}

TEMPLATE_TEST_CASE("an object store takes files from where they are read", "[objects]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  for (const std::string& bytes : samples()) {
    const Path path = where.folder.write("file", bytes);
    const UniqueFd fd = must(open_file(path, O_RDONLY));
    // However much was expected.
    for (const std::uint64_t expected : {std::uint64_t{bytes.size()}, std::uint64_t{0}, std::uint64_t{1},
                                         std::uint64_t{bytes.size() / 2}, std::uint64_t{bytes.size() + 1000}}) {
      INFO(bytes.size() << " bytes, expected " << expected);
      REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
      const StoredObject stored = must(store.put_file(fd.get(), expected, path));
      CHECK(stored.digest == sha256(bytes));
      CHECK(stored.bytes == bytes.size());
    }
    if (must(store.read(sha256(bytes), kAll)) != bytes) FAIL("other bytes");
    REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
    CHECK(must(hash_file(fd.get(), path)).digest == sha256(bytes));
    if (bytes.size() < 5) continue;
    REQUIRE(::lseek(fd.get(), 5, SEEK_SET) == 5);
    CHECK(must(store.put_file(fd.get(), bytes.size() - 5, path)).digest == sha256(bytes.substr(5)));
  }
}

TEMPLATE_TEST_CASE("an object can be written in pieces of any size", "[objects]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  for (const Cut cut : {Cut::coarse, Cut::fine}) {
    for (const std::string& bytes : {std::string(), text_bytes(1, 1000), random_bytes(2, 3 * kMegabyte + 5)}) {
      for (const std::size_t size : {std::size_t{997}, 300 * kKilobyte, 4 * kMegabyte}) {
        const auto writer = store.writer(cut);
        for (std::size_t at = 0; at < bytes.size(); at += size)
          must(writer->write(std::string_view(bytes).substr(at, size)));
        const StoredObject stored = must(writer->finish());
        CHECK(stored.digest == sha256(bytes));
        CHECK(stored.bytes == bytes.size());
        if (must(store.read(stored.digest, kAll)) != bytes) FAIL("other bytes");
      }
    }
  }
}

TEMPLATE_TEST_CASE("an object that is not finished is not put", "[objects]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  const std::string bytes = random_bytes(1, 3 * kMegabyte);
  must(store.writer(Cut::coarse)->write(bytes));
  must(store.writer(Cut::coarse)->write("small"));
  REQUIRE(store.sync().ok());
  CHECK_FALSE(must(store.has(sha256(bytes))));
  CHECK_FALSE(must(store.has(sha256("small"))));
  CHECK(must(store.read(must(store.put(bytes)), kAll)) == bytes);
}

TEMPLATE_TEST_CASE("many objects are read at once, each once and whole", "[objects][threads]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  std::vector<std::string> all = samples();
  for (std::uint64_t i = 0; i < 300; ++i) all.push_back(text_bytes(i, 100 + i));
  std::vector<Digest> wanted;
  for (const std::string& bytes : all) wanted.push_back(must(store.put(bytes)));
  wanted.push_back(sha256("absent"));
  wanted.push_back(wanted[0]);
  wanted.push_back(wanted[40]);
  all.emplace_back();
  all.push_back(all[0]);
  all.push_back(all[40]);
  for (int synced = 0; synced < 2; ++synced) {
    Collected collected(wanted.size());
    must(store.stream_each(wanted, collected));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      INFO("object " << i << ", synced " << synced);
      if (collected.ends[i] != 1) FAIL("ended " << collected.ends[i] << " times");
      if (collected.bytes[i] != all[i]) FAIL("other bytes");
      if (i + 3 == wanted.size()) {
        CHECK(collected.verdicts[i].error().code == Errc::not_found);
      } else if (!collected.verdicts[i].ok()) {
        FAIL(collected.verdicts[i].error().message);
      }
    }
    REQUIRE(store.sync().ok());
  }
  Collected nothing(0);
  CHECK(store.stream_each({}, nothing).ok());
}

TEMPLATE_TEST_CASE("reading many objects ends when their receiver fails", "[objects]", OnDisk, InMemory) {
  struct Full final : ObjectReceiver {
    Result<void> piece(std::size_t, std::string_view) override { return fail(Errc::unavailable, "full"); }
    Result<void> end(std::size_t, const Result<void>&) override { return {}; }
  };
  TestType where;
  std::vector<Digest> wanted;
  for (int i = 0; i < 20; ++i) wanted.push_back(must(where.store().put("object " + std::to_string(i))));
  REQUIRE(where.store().sync().ok());
  Full full;
  CHECK(where.store().stream_each(wanted, full).error() == fail(Errc::unavailable, "full"));
  const ByteSink sink = [](std::string_view) -> Result<void> { return fail(Errc::unavailable, "full"); };
  CHECK(where.store().stream(wanted[0], sink).error() == fail(Errc::unavailable, "full"));
}

TEMPLATE_TEST_CASE("an object store serves many threads", "[objects][threads]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  const std::string large = random_bytes(9, 2 * kMegabyte);
  std::vector<int> good(6, 0);
  std::mutex mutex;
  std::string first_error;
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < good.size(); ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < 50; ++i) {
          // The same in every thread.
          std::string bytes = i % 3 == 0 ? random_bytes(i, 5000) : text_bytes(i, 3000);
          if (i % 17 == 0) bytes = large.substr(0, large.size() - i);
          const auto digest = store.put(bytes);
          const auto read = digest.ok() ? store.read(*digest, kAll) : Result<std::string>(digest.error());
          if (read.ok() && *read == bytes) ++good[t];
          if (!read.ok()) {
            const std::lock_guard lock(mutex);
            first_error = read.error().message;
          }
          if (i % 20 == 0 && !store.sync().ok()) good[t] = -1000;
        }
      });
    }
  }
  INFO(first_error);
  CHECK(good == std::vector<int>(6, 50));
  REQUIRE(store.sync().ok());
  for (std::uint64_t i = 1; i < 50; i += 3) CHECK(must(store.has(sha256(text_bytes(i, 3000)))) == (i % 17 != 0));
}

}  // namespace trainyard::objects_test
