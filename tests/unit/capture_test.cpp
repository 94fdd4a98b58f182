// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/capture.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <cstring>

#include "storage/objects/memory_objects.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::capture_test {
namespace {

CapturedFolder captured(const Path& folder, const CaptureOptions& options = {}) {
  auto result = capture(folder, options);
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

std::string refusal(const Path& folder, const CaptureOptions& options = {}) {
  const auto result = capture(folder, options);
  return result.ok() ? "" : result.error().message;
}

std::optional<TreeEntry> found(const Tree& tree, const char* path) { return tree.find(RelPath::parse(path).value()); }

// One reader, who does something after its first file and before its second.
CaptureOptions after_first_file(std::function<void()> act) {
  CaptureOptions options;
  options.threads = 1;
  options.progress = [act = std::move(act)](const CaptureProgress& progress) {
    if (progress.files_done == 1) act();
  };
  return options;
}

// A store under whose eyes something happens to a file, once it is open and before it is read.
class Meddling final : public ObjectStore {
 public:
  explicit Meddling(std::function<void()> act) : act_(std::move(act)) {}
  Result<Digest> put(std::string_view bytes) override { return memory_.put(bytes); }
  Result<StoredObject> put_file(int fd, std::uint64_t expected, const Path& shown) override {
    act_();
    return memory_.put_file(fd, expected, shown);
  }
  std::unique_ptr<ObjectWriter> writer(Cut cut) override { return memory_.writer(cut); }
  Result<bool> has(const Digest& digest) override { return memory_.has(digest); }
  Result<std::uint64_t> stream(const Digest& digest, const ByteSink& sink) override {
    return memory_.stream(digest, sink);
  }
  Result<void> stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) override {
    return memory_.stream_each(wanted, receiver);
  }
  Result<void> sync() override { return {}; }

 private:
  MemoryObjects memory_;
  std::function<void()> act_;
};

// A store whose one object is five GiB of zeros, which it takes and yields without reading or keeping them.
class Zeros final : public ObjectStore {
 public:
  static constexpr std::uint64_t kBytes = std::uint64_t{5} << 30U;
  Result<Digest> put(std::string_view bytes) override { return sha256(bytes); }
  Result<StoredObject> put_file(int /*fd*/, std::uint64_t expected, const Path& /*shown*/) override {
    return StoredObject{sha256("zeros"), expected};
  }
  std::unique_ptr<ObjectWriter> writer(Cut /*cut*/) override { return nullptr; }
  Result<bool> has(const Digest& /*digest*/) override { return true; }
  Result<std::uint64_t> stream(const Digest& /*digest*/, const ByteSink& sink) override {
    const std::string piece(std::size_t{1} << 20U, '\0');
    for (std::uint64_t at = 0; at < kBytes; at += piece.size()) TRY(sink(piece));
    return kBytes;
  }
  Result<void> stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) override {
    TRY(stream(wanted.front(), [&](std::string_view piece) { return receiver.piece(0, piece); }));
    return receiver.end(0, Result<void>());
  }
  Result<void> sync() override { return {}; }
};

}  // namespace

TEST_CASE("a folder becomes its tree", "[capture]") {
  const TempFolder folder;
  folder.write("b.csv", "1,2\n");
  folder.write("a/deep/er/file", "");
  folder.write("run.sh", "#!/bin/sh\n");
  folder.write("\xFFraw 100%", "x");
  folder.folder("empty/also empty");
  REQUIRE(::chmod((folder.path() / "run.sh").c_str(), 0755) == 0);
  const Tree tree = captured(folder.path()).tree;
  CHECK(tree.size() == 5);
  CHECK(tree.files() == 4);
  CHECK(tree.bytes() == 15);
  REQUIRE(found(tree, "b.csv"));
  CHECK(found(tree, "b.csv")->digest == sha256("1,2\n"));
  CHECK(found(tree, "b.csv")->size == 4);
  CHECK_FALSE(found(tree, "b.csv")->executable);
  CHECK(found(tree, "run.sh")->executable);
  CHECK(found(tree, "a/deep/er/file")->digest == sha256(""));
  REQUIRE(found(tree, "empty/also empty"));
  CHECK(found(tree, "empty/also empty")->kind == TreeEntry::Kind::empty_folder);
  CHECK_FALSE(found(tree, "empty"));
  REQUIRE(found(tree, "\xFFraw 100%"));
  CHECK(found(tree, "\xFFraw 100%")->path.text() == "%FFraw 100%25");
  CHECK(captured(folder.path() / "empty" / "also empty").tree == Tree());
}

TEST_CASE("times, owners and other bits are no content", "[capture]") {
  const TempFolder folder;
  const Path file = folder.write("a", "1");
  const Digest before = captured(folder.path()).tree.digest();
  REQUIRE(::chmod(file.c_str(), 0664) == 0);
  boost::filesystem::last_write_time(file, 1'000'000);
  CHECK(captured(folder.path()).tree.digest() == before);
  REQUIRE(::chmod(file.c_str(), 0764) == 0);
  CHECK(captured(folder.path()).tree.digest() != before);
}

TEST_CASE("many readers find what one finds", "[capture][threads]") {
  const TempFolder folder;
  for (int i = 0; i < 300; ++i) {
    folder.write("data/" + std::to_string(i % 17) + "/file " + std::to_string(i),
                 std::string(static_cast<std::size_t>(i) * 37, static_cast<char>(i)));
  }
  folder.folder("empty");
  MemoryObjects objects;
  CaptureOptions one;
  one.threads = 1;
  CaptureOptions many;
  many.threads = 8;
  many.objects = &objects;
  CaptureProgress last;
  many.progress = [&](const CaptureProgress& progress) { last = progress; };
  const CapturedFolder by_one = captured(folder.path(), one);
  const CapturedFolder by_many = captured(folder.path(), many);
  CHECK(by_one.tree == by_many.tree);
  CHECK((by_one.stamps == by_many.stamps));
  CHECK(by_one.tree.files() == 300);
  CHECK(captured(folder.path()).tree == by_one.tree);
  CHECK(last.files == 300);
  CHECK(last.files_done > 0);
  CHECK(last.bytes == by_one.tree.bytes());
  bool all = true;
  for (const TreeEntry& entry : by_many.tree.entries())
    all = all && (!entry.digest || objects.has(*entry.digest).value());
  CHECK(all);
}

TEST_CASE("what is neither file nor folder is named", "[capture]") {
  const TempFolder folder;
  folder.write("a", "1");
  const Path odd = folder.folder("sub") / "odd";
  std::string kind;
  SECTION("a link to a file") {
    kind = "a symbolic link";
    REQUIRE(::symlink("../a", odd.c_str()) == 0);
  }
  SECTION("a link to a folder") {
    kind = "a symbolic link";
    REQUIRE(::symlink("/etc", odd.c_str()) == 0);
  }
  SECTION("a dangling link") {
    kind = "a symbolic link";
    REQUIRE(::symlink("nowhere", odd.c_str()) == 0);
  }
  SECTION("a fifo") {
    kind = "a fifo";
    REQUIRE(::mkfifo(odd.c_str(), 0600) == 0);
  }
  SECTION("a socket") {
    kind = "a socket";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(odd.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, odd.c_str(), odd.size());
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  CHECK(refusal(folder.path()) == "'" + odd.string() + "' is " + kind + "; only regular files and folders can be kept");
  CHECK(capture(folder.path(), {}).error().code == Errc::invalid);
}

TEST_CASE("a file that changes while a folder is read is named", "[capture]") {
  const TempFolder folder;
  folder.write("a", "1");
  const Path victim = folder.write("sub/b", "2");
  const TempFolder elsewhere;
  elsewhere.write("b", "2");
  const std::string changed = "'" + victim.string() + "' changed while it was read";
  SECTION("it grows") {
    CHECK(refusal(folder.path(), after_first_file([&] { folder.write("sub/b", "22"); })) == changed);
  }
  SECTION("it vanishes") {
    CHECK(refusal(folder.path(), after_first_file([&] { boost::filesystem::remove(victim); })) == changed);
  }
  SECTION("it becomes executable") {
    CHECK(refusal(folder.path(), after_first_file([&] { ::chmod(victim.c_str(), 0777); })) == changed);
  }
  SECTION("another takes its name") {
    CHECK(refusal(folder.path(),
                  after_first_file([&] { boost::filesystem::rename(folder.write("new", "2"), victim); })) == changed);
  }
  SECTION("a fifo takes its name") {
    CHECK(refusal(folder.path(), after_first_file([&] {
                    boost::filesystem::remove(victim);
                    static_cast<void>(::mkfifo(victim.c_str(), 0600));
                  })) == changed);
  }
  SECTION("its folder vanishes") {
    CHECK(refusal(folder.path(), after_first_file([&] { boost::filesystem::remove_all(victim.parent_path()); })) ==
          changed);
  }
  SECTION("a link takes its name") {
    const std::string message = refusal(folder.path(), after_first_file([&] {
                                          boost::filesystem::remove(victim);
                                          boost::filesystem::create_symlink(elsewhere.path() / "b", victim);
                                        }));
    CHECK(message.find(victim.string()) != std::string::npos);
  }
  SECTION("a link takes the name of its folder") {
    const std::string message =
        refusal(folder.path(), after_first_file([&] {
                  boost::filesystem::rename(folder.path() / "sub", elsewhere.path() / "sub");
                  boost::filesystem::create_directory_symlink(elsewhere.path() / "sub", folder.path() / "sub");
                }));
    CHECK(message.find(victim.string()) != std::string::npos);
  }
}

TEST_CASE("a file that changes under its reader is named", "[capture]") {
  const TempFolder folder;
  // Too large to be read together with others, which nothing can come between.
  const std::string content(200'000, '1');
  const Path victim = folder.write("sub/victim", content);
  std::function<void()> act;
  SECTION("it grows") {
    act = [&] { folder.write("sub/victim", content + "5"); };
  }
  SECTION("it shrinks") {
    act = [&] { folder.write("sub/victim", content.substr(1)); };
  }
  SECTION("it grows beyond what anybody expected") {
    act = [&] { folder.write("sub/victim", std::string(3'000'000, 'x')); };
  }
  SECTION("it vanishes") {
    act = [&] { boost::filesystem::remove(victim); };
  }
  SECTION("another takes its name") {
    act = [&] { boost::filesystem::rename(folder.write("new", std::string(200'000, '5')), victim); };
  }
  Meddling objects(act);
  CaptureOptions options;
  options.objects = &objects;
  CHECK(refusal(folder.path(), options) == "'" + victim.string() + "' changed while it was read");
}

TEST_CASE("a file that cannot be read is named", "[capture]") {
  if (::geteuid() == 0) return;  // nothing is closed to root
  const TempFolder folder;
  const Path closed = folder.write("closed", "1");
  REQUIRE(::chmod(closed.c_str(), 0) == 0);
  CHECK(refusal(folder.path()) == "cannot open '" + closed.string() + "': Permission denied");
}

TEST_CASE("a file may have more than 4 GiB", "[capture]") {
  const TempFolder folder;
  const Path data = folder.folder("data");
  REQUIRE(::truncate(folder.write("data/large", "").c_str(), static_cast<off_t>(Zeros::kBytes)) == 0);
  Zeros objects;
  CaptureOptions options;
  options.objects = &objects;
  options.cache = folder.path() / "cache";
  const CapturedFolder first = captured(data, options);
  CHECK(first.tree.bytes() == Zeros::kBytes);
  CHECK(first.tree.entry(0).size == Zeros::kBytes);
  REQUIRE(keep_cache(first).ok());
  CHECK(captured(data, options).tree == first.tree);
  REQUIRE(checkout(first.tree, objects, folder.path() / "out").ok());
  const auto status = status_of(folder.path() / "out" / "large").value();
  CHECK(status->st_size == static_cast<off_t>(Zeros::kBytes));
  CHECK(status->st_blocks < 1000);
}

TEST_CASE("what is not wanted is not looked at", "[capture]") {
  const TempFolder folder;
  folder.write("keep/a", "1");
  folder.write("artifacts/b", "2");
  folder.write("keep/__pycache__/c", "3");
  REQUIRE(::mkfifo((folder.path() / "artifacts" / "fifo").c_str(), 0600) == 0);
  std::vector<std::string> asked;
  CaptureOptions options;
  options.wanted = [&](const RelPath& path) {
    asked.push_back(path.text());
    return path.bytes() != "artifacts" && path.name() != "__pycache__";
  };
  const Tree tree = captured(folder.path(), options).tree;
  REQUIRE(tree.size() == 1);
  CHECK(tree.entry(0).path.text() == "keep/a");
  std::sort(asked.begin(), asked.end());
  CHECK(asked == std::vector<std::string>{"artifacts", "keep", "keep/__pycache__", "keep/a"});
}

TEST_CASE("folders are followed to a bounded depth", "[capture]") {
  const TempFolder folder;
  Path deep = folder.path();
  for (std::size_t i = 0; i < limits::kFolderDepth; ++i) deep /= "d";
  make_folders(deep).value();
  CHECK(captured(folder.path()).tree.size() == 1);
  const Tree tree = captured(folder.path()).tree;
  MemoryObjects objects;
  REQUIRE(checkout(tree, objects, folder.path() / "out").ok());
  CHECK(captured(folder.path() / "out").tree == tree);
  boost::filesystem::remove_all(folder.path() / "out");
  make_folder(deep / "d").value();
  const std::string message = refusal(folder.path());
  CHECK(message == "'" + (deep / "d").string() + "' lies too deep: more than 512 folders");
}

TEST_CASE("a folder that is not there, or is none, is an error", "[capture]") {
  const TempFolder folder;
  CHECK(capture(folder.path() / "no", {}).error().code == Errc::not_found);
  CHECK_FALSE(capture(folder.write("file", "1"), {}).ok());
}

TEST_CASE("a later change is told by names and stamps alone", "[capture]") {
  const TempFolder folder;
  const Path file = folder.write("b", "2");
  folder.write("d/e", "3");
  folder.folder("empty");
  const CapturedFolder before = captured(folder.path());
  const auto change = [&] { return change_since(folder.path(), before).value(); };
  CHECK(change() == std::nullopt);
  const auto shown = [&](const char* path) { return "'" + (folder.path() / path).string() + "'"; };
  SECTION("changed") {
    folder.write("b", "22");
    CHECK(change() == shown("b") + " was changed");
  }
  SECTION("executable") {
    REQUIRE(::chmod(file.c_str(), 0755) == 0);
    CHECK(change() == shown("b") + " was changed");
  }
  SECTION("added first") {
    folder.write("a", "1");
    CHECK(change() == shown("a") + " was added");
  }
  SECTION("added last") {
    folder.write("z", "1");
    CHECK(change() == shown("z") + " was added");
  }
  SECTION("removed") {
    boost::filesystem::remove(folder.path() / "d" / "e");
    CHECK(change() == shown("d") + " was added");  // an empty folder now
  }
  SECTION("removed whole") {
    boost::filesystem::remove_all(folder.path() / "d");
    CHECK(change() == shown("d/e") + " was removed");
  }
  SECTION("removed last") {
    boost::filesystem::remove(folder.path() / "empty");
    CHECK(change() == shown("empty") + " was removed");
  }
  SECTION("filled") {
    folder.write("empty/x", "1");
    CHECK(change() == shown("empty") + " was removed");
  }
}

TEST_CASE("a tree is an object too", "[capture]") {
  const TempFolder folder;
  folder.write("a", "1");
  MemoryObjects objects;
  const Tree tree = captured(folder.path()).tree;
  const TreeSummary summary = store_tree(tree, objects).value();
  CHECK(summary == TreeSummary::of(tree));
  CHECK(load_tree(summary.digest, objects).value() == tree);
  CHECK(load_tree(sha256("no"), objects).error().code == Errc::not_found);
  const Digest other = objects.put("{}").value();
  const auto wrong = load_tree(other, objects);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == Errc::corrupt);
  CHECK(wrong.error().message.starts_with("the object " + other.hex() + " is not a tree: "));
  objects.damage(summary.digest);
  CHECK(load_tree(summary.digest, objects).error().code == Errc::corrupt);
}

TEST_CASE("one file of a tree can be read", "[capture]") {
  const TempFolder folder;
  folder.write("data/train.csv", "1,2\n");
  folder.folder("none");
  MemoryObjects objects;
  CaptureOptions options;
  options.objects = &objects;
  const Tree tree = captured(folder.path(), options).tree;
  std::string bytes;
  const auto read = [&](const char* path) {
    return stream_file(tree, RelPath::parse(path).value(), objects, [&](std::string_view piece) -> Result<void> {
      bytes += piece;
      return {};
    });
  };
  CHECK(read("data/train.csv").value() == 4);
  CHECK(bytes == "1,2\n");
  CHECK(read("data/trian.csv").error() ==
        fail(Errc::not_found, "the tree has no file 'data/trian.csv'; did you mean 'data/train.csv'?"));
  CHECK(read("data").error() == fail(Errc::invalid, "'data' is a folder; name a file in it"));
  CHECK(read("none").error() == fail(Errc::invalid, "'none' is an empty folder"));
  objects.forget(sha256("1,2\n"));
  CHECK(read("data/train.csv").error().code == Errc::not_found);
}

TEST_CASE("entries are in the order of whole paths", "[capture]") {
  const TempFolder folder;
  // '-' and '.' come before '/', '0' after it.
  for (const char* path : {"a/x", "a-b", "a.c", "a0", "b/y", "b/x/z", "b/x-y", "b/x0", "longer names share much 12",
                           "longer names share much 1"})
    folder.write(path, path);
  for (const char* path : {"c", "c-d/e", "f", "f/g/h"}) folder.folder(path);
  folder.write("c.e", "");
  folder.write("f.g", "");
  const Tree tree = captured(folder.path()).tree;
  std::vector<std::string> paths;
  for (const TreeEntry& entry : tree.entries()) paths.push_back(entry.path.text());
  CHECK(std::is_sorted(paths.begin(), paths.end()));
  CHECK(paths == std::vector<std::string>{"a-b", "a.c", "a/x", "a0", "b/x-y", "b/x/z", "b/x0", "b/y", "c", "c-d/e",
                                          "c.e", "f.g", "f/g/h", "longer names share much 1",
                                          "longer names share much 12"});
}

TEST_CASE("a file with two names is two files", "[capture]") {
  const TempFolder folder;
  const Path one = folder.write("one", "same");
  REQUIRE(::link(one.c_str(), (folder.path() / "two").c_str()) == 0);
  const Tree tree = captured(folder.path()).tree;
  CHECK(tree.files() == 2);
  CHECK(tree.bytes() == 8);
  CHECK(tree.entry(0).digest == tree.entry(1).digest);
}

TEST_CASE("holes are read as zeros", "[capture]") {
  const TempFolder folder;
  const Path sparse = folder.write("sparse", "begin");
  REQUIRE(::truncate(sparse.c_str(), 1 << 20U) == 0);
  std::string same = "begin";
  same.resize(std::size_t{1} << 20U);
  CHECK(captured(folder.path()).tree.entry(0).digest == sha256(same));
}

TEST_CASE("a capture can be stopped", "[capture]") {
  const TempFolder folder;
  folder.write("a", "1");
  CaptureOptions options;
  int asked = 0;
  options.cancelled = [&] { return asked++ == 1; };
  CHECK(capture(folder.path(), options).error().code == Errc::cancelled);
  options.cancelled = [] { return true; };
  CHECK(capture(folder.path(), options).error().code == Errc::cancelled);
}

}  // namespace trainyard::capture_test
