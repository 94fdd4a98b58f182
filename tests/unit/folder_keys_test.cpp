// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/folder_keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/small_disk.hpp"

namespace trainyard::folder_keys_test {
namespace {

constexpr Instant kFarFuture{std::int64_t{1} << 60};

struct Folder {
  TempFolder temporary;
  Path root = temporary.path() / "remote";
  RateLimit limit;
  FolderKeys keys{root, limit};

  Folder() { REQUIRE(keys.probe().ok()); }

  std::set<std::string> listed(const std::string& prefix) {
    std::set<std::string> all;
    const auto done = keys.list(prefix, [&](const KeyEntry& entry) -> Result<void> {
      all.insert(entry.key);
      return {};
    });
    if (!done.ok()) FAIL(done.error().message);
    return all;
  }
  [[nodiscard]] std::size_t in_scratch() const { return list_folder(root / "tmp").value().size(); }
};

template <class Value>
Errc code_of(const Result<Value>& result) {
  REQUIRE_FALSE(result.ok());
  const std::string& message = result.error().message;
  INFO(message);
  CHECK(message.size() > 20);
  CHECK(message.find('\n') == std::string::npos);
  return result.error().code;
}

}  // namespace

TEST_CASE("a folder keeps what is created, replaced, put and removed", "[remotes]") {
  Folder folder;
  FolderKeys& keys = folder.keys;
  CHECK(folder.listed("") == std::set<std::string>{"trainyard-remote.json"});
  REQUIRE(keys.create("a/b/one.json", "first").ok());
  CHECK(code_of(keys.create("a/b/one.json", "second")) == Errc::exists);
  CHECK(keys.read("a/b/one.json", 5).value() == "first");
  CHECK(code_of(keys.read("a/b/one.json", 4)) == Errc::invalid);
  CHECK(keys.size("a/b/one.json").value() == 5);
  REQUIRE(keys.replace("a/b/one.json", "third time").ok());
  REQUIRE(keys.replace("a/b/two", "").ok());
  CHECK(keys.read("a/b/one.json", 100).value() == "third time");
  CHECK(keys.read("a/b/two", 0).value().empty());
  CHECK(code_of(keys.read("a/b/three", 9)) == Errc::not_found);
  CHECK(code_of(keys.read("c/d", 9)) == Errc::not_found);
  CHECK(keys.size("c/d").value() == std::nullopt);
  CHECK(folder.listed("a/") == std::set<std::string>{"a/b/one.json", "a/b/two"});
  CHECK(folder.listed("a/b/o") == std::set<std::string>{"a/b/one.json"});
  CHECK(folder.listed("b").empty());
  CHECK(folder.listed("nothing/here").empty());
  REQUIRE(keys.remove("a/b/two").ok());
  REQUIRE(keys.remove("a/b/two").ok());
  REQUIRE(keys.remove("x/y/z").ok());
  CHECK(folder.listed("a/") == std::set<std::string>{"a/b/one.json"});
  CHECK(folder.in_scratch() == 0);
  CHECK(keys.probe().ok());
  CHECK(keys.text() == "file://" + folder.root.string());
}

TEST_CASE("a folder takes a file by its digest, whole or not at all", "[remotes]") {
  Folder folder;
  std::string text;
  while (text.size() < 10'000'000) text += "all work and no play " + std::to_string(text.size());
  const Path file = folder.temporary.write("big", text);
  const Digest digest = sha256(text);
  std::atomic<std::uint64_t> moved{0};
  const auto count = [&](std::uint64_t bytes) { moved += bytes; };
  REQUIRE(folder.keys.put("blobs/big", file, text.size(), digest, count).ok());
  CHECK(moved == text.size());
  CHECK(folder.keys.read("blobs/big", text.size()).value() == text);
  REQUIRE(folder.keys.put("blobs/big", file, text.size(), digest, count).ok());
  CHECK(moved == text.size());
  CHECK(code_of(folder.keys.put("blobs/other", file, text.size(), sha256("x"), count)) == Errc::corrupt);
  CHECK(code_of(folder.keys.put("blobs/other", file, text.size() - 1, digest, count)) == Errc::corrupt);
  CHECK(code_of(folder.keys.put("blobs/other", file, text.size() + 1, digest, count)) == Errc::corrupt);
  CHECK(code_of(folder.keys.put("blobs/other", folder.temporary.path() / "none", 1, digest, count)) == Errc::not_found);
  CHECK(folder.listed("blobs/") == std::set<std::string>{"blobs/big"});
  const Path empty = folder.temporary.write("empty", "");
  CHECK(folder.keys.put("blobs/empty", empty, 0, sha256(""), nullptr).ok());
  CHECK(folder.keys.size("blobs/empty").value() == 0);
  CHECK(folder.in_scratch() == 0);
}

TEST_CASE("a folder keeps to the rate that it is given", "[remotes]") {
  Folder folder;
  const std::string text(100'000, 'x');
  const Path file = folder.temporary.write("file", text);
  std::chrono::nanoseconds time{std::chrono::hours(1)};
  RateLimit limit(10'000, {[&] { return time; }, [&](std::chrono::nanoseconds pause) { time += pause; }});
  FolderKeys slow(folder.root, limit);
  const auto began = time;
  std::uint64_t largest = 0;
  REQUIRE(slow.put("blobs/x", file, text.size(), sha256(text), [&](std::uint64_t n) { largest = std::max(largest, n); })
              .ok());
  CHECK(time - began > std::chrono::milliseconds(9800));
  CHECK(time - began < std::chrono::milliseconds(10'200));
  CHECK(largest <= 1000);
  CHECK(slow.read("blobs/x", text.size()).value() == text);
  CHECK(time - began > std::chrono::milliseconds(19'800));
}

TEST_CASE("files of a remote folder can be read by others as the umask has it, and written by none", "[remotes]") {
  Folder folder;
  const mode_t before = ::umask(027);
  REQUIRE(folder.keys.create("a/b", "text").ok());
  REQUIRE(folder.keys.put("a/c", folder.temporary.write("file", "text"), 4, sha256("text"), nullptr).ok());
  ::umask(before);
  CHECK((status_of(folder.root / "a/b").value()->st_mode & 0777U) == 0440U);
  CHECK((status_of(folder.root / "a/c").value()->st_mode & 0777U) == 0440U);
  CHECK((status_of(folder.root / "a").value()->st_mode & 0777U) == 0750U);
}

TEST_CASE("of many who create the same key in a folder, one succeeds", "[remotes][threads]") {
  Folder folder;
  for (int round = 0; round < 20; ++round) {
    const std::string key = "race/" + std::to_string(round) + "/deep/key";
    std::atomic<int> won{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        FolderKeys own(folder.root, folder.limit);
        const auto created = own.create(key, std::to_string(i));
        if (created.ok()) ++won;
        if (!created.ok() && created.error().code == Errc::exists) ++lost;
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(won == 1);
    CHECK(lost == 7);
  }
}

TEST_CASE("no key climbs out of a folder", "[remotes]") {
  Folder folder;
  folder.temporary.write("outside", "secret");
  for (const std::string& key : std::vector<std::string>{
           "", "/", "/etc/passwd", "..", ".", "a/../../outside", "../outside", "a//b", "a/", "a b", "a\\b",
           std::string("a\0b", 3), "a\nb", "ä", "a+b", "a:b", std::string(256, 'a'), "*", "a/./b"}) {
    INFO(key);
    CHECK(code_of(folder.keys.create(key, "x")) == Errc::invalid);
    CHECK(code_of(folder.keys.replace(key, "x")) == Errc::invalid);
    CHECK(code_of(folder.keys.read(key, 9)) == Errc::invalid);
    CHECK(code_of(folder.keys.size(key)) == Errc::invalid);
    CHECK(code_of(folder.keys.remove(key)) == Errc::invalid);
  }
  CHECK(code_of(folder.keys.list("../", [](const KeyEntry&) -> Result<void> { return {}; })) == Errc::invalid);
  CHECK(folder.temporary.read("outside") == "secret");
}

TEST_CASE("no link that was planted in a folder is followed", "[remotes]") {
  Folder folder;
  const Path outside = folder.temporary.folder("outside");
  folder.temporary.write("outside/key", "secret");
  REQUIRE(folder.keys.create("pkg/blobs/good", "good").ok());
  boost::filesystem::create_symlink(outside, folder.root / "linked");
  boost::filesystem::create_symlink(outside / "key", folder.root / "pkg/blobs/key");
  boost::filesystem::create_symlink(outside / "fresh", folder.root / "pkg/blobs/dangling");
  REQUIRE(::mkfifo((folder.root / "pkg/blobs/fifo").c_str(), 0600) == 0);
  FolderKeys& keys = folder.keys;
  CHECK(code_of(keys.create("linked/new", "x")) == Errc::corrupt);
  CHECK(code_of(keys.read("linked/key", 9)) == Errc::corrupt);
  CHECK(code_of(keys.remove("linked/key")) == Errc::corrupt);
  CHECK(code_of(keys.read("pkg/blobs/key", 9)) == Errc::corrupt);
  CHECK(code_of(keys.size("pkg/blobs/key")) == Errc::corrupt);
  CHECK(code_of(keys.read("pkg/blobs/fifo", 9)) == Errc::corrupt);
  CHECK(code_of(keys.create("pkg/blobs/dangling", "x")) == Errc::exists);
  CHECK(code_of(keys.create("pkg/blobs/good/below", "x")) == Errc::corrupt);
  CHECK(folder.listed("pkg/") == std::set<std::string>{"pkg/blobs/good"});
  CHECK(folder.listed("linked").empty());
  // Replacing puts a file in the link's place and leaves what it led to.
  CHECK(keys.replace("pkg/blobs/key", "mine").ok());
  CHECK(keys.remove("pkg/blobs/dangling").ok());
  CHECK(folder.temporary.read("outside/key") == "secret");
  CHECK(list_folder(outside).value() == std::vector<std::string>{"key"});
  SECTION("nor is one in the place of tmp") {
    REQUIRE(remove_tree(folder.root / "tmp").ok());
    boost::filesystem::create_symlink(outside, folder.root / "tmp");
    CHECK(code_of(keys.create("pkg/fresh", "x")) == Errc::corrupt);
    CHECK(code_of(keys.unfinished("", kFarFuture, KeyStore::Unfinished::abandon)) == Errc::corrupt);
    CHECK(list_folder(outside).value() == std::vector<std::string>{"key"});
  }
}

TEST_CASE("a folder that is not the remote any more is refused, and not made anew", "[remotes]") {
  Folder folder;
  REQUIRE(folder.keys.create("pkg/a", "a").ok());
  const Path file = folder.temporary.write("file", "text");
  REQUIRE(rename_path(folder.root, folder.temporary.path() / "away").ok());
  CHECK(code_of(folder.keys.create("pkg/b", "b")) == Errc::unavailable);
  CHECK(code_of(folder.keys.read("pkg/a", 9)) == Errc::unavailable);
  CHECK(code_of(folder.keys.put("pkg/c", file, 4, sha256("text"), nullptr)) == Errc::unavailable);
  CHECK_FALSE(is_there(folder.root));
  // What an unmounted disk leaves.
  REQUIRE(make_folder(folder.root).ok());
  CHECK(code_of(folder.keys.create("pkg/b", "b")) == Errc::not_found);
  CHECK(code_of(folder.keys.put("pkg/c", file, 4, sha256("text"), nullptr)) == Errc::not_found);
  CHECK(code_of(folder.keys.list("", [](const KeyEntry&) -> Result<void> { return {}; })) == Errc::not_found);
  CHECK(list_folder(folder.root).value().empty());
}

TEST_CASE("what is left of interrupted writing is found by key and age", "[remotes]") {
  Folder folder;
  const Path file = folder.temporary.write("file", std::string(100'000, 'x'));
  const pid_t child = ::fork();
  if (child == 0) {
    FolderKeys own(folder.root, folder.limit);
    static_cast<void>(own.put("pkg/blobs/x", file, 100'000, sha256("x"), [](std::uint64_t) { ::_exit(0); }));
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(folder.in_scratch() == 1);
  CHECK(folder.listed("") == std::set<std::string>{"trainyard-remote.json"});
  // A package may be called tmp.
  REQUIRE(folder.keys.create("tmp/blobs/y", "y").ok());
  CHECK(folder.listed("tmp/") == std::set<std::string>{"tmp/blobs/y"});
  const auto unfinished = [&](const std::string& prefix, Instant before, KeyStore::Unfinished what) {
    return folder.keys.unfinished(prefix, before, what).value();
  };
  CHECK(unfinished("", Instant{0}, KeyStore::Unfinished::abandon) == 0);
  CHECK(unfinished("other/", kFarFuture, KeyStore::Unfinished::abandon) == 0);
  CHECK(unfinished("pkg/", kFarFuture, KeyStore::Unfinished::count) == 1);
  CHECK(unfinished("", kFarFuture, KeyStore::Unfinished::count) == 1);
  CHECK(unfinished("pkg/", kFarFuture, KeyStore::Unfinished::abandon) == 1);
  CHECK(unfinished("", kFarFuture, KeyStore::Unfinished::count) == 0);
  CHECK(folder.listed("tmp/") == std::set<std::string>{"tmp/blobs/y"});
}

TEST_CASE("a full disk of a remote folder is said plainly, and nothing half is left", "[remotes]") {
  const TempFolder temporary;
  const Path root = temporary.folder("disk");
  const SmallDisk disk(root, "size=1m");
  if (!disk.ok()) return;
  RateLimit limit;
  FolderKeys keys(root, limit);
  REQUIRE(keys.probe().ok());
  const std::string text(3 << 20, 'x');
  const Path file = temporary.write("big", text);
  const auto put = keys.put("pkg/big", file, text.size(), sha256(text), nullptr);
  CHECK(code_of(put) == Errc::unavailable);
  CHECK(put.error().message.find("no room is left") != std::string::npos);
  CHECK(code_of(keys.create("pkg/big", text)) == Errc::unavailable);
  CHECK(keys.size("pkg/big").value() == std::nullopt);
  CHECK(list_folder(root / "tmp").value().empty());
  CHECK(keys.create("pkg/small", "fits").ok());
}

TEST_CASE("a remote folder that may not be written is refused", "[remotes]") {
  SECTION("a read-only disk") {
    const TempFolder temporary;
    const Path root = temporary.folder("disk");
    const SmallDisk disk(root, "size=1m");
    if (!disk.ok()) return;
    RateLimit limit;
    FolderKeys keys(root, limit);
    REQUIRE(keys.probe().ok());
    REQUIRE(keys.create("pkg/a", "a").ok());
    REQUIRE(::mount("small", root.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=1m") == 0);
    CHECK(code_of(keys.create("pkg/b", "b")) == Errc::io);
    CHECK(code_of(keys.probe()) == Errc::io);
    CHECK(code_of(keys.remove("pkg/a")) == Errc::io);
    CHECK(keys.read("pkg/a", 9).value() == "a");
  }
  SECTION("the permission of somebody else") {
    if (::geteuid() != 0) return;
    Folder folder;
    REQUIRE(folder.keys.create("pkg/a", "a").ok());
    boost::filesystem::permissions(folder.temporary.path(), boost::filesystem::perms(0755));
    const pid_t child = ::fork();
    if (child == 0) {
      if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(9);
      FolderKeys own(folder.root, folder.limit);
      const auto created = own.create("pkg/b", "b");
      const bool refused = !created.ok() && created.error().code == Errc::io;
      ::_exit(refused && own.read("pkg/a", 9).ok() && !own.probe().ok() ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(folder.listed("pkg/") == std::set<std::string>{"pkg/a"});
  }
}

TEST_CASE("a folder can be made a remote where its name is free, and not where a file is", "[remotes]") {
  const TempFolder temporary;
  RateLimit limit;
  FolderKeys deep(temporary.path() / "a/b/c", limit);
  CHECK(deep.probe().ok());
  CHECK(temporary.read("a/b/c/trainyard-remote.json") == kRemoteFileText);
  CHECK(list_folder(temporary.path() / "a/b/c/tmp").value().empty());
  temporary.write("file", "");
  FolderKeys file(temporary.path() / "file", limit);
  CHECK_FALSE(file.probe().ok());
}

}  // namespace trainyard::folder_keys_test
