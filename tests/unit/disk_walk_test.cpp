// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/disk_walk.hpp"

#include <fcntl.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "runner/processes/run_program.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/small_disk.hpp"
#include "tests/unit/supervising.hpp"

namespace trainyard::disk_walk_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::int64_t walked(const std::vector<Path>& folders) {
  DiskWalk walk(folders);
  while (!walk.go_on(milliseconds(1))) {
  }
  return walk.bytes();
}

// As another program counts.
std::int64_t told_by_du(const std::string& paths) {
  const auto ended = run_program({"/bin/sh", "-c", "du -scxB1 " + paths + " | tail -n 1 | cut -f 1"},
                                 {{"PATH", "/usr/bin:/bin"}}, "/", "", std::chrono::seconds(60));
  REQUIRE(ended.ok());
  return std::stoll(ended->out);
}

void shell(const std::string& script) {
  const auto ended = run_program({"/bin/sh", "-euc", script}, {{"PATH", "/usr/bin:/bin:/usr/sbin:/sbin"}}, "/", "",
                                 std::chrono::seconds(60));
  REQUIRE(ended.ok());
  INFO(ended->err);
  REQUIRE(ended->status.code == 0);
}

}  // namespace

TEST_CASE("bytes on disk are counted as du counts them", "[disk_walk]") {
  const TempFolder folder;
  const std::string root = folder.path().string();
  shell("cd '" + root +
        "'; mkdir -p a/b/c d; head -c 3000000 /dev/zero > a/b/large; ln a/b/large d/again\n"
        "for i in $(seq 300); do echo $i > a/b/c/$i; done; truncate -s 1G d/sparse; ln -s / d/link; mkfifo d/fifo");
  CHECK(walked({folder.path()}) == told_by_du("'" + root + "'"));
  CHECK(walked({folder.path()}) > 3'000'000);
  CHECK(walked({folder.path()}) < 30'000'000);
  // Folders in each other, twice, and not there.
  CHECK(walked({folder.path() / "a", folder.path(), folder.path() / "a", folder.path() / "none"}) ==
        told_by_du("'" + root + "'"));
  CHECK(walked({folder.path() / "a", folder.path() / "d"}) == told_by_du("'" + root + "/a' '" + root + "/d'"));
  CHECK(walked({}) == 0);
}

TEST_CASE("another file system below a folder is not counted", "[disk_walk]") {
  const TempFolder folder;
  const SmallDisk disk(folder.folder("disk"), "size=16m");
  if (!disk.ok()) return;
  const std::int64_t before = walked({folder.path()});
  folder.write("disk/large", std::string(8 * kMiB, 'x'));
  CHECK(walked({folder.path()}) == before);
  CHECK(walked({folder.path() / "disk"}) >= 8 * kMiB);
}

TEST_CASE("a folder without rights is walked where that is possible", "[disk_walk]") {
  const TempFolder folder;
  folder.write("closed/large", std::string(kMiB, 'x'));
  folder.write("open/large", std::string(kMiB, 'x'));
  REQUIRE(::chmod((folder.path() / "closed").c_str(), 0) == 0);
  CHECK(walked({folder.path()}) >= (::geteuid() == 0 ? 2 : 1) * kMiB);
}

TEST_CASE("folders of any depth are walked", "[disk_walk]") {
  const TempFolder folder;
  // One that goes without being emptied, where there can be one; else what TempFolder can remove.
  const SmallDisk disk(folder.folder("disk"), "size=64m");
  const int deepest = disk.ok() ? 10'000 : 200;
  UniqueFd fd(::open((folder.path() / "disk").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < deepest; ++depth) {
    // Some of them are there to come back to.
    for (const char* const name : {"a", "b", "c"}) {
      REQUIRE(::mkdirat(fd.get(), name, 0777) == 0);
      if (depth % 100 != 0) continue;
      const UniqueFd file(::openat(fd.get(), (name + std::string("/file")).c_str(), O_WRONLY | O_CREAT, 0666));
      REQUIRE(::write(file.get(), "x", 1) == 1);
    }
    fd = UniqueFd(::openat(fd.get(), "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  fd.reset();
  CHECK(walked({folder.path() / "disk"}) == told_by_du("'" + folder.path().string() + "/disk'"));
  CHECK(walked({folder.path() / "disk"}) >= 3 * deepest / 100 * 4096);
}

TEST_CASE("a folder that changes while it is walked can be walked", "[disk_walk]") {
  const TempFolder folder;
  folder.write("stays/large", std::string(kMiB, 'x'));
  std::atomic<bool> done = false;
  std::thread job([&] {
    for (int i = 0; !done; ++i) {
      Path path = folder.path() / ("moves" + std::to_string(i % 3));
      for (int depth = 0; depth < 80; ++depth) path /= "d";
      static_cast<void>(make_folders(path));
      // From deep below to far above, and the other way.
      static_cast<void>(::rename(path.parent_path().c_str(), (folder.path() / "up").c_str()));
      static_cast<void>(::rename((folder.path() / "up").c_str(), path.parent_path().c_str()));
      if (i % 3 == 2) {
        for (const char* const name : {"moves0", "moves1", "moves2", "up"})
          static_cast<void>(remove_tree(folder.path() / name));
      }
    }
  });
  const auto end = steady_clock::now() + std::chrono::seconds(1);
  int walks = 0;
  for (; steady_clock::now() < end; ++walks) {
    const std::int64_t bytes = walked({folder.path()});
    CHECK(bytes >= kMiB);
    CHECK(bytes < 4 * kMiB);
  }
  done = true;
  job.join();
  CHECK(walks > 10);
}

}  // namespace trainyard::disk_walk_test
