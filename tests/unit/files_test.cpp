// SPDX-License-Identifier: Apache-2.0
#include "storage/files/files.hpp"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <set>

#include "tests/support/temp_folder.hpp"

namespace trainyard::files_test {
namespace {

using Names = std::vector<std::string>;

Names listed(const Path& folder) { return list_folder(folder).value(); }

unsigned mode_of(const Path& path) { return (*status_of(path).value()).st_mode & 07777U; }

}  // namespace

TEST_CASE("an error of the system names the action, the path and the cause", "[files]") {
  const TempFolder folder;
  const Path missing = folder.path() / "missing";
  const auto read = read_file(missing, 10);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error() == fail(Errc::not_found, "cannot open '" + missing.string() + "': No such file or directory"));
  CHECK(system_error("write", "/x", ENOSPC).code == Errc::unavailable);
  CHECK(system_error("write", "/x", EDQUOT).code == Errc::unavailable);
  CHECK(system_error("write", "/x", EEXIST).code == Errc::exists);
  CHECK(system_error("write", "/x", EACCES) == fail(Errc::io, "cannot write '/x': Permission denied"));
}

TEST_CASE("a file is read whole, up to a bound", "[files]") {
  const TempFolder folder;
  const std::string big(100'000, 'x');
  CHECK(read_file(folder.write("big", big), big.size()).value() == big);
  CHECK(read_file(folder.path() / "big", big.size() - 1).error().message ==
        "'" + (folder.path() / "big").string() + "' is larger than 99999 bytes");
  CHECK(read_file(folder.write("empty", ""), 0).value().empty());
  CHECK_FALSE(read_file(folder.write("one", "1"), 0).ok());
  CHECK(read_file("/proc/self/status", 1U << 20U).value().find("Name:") == 0);
  CHECK(read_file(folder.path(), 10).error().code == Errc::invalid);
}

TEST_CASE("a published file appears whole and never replaces another", "[files]") {
  const TempFolder folder;
  const Path scratch = folder.folder("tmp");
  const Path target = folder.path() / "record.json";
  for (const Durable durable : {Durable::no, Durable::yes}) {
    static_cast<void>(remove_file(target));
    REQUIRE(publish_file(scratch, target, "first", 0444, durable).ok());
    CHECK(folder.read("record.json") == "first");
    CHECK(mode_of(target) == 0444);
    const auto again = publish_file(scratch, target, "second", 0444, durable);
    REQUIRE_FALSE(again.ok());
    CHECK(again.error().code == Errc::exists);
    CHECK(folder.read("record.json") == "first");
  }
  CHECK(publish_file(scratch, folder.path() / "no" / "x", "1", 0444, Durable::no).error().code == Errc::not_found);
  CHECK(listed(scratch).empty());
}

TEST_CASE("a file can be replaced as a whole", "[files]") {
  const TempFolder folder;
  const Path scratch = folder.folder("tmp");
  const Path target = folder.write("state.json", "first");
  REQUIRE(replace_file(scratch, target, "second", 0600, Durable::yes).ok());
  CHECK(folder.read("state.json") == "second");
  CHECK(mode_of(target) == 0600);
  CHECK_FALSE(replace_file(scratch, folder.path() / "no" / "x", "1", 0600, Durable::no).ok());
  CHECK(listed(scratch).empty());
}

TEST_CASE("lines are appended, and never to half a line", "[files]") {
  const TempFolder folder;
  const Path path = folder.path() / "lines";
  REQUIRE(append_line(path, "one", Durable::no).ok());
  REQUIRE(append_line(path, "", Durable::no).ok());
  REQUIRE(append_line(path, "two", Durable::no).ok());
  CHECK(folder.read("lines") == "one\n\ntwo\n");
  folder.write("lines", "one\ntw");
  REQUIRE(append_line(path, "three", Durable::no).ok());
  CHECK(folder.read("lines") == "one\nthree\n");
  folder.write("lines", "on");
  REQUIRE(append_line(path, "two", Durable::no).ok());
  CHECK(folder.read("lines") == "two\n");
}

TEST_CASE("a tree is removed without following links", "[files]") {
  const TempFolder folder;
  folder.write("outside/precious", "1");
  folder.write("tree/a/b/c/file", "1");
  folder.write("tree/sealed/file", "1");
  REQUIRE(::symlink((folder.path() / "outside").c_str(), (folder.path() / "tree" / "link").c_str()) == 0);
  REQUIRE(::symlink("../../outside/precious", (folder.path() / "tree" / "a" / "file-link").c_str()) == 0);
  REQUIRE(::mkfifo((folder.path() / "tree" / "fifo").c_str(), 0600) == 0);
  REQUIRE(::chmod((folder.path() / "tree" / "sealed").c_str(), 0555) == 0);
  REQUIRE(::chmod((folder.path() / "tree" / "a" / "b").c_str(), 0) == 0);
  REQUIRE(remove_tree(folder.path() / "tree").ok());
  CHECK(listed(folder.path()) == Names{"outside"});
  CHECK(folder.read("outside/precious") == "1");
  CHECK(remove_tree(folder.path() / "tree").ok());
  REQUIRE(::symlink("outside", (folder.path() / "link").c_str()) == 0);
  REQUIRE(remove_tree(folder.path() / "link").ok());
  CHECK(folder.read("outside/precious") == "1");
}

TEST_CASE("names in a folder are sorted by bytes", "[files]") {
  const TempFolder folder;
  for (const char* const name : {"b", "a", "B", ".hidden", "\xFF", "a0"}) folder.write(name, "");
  CHECK(listed(folder.path()) == Names{".hidden", "B", "a", "a0", "b", "\xFF"});
  CHECK(list_folder(folder.path() / "no").error().code == Errc::not_found);
}

TEST_CASE("what is at a path", "[files]") {
  const TempFolder folder;
  folder.write("file", "1");
  REQUIRE(::symlink("nowhere", (folder.path() / "dangling").c_str()) == 0);
  REQUIRE(::symlink("..", (folder.folder("sub") / "up").c_str()) == 0);
  CHECK(is_there(folder.path() / "dangling"));
  CHECK_FALSE(is_there(folder.path() / "no"));
  CHECK(S_ISLNK(status_of(folder.path() / "dangling").value()->st_mode));
  CHECK_FALSE(status_of(folder.path() / "no").value().has_value());
  CHECK_FALSE(status_of(folder.path() / "file" / "below").value().has_value());
  CHECK(is_folder(folder.path() / "sub" / "up"));
  CHECK_FALSE(is_folder(folder.path() / "file"));
  CHECK(real_path(folder.path() / "sub" / "up" / "file").value() == real_path(folder.path()).value() / "file");
  CHECK(real_path(folder.path() / "dangling").error().code == Errc::not_found);
  CHECK(absolute_path("/a/./b/../c").value() == "/a/c");
  CHECK(absolute_path("x").value().is_absolute());
}

TEST_CASE("a name opened in a folder is never a link", "[files]") {
  const TempFolder folder;
  folder.write("file", "1");
  REQUIRE(::symlink("file", (folder.path() / "link").c_str()) == 0);
  const UniqueFd fd = open_file(folder.path(), O_RDONLY | O_DIRECTORY).value();
  CHECK(open_at(fd.get(), "file", O_RDONLY, folder.path() / "file").ok());
  CHECK_FALSE(open_at(fd.get(), "link", O_RDONLY, folder.path() / "link").ok());
  CHECK(make_folder(folder.path() / "file").error().code == Errc::exists);
  CHECK(make_folders(folder.path() / "x" / "y" / "z").ok());
  CHECK(make_folders(folder.path() / "x" / "y" / "z").ok());
  CHECK(make_folder(folder.path() / "no" / "y").error().code == Errc::not_found);
}

TEST_CASE("scratch names are all different", "[files]") {
  std::set<Path> names;
  for (int i = 0; i < 1000; ++i) names.insert(scratch_name("/tmp", "x"));
  CHECK(names.size() == 1000);
  CHECK(names.begin()->parent_path() == "/tmp");
}

TEST_CASE("a lock keeps others out for as long as it lives", "[files]") {
  const TempFolder folder;
  const Path path = folder.path() / "lock";
  {
    const auto lock = FileLock::try_lock(path).value();
    REQUIRE(lock.has_value());
    CHECK_FALSE(FileLock::try_lock(path).value().has_value());
  }
  CHECK(FileLock::try_lock(path).value().has_value());
  CHECK_FALSE(FileLock::try_lock(folder.path() / "no" / "lock").ok());
}

}  // namespace trainyard::files_test
