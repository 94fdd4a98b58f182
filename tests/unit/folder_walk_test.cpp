// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/folder_walk.hpp"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "storage/trees/open_below.hpp"
#include "storage/values/limits.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::folder_walk_test {
namespace {

using Names = std::vector<std::string>;

Result<FolderWalk> walk(const Path& folder, unsigned threads) {
  const UniqueFd fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY));
  WalkOptions options;
  options.threads = threads;
  return FolderWalk::of(folder, fd.get(), options);
}

Names paths(FolderWalk walk) {
  Names found;
  std::move(walk).visit([&](const FolderWalk::Found& item) {
    found.push_back(item.folder_path.empty() ? std::string(item.name)
                                             : std::string(item.folder_path) + "/" + std::string(item.name));
    return true;
  });
  return found;
}

}  // namespace

TEST_CASE("many threads walk as one does", "[folder_walk][threads]") {
  const TempFolder folder;
  Names expected;
  for (int i = 0; i < 2100; ++i) expected.push_back("large/" + std::to_string(i));
  for (int i = 0; i < 400; ++i)
    expected.push_back(std::to_string(i % 50) + "/" + std::to_string(i % 3) + "/" + std::to_string(i));
  for (const std::string& path : expected) folder.write(path, path);
  for (int i = 0; i < 100; ++i) expected.push_back("empty/" + std::to_string(i));
  for (int i = 0; i < 100; ++i) folder.folder("empty/" + std::to_string(i));
  std::sort(expected.begin(), expected.end());
  for (const unsigned threads : {1U, 2U, 8U, 0U}) {
    auto walked = walk(folder.path(), threads);
    REQUIRE(walked.ok());
    CHECK(walked->files() == 2500);
    CHECK(walked->entries() == 2600);
    CHECK((paths(std::move(*walked)) == expected));
  }
}

TEST_CASE("an error ends all threads of a walk", "[folder_walk][threads]") {
  const TempFolder folder;
  for (int i = 0; i < 2100; ++i) folder.write("large/" + std::to_string(i), "");
  for (int i = 0; i < 200; ++i) folder.write(std::to_string(i % 50) + "/" + std::to_string(i), "");
  for (const char* path : {"large/odd", "7/odd", "odd"}) {
    const Path odd = folder.path() / path;
    REQUIRE(::mkfifo(odd.c_str(), 0600) == 0);
    for (const unsigned threads : {1U, 2U, 8U}) {
      const auto walked = walk(folder.path(), threads);
      REQUIRE_FALSE(walked.ok());
      CHECK(walked.error() ==
            fail(Errc::invalid, "'" + odd.string() + "' is a fifo; only regular files and folders can be kept"));
    }
    boost::filesystem::remove(odd);
  }
}

TEST_CASE("a walk does not keep folders open", "[folder_walk]") {
  const TempFolder folder;
  std::string deep = "d";
  for (std::size_t i = 1; i < limits::kFolderDepth; ++i) deep += "/d";
  folder.folder(deep);
  for (int i = 0; i < 300; ++i) folder.folder("wide/" + std::to_string(i) + "/x");
  struct rlimit before {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const struct rlimit few { 32, before.rlim_max };
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  const auto walked = walk(folder.path(), 4);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(walked.ok());
  CHECK(walked->entries() == 301);
}

TEST_CASE("a folder below another is opened without following links", "[folder_walk]") {
  const TempFolder folder;
  folder.write("a/b/c/file", "");
  REQUIRE(::symlink("b", (folder.path() / "a" / "link").c_str()) == 0);
  // Longer than the system takes in one go.
  const std::string name(240, 'n');
  std::string far = name;
  {
    UniqueFd at = open_file(folder.path(), O_RDONLY | O_DIRECTORY).value();
    for (int i = 0; i < 18; ++i) {
      REQUIRE(::mkdirat(at.get(), name.c_str(), 0700) == 0);
      at = open_at(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY, name).value();
      if (i != 0) far += "/" + name;
    }
  }
  const UniqueFd root = open_file(folder.path(), O_RDONLY | O_DIRECTORY).value();
  const auto opened = [&](const std::string& path) {
    return open_folder_below(root.get(), path, folder.path() / path);
  };
  CHECK(opened("").ok());
  CHECK(opened("a/b/c").ok());
  CHECK(opened("a/b/no").error().code == Errc::not_found);
  CHECK_FALSE(opened("a/b/c/file").ok());
  CHECK_FALSE(opened("a/link").ok());
  CHECK_FALSE(opened("a/link/c").ok());
  REQUIRE(far.size() > 4096);
  CHECK(opened(far).ok());
  CHECK_FALSE(opened(far + "/no").ok());
  // What no path can name is refused.
  const auto walked = walk(folder.path(), 1);
  REQUIRE_FALSE(walked.ok());
  CHECK(walked.error().code == Errc::invalid);
}

TEST_CASE("a folder that cannot be read is named", "[folder_walk]") {
  if (::geteuid() == 0) return;  // nothing is closed to root
  const TempFolder folder;
  folder.write("closed/a", "");
  REQUIRE(::chmod((folder.path() / "closed").c_str(), 0) == 0);
  const auto walked = walk(folder.path(), 1);
  REQUIRE(::chmod((folder.path() / "closed").c_str(), 0700) == 0);
  REQUIRE_FALSE(walked.ok());
  CHECK(walked.error().message.find("closed'") != std::string::npos);
}

}  // namespace trainyard::folder_walk_test
