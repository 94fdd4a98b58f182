// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/stat_cache.hpp"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "storage/objects/memory_objects.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/xxh64.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::stat_cache_test {
namespace {

// A store that knows what was asked of it and can lose objects.
class Asked final : public ObjectStore {
 public:
  Result<Digest> put(std::string_view bytes) override { return memory.put(bytes); }
  Result<std::vector<Digest>> put_each(std::span<const std::string_view> contents) override {
    files += static_cast<int>(contents.size());
    return memory.put_each(contents);
  }
  Result<StoredObject> put_file(int fd, std::uint64_t expected, const Path& shown) override {
    ++files;
    return memory.put_file(fd, expected, shown);
  }
  std::unique_ptr<ObjectWriter> writer(Cut cut) override {
    ++trees;
    return memory.writer(cut);
  }
  Result<bool> has(const Digest& digest) override {
    ++asked;
    return memory.has(digest);
  }
  Result<std::uint64_t> stream(const Digest& digest, const ByteSink& sink) override {
    return memory.stream(digest, sink);
  }
  Result<void> stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) override {
    return memory.stream_each(wanted, receiver);
  }
  Result<void> sync() override { return {}; }
  Result<std::uint64_t> generation() override { return number; }

  MemoryObjects memory;
  std::uint64_t number = 1;
  std::atomic<int> files = 0;
  std::atomic<int> trees = 0;
  std::atomic<int> asked = 0;
};

// A folder with a store and a cache.
struct Known {
  TempFolder temp;
  Path folder = temp.folder("data");
  Path cache = temp.folder("caches") / "data.cache";
  Asked store;

  Known() {
    temp.write("data/a", "1");
    temp.write("data/b/c", "22");
    temp.write("data/b/d/e", "333");
    temp.write("data/b/f", "4444");
    temp.folder("data/none");
    temp.write("data/z.sh", "#!");
    if (::chmod((folder / "z.sh").c_str(), 0755) != 0) throw std::runtime_error("chmod");
    settle();
  }

  // Waits until the clock that stamps files has gone on.
  void settle() const {
    const FileClock before = FileClock::read(temp.path()).value();
    while (FileClock::read(temp.path()).value().now_ns == before.now_ns)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  CapturedFolder take(ObjectStore* objects) const {
    CaptureOptions options;
    options.objects = objects;
    options.cache = cache;
    auto captured = capture(folder, options);
    if (!captured.ok()) throw std::runtime_error(captured.error().message);
    return std::move(*captured);
  }
  CapturedFolder take() { return take(&store); }

  // As a snapshot is made. Yields the number of files read.
  std::uint64_t keep() {
    CapturedFolder captured = take();
    store_tree(captured, store).value();
    keep_cache(captured).value();
    if (captured.summary != TreeSummary::of(capture(folder, {}).value().tree)) throw std::runtime_error("another tree");
    return captured.files_read;
  }

  // What tells whether the cache was written.
  [[nodiscard]] ino_t written() const { return status_of(cache).value()->st_ino; }
};

}  // namespace

TEST_CASE("files that are as they were are not read again", "[stat_cache]") {
  Known known;
  CHECK(known.keep() == 5);
  CHECK(known.store.files == 5);
  CHECK(known.store.trees == 1);
  const ino_t written = known.written();
  CHECK(known.keep() == 0);
  CHECK(known.store.files == 5);
  CHECK(known.store.trees == 1);
  CHECK(known.store.asked == 0);
  CHECK(known.written() == written);
  CHECK(list_folder(known.cache.parent_path()).value() == std::vector<std::string>{"data.cache"});
}

TEST_CASE("a capture without a store uses the cache too", "[stat_cache]") {
  Known known;
  const auto read = [&] {
    const CapturedFolder captured = known.take(nullptr);
    keep_cache(captured).value();
    return captured.files_read;
  };
  CHECK(read() == 5);
  CHECK(read() == 0);
  // What it read is in no store.
  CHECK(known.keep() == 5);
  CHECK(known.store.files == 5);
  CHECK(read() == 0);
  CHECK(known.keep() == 0);
  CHECK(known.store.asked == 5);
}

TEST_CASE("what differs is read", "[stat_cache]") {
  Known known;
  REQUIRE(known.keep() == 5);
  std::uint64_t expected = 1;
  SECTION("other bytes of the same size") { known.temp.write("data/b/d/e", "xyz"); }
  SECTION("another size") { known.temp.write("data/b/c", "2"); }
  SECTION("another file of the same bytes") {
    boost::filesystem::rename(known.temp.write("new", "22"), known.folder / "b" / "c");
  }
  SECTION("another time") { boost::filesystem::last_write_time(known.folder / "a", 1'000'000); }
  SECTION("executable") { REQUIRE(::chmod((known.folder / "a").c_str(), 0755) == 0); }
  SECTION("added first") { known.temp.write("data/0", "new"); }
  SECTION("added between") { known.temp.write("data/b/cc", "new"); }
  SECTION("added last") { known.temp.write("data/zz/zz", "new"); }
  SECTION("removed") {
    boost::filesystem::remove(known.folder / "a");
    expected = 0;
  }
  SECTION("removed with its folder") {
    boost::filesystem::remove_all(known.folder / "b");
    expected = 0;
  }
  SECTION("removed last") {
    boost::filesystem::remove(known.folder / "z.sh");
    expected = 0;
  }
  SECTION("an empty folder filled") { known.temp.write("data/none/x", "new"); }
  SECTION("an empty folder removed") {
    boost::filesystem::remove(known.folder / "none");
    expected = 0;
  }
  SECTION("a folder in the place of a file") {
    boost::filesystem::remove(known.folder / "a");
    known.temp.write("data/a/b", "new");
  }
  SECTION("a file in the place of a folder") {
    boost::filesystem::remove_all(known.folder / "b");
    known.temp.write("data/b", "new");
  }
  known.settle();
  const ino_t written = known.written();
  CHECK(known.keep() == expected);
  CHECK(known.store.trees == 2);
  CHECK(known.written() != written);
  CHECK(known.keep() == 0);
}

TEST_CASE("a file changed in the tick in which it was captured is read again", "[stat_cache]") {
  Known known;
  known.temp.write("data/a", "1");
  // The moment before the capture is not before the file's times.
  const FileClock now = FileClock::read(known.cache.parent_path()).value();
  struct stat status = *status_of(known.folder / "a").value();
  FileStamp stamp = FileStamp::of(status);
  FileClock later = now;
  later.now_ns = stamp.changed_ns;
  CHECK_FALSE(later.settles(stamp));
  ++later.now_ns;
  CHECK(later.settles(stamp));
  stamp.modified_ns = later.now_ns;
  CHECK_FALSE(later.settles(stamp));
  stamp = FileStamp::of(status);
  ++stamp.device;
  CHECK_FALSE(later.settles(stamp));
  later.now_ns += kForeignClockMargin;
  CHECK(later.settles(stamp));

  // A file whose time lies ahead of every clock is read each time.
  boost::filesystem::last_write_time(known.folder / "a", 4'000'000'000);
  known.settle();
  CHECK(known.keep() == 5);
  CHECK(known.keep() == 1);
  CHECK(known.keep() == 1);
}

TEST_CASE("a store that lost objects is asked, and given them again", "[stat_cache]") {
  Known known;
  REQUIRE(known.keep() == 5);
  known.store.memory.forget(sha256("22"));
  known.store.number = 2;
  CHECK(known.keep() == 1);
  CHECK(known.store.asked >= 5);
  CHECK(known.store.memory.has(sha256("22")).value());
  const int asked = known.store.asked;
  CHECK(known.keep() == 0);
  CHECK(known.store.asked == asked);
  SECTION("and the tree") {
    known.store.memory.forget(TreeSummary::of(capture(known.folder, {}).value().tree).digest);
    known.store.number = 3;
    CHECK(known.keep() == 0);
    CHECK(known.store.memory.has(TreeSummary::of(capture(known.folder, {}).value().tree).digest).value());
  }
  SECTION("and the tree, which is all that is to be stored") {
    known.store.memory.forget(TreeSummary::of(capture(known.folder, {}).value().tree).digest);
    known.store.number = 3;
    CapturedFolder captured = known.take(nullptr);
    CHECK(captured.files_read == 0);
    REQUIRE(store_tree(captured, known.store).ok());
    CHECK(known.store.memory.has(captured.summary->digest).value());
    keep_cache(captured).value();
    known.store.memory.forget(sha256("22"));
    CHECK(known.keep() == 1);
  }
  SECTION("a store without generations is asked each time") {
    known.store.number = 0;
    CHECK(known.keep() == 0);
    CHECK(known.keep() == 0);
    CHECK(known.store.asked >= asked + 10);
  }
}

TEST_CASE("a cache that is not kept says nothing", "[stat_cache]") {
  Known known;
  CapturedFolder captured = known.take();
  store_tree(captured, known.store).value();
  CHECK_FALSE(is_there(known.cache));
  CHECK(known.keep() == 5);
}

TEST_CASE("a torn or foreign cache is none", "[stat_cache]") {
  Known known;
  REQUIRE(known.keep() == 5);
  const std::string bytes = read_file(known.cache, SIZE_MAX / 4).value();
  const auto entries = [&](const std::string& content) {
    known.temp.write("caches/data.cache", content);
    return StatCache::open(known.cache).header().entries;
  };
  REQUIRE(entries(bytes) == 6);
  std::size_t believed = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    believed += entries(wrong) != 0 ? 1U : 0U;
    if (entries(bytes.substr(0, i)) != 0) ++believed;
  }
  CHECK(believed == 0);
  CHECK(entries(bytes + "x") == 0);
  Xxh64 sum;
  sum.update("another file");
  const std::uint64_t value = sum.value();
  CHECK(entries("another file" + std::string(reinterpret_cast<const char*>(&value), sizeof(value))) == 0);
  CHECK(known.keep() == 5);
  CHECK(known.keep() == 0);
  boost::filesystem::remove(known.cache);
  make_folder(known.cache).value();
  CHECK(known.take().files_read == 5);
}

TEST_CASE("a cache larger than its buffer is read whole", "[stat_cache][threads]") {
  const TempFolder temp;
  const std::string long_name(200, 'n');
  for (int i = 0; i < 2000; ++i)
    temp.write("data/" + std::to_string(i % 7) + "/" + long_name + std::to_string(i), std::to_string(i));
  CaptureOptions options;
  options.cache = temp.folder("caches") / "cache";
  const FileClock before = FileClock::read(temp.path()).value();
  while (FileClock::read(temp.path()).value().now_ns == before.now_ns)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const CapturedFolder first = capture(temp.path() / "data", options).value();
  CHECK(first.files_read == 2000);
  REQUIRE(keep_cache(first).ok());
  const CapturedFolder second = capture(temp.path() / "data", options).value();
  CHECK(second.files_read == 0);
  CHECK(second.tree == first.tree);
  CHECK((second.stamps == first.stamps));
}

TEST_CASE("a cache is of a whole folder", "[stat_cache]") {
  Known known;
  CaptureOptions options;
  options.cache = known.cache;
  options.wanted = [](const RelPath&) { return true; };
  CHECK(capture(known.folder, options).error().code == Errc::invalid);
  options.wanted = nullptr;
  options.cache = known.temp.path() / "no such folder" / "cache";
  const auto captured = capture(known.folder, options);
  REQUIRE(captured.ok());
  CHECK(captured->files_read == 5);
  CHECK(keep_cache(*captured).ok());
}

TEST_CASE("XXH64 is what it says", "[stat_cache]") {
  const auto of = [](std::string_view text, std::size_t piece) {
    Xxh64 sum;
    for (std::size_t i = 0; i < text.size(); i += piece) sum.update(text.substr(i, piece));
    return sum.value();
  };
  CHECK(of("", 1) == 0xEF46DB3751D8E999U);
  CHECK(of("a", 1) == 0xD24EC4F1A98C6E5BU);
  CHECK(of("abc", 3) == 0x44BC2CF5AD770999U);
  const std::string text = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox.";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) CHECK(of(text, piece) == of(text, text.size()));
}

}  // namespace trainyard::stat_cache_test
