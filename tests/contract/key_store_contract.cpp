// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/key_store_contract.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <limits>
#include <optional>
#include <set>
#include <thread>

#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::key_store_contract {

namespace {

// More than any adapter under test sends in one piece.
constexpr std::size_t kLarge = (std::size_t{12} << 20U) + 3;
constexpr Instant kNever{0};
const Instant kAnyTime = Instant::parse("9999-01-01T00:00:00.000000Z").value();

template <class T>
T must(Result<T> result) {
  INFO((result.ok() ? "" : result.error().message));
  REQUIRE(result.ok());
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

template <class T>
void refused(const Result<T>& result, Errc code, const std::string& key) {
  REQUIRE_FALSE(result.ok());
  INFO(result.error().message);
  CHECK(result.error().code == code);
  CHECK(result.error().message.find(key) != std::string::npos);
  CHECK(result.error().message.find('\n') == std::string::npos);
}

// All keys but the one by which a place may tell that it is a remote.
std::set<std::string> listed(KeyStore& keys, const std::string& prefix) {
  std::set<std::string> all;
  must(keys.list(prefix, [&](const KeyEntry& entry) -> Result<void> {
    CHECK(all.insert(entry.key).second);
    return {};
  }));
  all.erase("trainyard-remote.json");
  return all;
}

// How many bytes went.
std::uint64_t put(KeyStore& keys, const std::string& key, const Path& file, const std::string& bytes) {
  std::atomic<std::uint64_t> gone{0};
  must(keys.put(key, file, bytes.size(), sha256(bytes), [&](std::uint64_t moved) { gone += moved; }));
  return gone;
}

void creates_once(const Open& open) {
  const auto keys = open();
  must(keys->create("a/b/record.json", "first"));
  refused(keys->create("a/b/record.json", "second"), Errc::exists, "a/b/record.json");
  refused(keys->create("a/b/record.json", "first"), Errc::exists, "a/b/record.json");
  CHECK(must(open()->read("a/b/record.json", 5)) == "first");
  must(keys->create("a/b/empty", ""));
  CHECK(must(keys->size("a/b/empty")) == 0U);
  CHECK(must(keys->read("a/b/empty", 0)).empty());
}

void lets_one_of_many_creators_win(const Open& open) {
  constexpr int kCreators = 8;
  constexpr int kRounds = 20;
  std::vector<std::unique_ptr<KeyStore>> stores;
  for (int i = 0; i < kCreators; ++i) stores.push_back(open());
  for (int round = 0; round < kRounds; ++round) {
    const std::string key = "claims/" + std::to_string(round);
    std::vector<std::optional<Result<void>>> results(kCreators);
    std::atomic<int> ready{0};
    std::vector<std::thread> creators;
    for (std::size_t i = 0; i < kCreators; ++i) {
      creators.emplace_back([&, i] {
        ++ready;
        while (ready < kCreators) std::this_thread::yield();
        results[i] = stores[i]->create(key, "creator " + std::to_string(i));
      });
    }
    for (std::thread& creator : creators) creator.join();
    std::vector<std::size_t> winners;
    for (std::size_t i = 0; i < kCreators; ++i) {
      if (results[i]->ok()) {
        winners.push_back(i);
      } else {
        INFO(results[i]->error().message);
        CHECK(results[i]->error().code == Errc::exists);
      }
    }
    REQUIRE(winners.size() == 1);
    CHECK(must(stores[0]->read(key, 100)) == "creator " + std::to_string(winners[0]));
  }
}

void replaces(const Open& open) {
  const auto keys = open();
  must(keys->replace("labels/best", "1.0"));
  must(keys->replace("labels/best", "a longer one"));
  must(keys->replace("labels/best", "1.1"));
  CHECK(must(keys->read("labels/best", 100)) == "1.1");
  CHECK(listed(*keys, "labels/") == std::set<std::string>{"labels/best"});
}

void reads_no_more_than_wanted(const Open& open) {
  const auto keys = open();
  must(keys->create("ten", "0123456789"));
  CHECK(must(keys->read("ten", 10)) == "0123456789");
  refused(keys->read("ten", 9), Errc::invalid, "ten");
  refused(keys->read("eleven", 10), Errc::not_found, "eleven");
  refused(keys->stream("eleven", [](std::string_view) -> Result<void> { return {}; }), Errc::not_found, "eleven");
  CHECK(must(keys->size("ten")) == 10U);
  CHECK_FALSE(must(keys->size("eleven")).has_value());
}

void puts_files(const Open& open, std::size_t size) {
  const TempFolder folder;
  const auto keys = open();
  const std::string bytes = some_bytes(size);
  const Path file = folder.write("file", bytes);
  const std::string key = "blobs/sha256/" + sha256(bytes).hex();
  CHECK(put(*keys, key, file, bytes) == size);
  CHECK(must(keys->size(key)) == size);
  CHECK((streamed(*keys, key) == bytes));
  CHECK(put(*keys, key, file, bytes) == 0);
  CHECK(put(*open(), key, file, bytes) == 0);
  CHECK(must(keys->unfinished("", kAnyTime, KeyStore::Unfinished::count)) == 0);
}

void refuses_other_content(const Open& open, std::size_t size) {
  const TempFolder folder;
  const auto keys = open();
  std::string bytes = some_bytes(size);
  const Digest digest = sha256(bytes);
  bytes[size / 2] = static_cast<char>(bytes[size / 2] ^ 1);
  const Path file = folder.write("file", bytes);
  const auto nothing = [](std::uint64_t) {};
  refused(keys->put("blobs/x", file, size, digest, nothing), Errc::corrupt, "blobs/x");
  CHECK_FALSE(must(keys->size("blobs/x")).has_value());
  CHECK_FALSE(keys->put("blobs/x", file, size + 1, sha256(bytes), nothing).ok());
  CHECK_FALSE(keys->put("blobs/x", file, size - 1, sha256(bytes), nothing).ok());
  refused(keys->put("blobs/x", folder.path() / "absent", size, digest, nothing), Errc::not_found, "absent");
  CHECK_FALSE(must(keys->size("blobs/x")).has_value());
  CHECK(listed(*keys, "").empty());
}

void passes_the_error_of_a_sink_on(const Open& open) {
  const auto keys = open();
  must(keys->create("key", some_bytes(100'000)));
  int pieces = 0;
  const auto ended = keys->stream("key", [&](std::string_view) -> Result<void> {
    ++pieces;
    return fail(Errc::cancelled, "enough");
  });
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error() == fail(Errc::cancelled, "enough"));
  CHECK(pieces == 1);
}

void lists_more_than_a_thousand_keys(const Open& open) {
  constexpr int kKeys = 1100;
  std::set<std::string> expected;
  for (int i = 0; i < kKeys; ++i) expected.insert("many/" + std::to_string(i % 7) + "/key_" + std::to_string(i) + ".x");
  std::vector<std::string> names(expected.begin(), expected.end());
  std::vector<std::thread> writers;
  std::atomic<int> failed{0};
  for (std::size_t first = 0; first < 4; ++first) {
    writers.emplace_back([&, first] {
      const auto keys = open();
      for (std::size_t i = first; i < names.size(); i += 4)
        if (!keys->create(names[i], "x").ok()) ++failed;
    });
  }
  for (std::thread& writer : writers) writer.join();
  REQUIRE(failed == 0);
  const auto keys = open();
  must(keys->create("other", "12345"));
  CHECK(listed(*keys, "many/") == expected);
  CHECK(listed(*keys, "").size() == kKeys + 1);
  CHECK(listed(*keys, "many/3/key_1").size() > 1);
  CHECK(listed(*keys, "nothing/").empty());
  must(keys->list("other", [](const KeyEntry& entry) -> Result<void> {
    CHECK(entry.bytes == 5);
    CHECK(entry.modified > Instant::parse("2020-01-01T00:00:00.000000Z").value());
    return {};
  }));
  const auto ended = keys->list("", [](const KeyEntry&) -> Result<void> { return fail(Errc::cancelled, "enough"); });
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().code == Errc::cancelled);
}

void reads_what_was_listed_and_nothing_else(const Open& open) {
  const auto keys = open();
  const auto entry_of = [&](const std::string& key) {
    std::optional<KeyEntry> found;
    must(keys->list(key, [&](const KeyEntry& entry) -> Result<void> {
      if (entry.key == key) found = entry;
      return {};
    }));
    REQUIRE(found);
    return *found;
  };
  std::string bytes;
  const KeyStore::Sink sink = [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  };
  must(keys->create("data/one", "first"));
  must(keys->create("data/none", ""));
  const KeyEntry first = entry_of("data/one");
  CHECK(must(keys->stream_listed(first, sink)).key == "data/one");
  CHECK(bytes == "first");
  must(keys->stream_listed(entry_of("data/none"), sink));
  CHECK(bytes == "first");
  must(keys->replace("data/one", "second"));
  refused(keys->stream_listed(first, sink), Errc::invalid, "data/one");
  CHECK(must(keys->stream_listed(entry_of("data/one"), sink)).bytes == 6);
  const KeyEntry second = entry_of("data/one");
  must(keys->remove("data/one"));
  refused(keys->stream_listed(second, sink), Errc::invalid, "data/one");
}

void removes(const Open& open) {
  const auto keys = open();
  must(keys->create("here/it/is", "x"));
  must(keys->remove("here/it/is"));
  must(keys->remove("here/it/is"));
  must(keys->remove("never/was"));
  CHECK_FALSE(must(keys->size("here/it/is")).has_value());
  CHECK(listed(*keys, "").empty());
  must(keys->create("here/it/is", "again"));
  CHECK(must(keys->read("here/it/is", 100)) == "again");
}

void survives_the_end_of_a_putting_process(const Open& open) {
  const TempFolder folder;
  const std::string bytes = some_bytes(kLarge, 7);
  const Path file = folder.write("file", bytes);
  put_and_die(open, "blobs/large", file, bytes, kLarge / 2);
  const auto keys = open();
  CHECK_FALSE(must(keys->size("blobs/large")).has_value());
  CHECK(put(*keys, "blobs/large", file, bytes) <= bytes.size());
  CHECK((streamed(*keys, "blobs/large") == bytes));
  CHECK(listed(*keys, "") == std::set<std::string>{"blobs/large"});
}

void counts_and_abandons_what_was_never_finished(const Open& open) {
  const TempFolder folder;
  const std::string bytes = some_bytes(kLarge, 8);
  const Path file = folder.write("file", bytes);
  put_and_die(open, "blobs/one", file, bytes, kLarge / 2);
  put_and_die(open, "blobs/two", file, bytes, kLarge / 2);
  const auto keys = open();
  using Unfinished = KeyStore::Unfinished;
  CHECK(must(keys->unfinished("", kNever, Unfinished::abandon)) == 0);
  CHECK(must(keys->unfinished("elsewhere/", kAnyTime, Unfinished::abandon)) == 0);
  const std::uint64_t left = must(keys->unfinished("blobs/", kAnyTime, Unfinished::count));
  CHECK(left <= 2);
  CHECK(must(keys->unfinished("", kAnyTime, Unfinished::count)) == left);
  CHECK(must(keys->unfinished("blobs/", kAnyTime, Unfinished::abandon)) == left);
  CHECK(must(keys->unfinished("", kAnyTime, Unfinished::count)) == 0);
  CHECK(put(*keys, "blobs/one", file, bytes) == bytes.size());
  CHECK((streamed(*keys, "blobs/one") == bytes));
}

void lets_several_put_the_same(const Open& open) {
  const TempFolder folder;
  const std::string bytes = some_bytes(kLarge, 9);
  const Path file = folder.write("file", bytes);
  std::vector<std::optional<Result<void>>> results(3);
  std::vector<std::thread> publishers;
  for (auto& result : results) {
    publishers.emplace_back(
        [&] { result = open()->put("blobs/same", file, bytes.size(), sha256(bytes), [](std::uint64_t) {}); });
  }
  for (std::thread& publisher : publishers) publisher.join();
  for (auto& result : results) must(std::move(*result));
  CHECK((streamed(*open(), "blobs/same") == bytes));
}

void proves_itself(const Open& open) {
  const auto keys = open();
  must(keys->probe());
  CHECK(listed(*keys, "").empty());
  must(keys->create("x", "x"));
  must(keys->probe());
  CHECK(listed(*keys, "") == std::set<std::string>{"x"});
  CHECK_FALSE(keys->text().empty());
}

}  // namespace

std::vector<Promise> promises() {
  return {
      {"a key is created once", creates_once},
      {"of many who create a key at once, one wins", lets_one_of_many_creators_win},
      {"a key can be replaced", replaces},
      {"no more is read than wanted, and nothing where there is nothing", reads_no_more_than_wanted},
      {"a small file is put, and put again for nothing", [](const Open& open) { puts_files(open, 1000); }},
      {"an empty file is put", [](const Open& open) { puts_files(open, 0); }},
      {"a large file is put, and put again for nothing", [](const Open& open) { puts_files(open, kLarge); }},
      {"a small file of another digest or size is refused",
       [](const Open& open) { refuses_other_content(open, 1000); }},
      {"a large file of another digest or size is refused",
       [](const Open& open) { refuses_other_content(open, kLarge); }},
      {"the error of a sink is passed on", passes_the_error_of_a_sink_on},
      {"more than a thousand keys are listed", lists_more_than_a_thousand_keys},
      {"what was listed is read, and nothing else under its key", reads_what_was_listed_and_nothing_else},
      {"a key is removed, and removed again", removes},
      {"a put that was interrupted can be repeated", survives_the_end_of_a_putting_process},
      {"what was never finished is counted and abandoned", counts_and_abandons_what_was_never_finished},
      {"several put the same file at once", lets_several_put_the_same},
      {"a trial leaves nothing behind", proves_itself},
  };
}

std::string some_bytes(std::size_t size, unsigned seed) {
  std::string bytes;
  bytes.reserve(size + 16);
  for (std::uint64_t i = 0; bytes.size() < size; ++i) {
    std::uint64_t word = (i + 1) * 0x9E3779B97F4A7C15U + seed;
    word ^= word >> 29U;
    word *= 0xBF58476D1CE4E5B9U;
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  bytes.resize(size);
  return bytes;
}

std::string streamed(KeyStore& keys, const std::string& key) {
  std::string bytes;
  must(keys.stream(key, [&](std::string_view piece) -> Result<void> {
    bytes += piece;
    return {};
  }));
  return bytes;
}

void put_and_die(const Open& open, const std::string& key, const Path& file, const std::string& bytes,
                 std::uint64_t enough) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::atomic<std::uint64_t> gone{0};
    const auto done = open()->put(key, file, bytes.size(), sha256(bytes), [&](std::uint64_t moved) {
      if ((gone += moved) >= enough) ::_exit(7);
    });
    ::_exit(done.ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 7);
}

}  // namespace trainyard::key_store_contract
