// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>

#include "storage/objects/file_objects.hpp"
#include "storage/objects/memory_objects.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {
namespace {

constexpr std::size_t kAll = SIZE_MAX;
constexpr std::size_t kMegabyte = std::size_t{1} << 20U;

// A store of objects in a folder of its own.
struct OnDisk {
  TempFolder folder;
  Path root = folder.folder("objects");
  Path scratch = folder.folder("tmp");
  std::unique_ptr<FileObjects> objects = std::make_unique<FileObjects>(root, scratch);

  ObjectStore& store() { return *objects; }
  void reopen() { objects = std::make_unique<FileObjects>(root, scratch); }
  [[nodiscard]] Path path_of(const Digest& digest) const {
    return root / digest.hex().substr(0, 2) / digest.hex().substr(2);
  }
};

struct InMemory {
  TempFolder folder;
  MemoryObjects objects;

  ObjectStore& store() { return objects; }
};

std::size_t entries(const Path& folder) { return list_folder(folder).value().size(); }

}  // namespace

TEMPLATE_TEST_CASE("an object store keeps bytes by their digest", "[objects]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  for (const std::string& bytes : {std::string(), std::string("abc"), std::string("\0\xFF\n", 3),
                                   std::string(3 * kMegabyte + 17, 'x'), std::string(kMegabyte, 'y')}) {
    const Digest digest = sha256(bytes);
    CHECK_FALSE(store.has(digest).value());
    CHECK(store.read(digest, kAll).error() == fail(Errc::not_found, "the store has no object " + digest.hex()));
    REQUIRE(store.put(bytes).value() == digest);
    REQUIRE(store.put(bytes).value() == digest);
    for (int synced = 0; synced < 2; ++synced) {
      CHECK(store.has(digest).value());
      CHECK((store.read(digest, kAll).value() == bytes));
      CHECK((store.read(digest, bytes.size()).value() == bytes));
      if (!bytes.empty()) CHECK(store.read(digest, bytes.size() - 1).error().code == Errc::invalid);
      const Path copy = where.folder.path() / "copy";
      const UniqueFd out = open_file(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600).value();
      CHECK(store.copy_to(digest, out.get(), copy).value() == bytes.size());
      CHECK((where.folder.read("copy") == bytes));
      REQUIRE(store.sync().ok());
    }
  }
}

TEMPLATE_TEST_CASE("an object store takes files from where they are read", "[objects]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  for (const std::string& bytes : {std::string(), std::string("0123456789"), std::string(kMegabyte - 1, 'a'),
                                   std::string(kMegabyte, 'b'), std::string(2 * kMegabyte + 5, 'c')}) {
    const Path path = where.folder.write("file", bytes);
    const UniqueFd fd = open_file(path, O_RDONLY).value();
    const StoredObject stored = store.put_file(fd.get(), path).value();
    CHECK(stored.digest == sha256(bytes));
    CHECK(stored.bytes == bytes.size());
    CHECK((store.read(stored.digest, kAll).value() == bytes));
    REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
    const StoredObject hashed = hash_file(fd.get(), path).value();
    CHECK(hashed.digest == stored.digest);
    CHECK(hashed.bytes == stored.bytes);
    if (bytes.size() < 5) continue;
    REQUIRE(::lseek(fd.get(), 5, SEEK_SET) == 5);
    CHECK(store.put_file(fd.get(), path).value().digest == sha256(bytes.substr(5)));
  }
}

TEMPLATE_TEST_CASE("an object store serves many threads", "[objects][threads]", OnDisk, InMemory) {
  TestType where;
  ObjectStore& store = where.store();
  std::vector<int> good(8, 0);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < good.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string bytes = "object " + std::to_string(i);  // the same in every thread
          const auto digest = store.put(bytes);
          const auto read = digest.ok() ? store.read(*digest, kAll) : Result<std::string>(digest.error());
          if (read.ok() && *read == bytes) ++good[t];
          if (i % 20 == 0 && !store.sync().ok()) good[t] = -1000;
        }
      });
    }
  }
  CHECK(good == std::vector<int>(8, 50));
  REQUIRE(store.sync().ok());
  for (int i = 0; i < 50; ++i) CHECK(store.has(sha256("object " + std::to_string(i))).value());
}

TEST_CASE("an object gets its name only when it is durable", "[objects]") {
  OnDisk where;
  const Digest digest = where.store().put("abc").value();
  CHECK(entries(where.root) == 0);
  CHECK(entries(where.scratch) == 1);
  REQUIRE(where.store().sync().ok());
  CHECK(entries(where.scratch) == 0);
  CHECK(read_file(where.path_of(digest), 10).value() == "abc");
  CHECK((status_of(where.path_of(digest)).value()->st_mode & 07777U) == 0444);
  where.reopen();
  CHECK(where.store().read(digest, kAll).value() == "abc");
}

TEST_CASE("what was put and not synced leaves nothing behind", "[objects]") {
  OnDisk where;
  const Digest digest = where.store().put("abc").value();
  const Path large = where.folder.write("large", std::string(2 * kMegabyte, 'x'));
  const UniqueFd fd = open_file(large, O_RDONLY).value();
  REQUIRE(where.store().put_file(fd.get(), large).ok());
  CHECK(entries(where.scratch) == 2);
  where.reopen();
  CHECK(entries(where.scratch) == 0);
  CHECK(entries(where.root) == 0);
  CHECK_FALSE(where.store().has(digest).value());
}

TEST_CASE("putting what is there writes nothing", "[objects]") {
  OnDisk where;
  const std::string large(2 * kMegabyte, 'x');
  REQUIRE(where.store().put("abc").ok());
  REQUIRE(where.store().put(large).ok());
  REQUIRE(where.store().sync().ok());
  const auto before = *status_of(where.path_of(sha256("abc"))).value();
  REQUIRE(where.store().put("abc").ok());
  const Path file = where.folder.write("large", large);
  const UniqueFd fd = open_file(file, O_RDONLY).value();
  REQUIRE(where.store().put_file(fd.get(), file).ok());
  CHECK(entries(where.scratch) == 0);
  REQUIRE(where.store().sync().ok());
  CHECK(status_of(where.path_of(sha256("abc"))).value()->st_ino == before.st_ino);
}

TEST_CASE("two stores may put the same object", "[objects]") {
  OnDisk where;
  FileObjects other(where.root, where.scratch);
  const Digest digest = where.store().put("abc").value();
  REQUIRE(other.put("abc").value() == digest);
  REQUIRE(where.store().sync().ok());
  REQUIRE(other.sync().ok());
  CHECK(entries(where.scratch) == 0);
  CHECK(other.read(digest, kAll).value() == "abc");
}

TEST_CASE("many objects become durable together", "[objects]") {
  OnDisk where;
  for (int i = 0; i < 200; ++i) REQUIRE(where.store().put(std::to_string(i)).ok());
  REQUIRE(where.store().sync().ok());
  CHECK(entries(where.scratch) == 0);
  where.reopen();
  for (int i = 0; i < 200; ++i) CHECK(where.store().read(sha256(std::to_string(i)), kAll).value() == std::to_string(i));
}

TEST_CASE("a corrupt object is named, whoever reads it", "[objects]") {
  OnDisk where;
  const Digest digest = where.store().put("abc").value();
  REQUIRE(where.store().sync().ok());
  const Path path = where.path_of(digest);
  for (const char* const bytes : {"abd", "ab", "abcd", ""}) {
    REQUIRE(remove_file(path).ok());
    REQUIRE(publish_file(where.scratch, path, bytes, 0444, Durable::no).ok());
    const Error corrupt = fail(Errc::corrupt, "the object " + digest.hex() + " is corrupt: the bytes of '" +
                                                  path.string() + "' have another digest");
    CHECK(where.store().read(digest, kAll).error() == corrupt);
    const UniqueFd nowhere = open_file("/dev/null", O_WRONLY).value();
    CHECK(where.store().copy_to(digest, nowhere.get(), "/dev/null").error() == corrupt);
  }
}

}  // namespace trainyard
