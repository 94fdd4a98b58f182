// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/usage_watch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <thread>

#include "runner/worker/process_usage.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/small_disk.hpp"
#include "tests/unit/supervising.hpp"

namespace trainyard::usage_watch_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Children that have done something and then wait to be killed.
class Children {
 public:
  ~Children() {
    for (const pid_t pid : pids_) {
      static_cast<void>(::kill(pid, SIGKILL));
      static_cast<void>(::waitpid(pid, nullptr, 0));
    }
  }

  // Returns when `body` has been done.
  template <class Body>
  void start(Body body) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      body();
      static_cast<void>(!::write(ends[1], "", 1));
      for (;;) ::pause();
    }
    pids_.push_back(child);
    ::close(ends[1]);
    char done = 0;
    CHECK(::read(ends[0], &done, 1) == 1);
    ::close(ends[0]);
  }
  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
};

void* filled(std::size_t bytes, int sharing) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  std::memset(memory, 1, bytes);
  return memory;
}

// The first look of a fresh watch, all of it.
std::optional<LimitHit> looked(const JobLimits& limits, const std::vector<pid_t>& pids,
                               const std::vector<Path>& folders = {}, KeptElsewhere kept = {},
                               std::int64_t log_bytes = 0) {
  UsageWatch watch(limits, folders, kept);
  auto hit = watch.look(pids, log_bytes);
  while (!hit && watch.next_look() <= steady_clock::now()) hit = watch.look(pids, log_bytes);
  return hit;
}

// A sanitizer's own memory is more than what is measured.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kMemoryIsOurs = false;
#else
constexpr bool kMemoryIsOurs = true;
#endif

}  // namespace

TEST_CASE("memory beyond the limit is seen", "[usage_watch]") {
  if (!kMemoryIsOurs) return;
  Children job;
  for (int i = 0; i < 2; ++i) job.start([] { filled(20 * kMiB, MAP_PRIVATE); });
  JobLimits limits;
  limits.memory_bytes = 30 * kMiB;
  const auto hit = looked(limits, job.pids());
  REQUIRE(hit);
  CHECK((hit->limit == JobLimit::memory));
  CHECK(hit->bound == 30 * kMiB);
  CHECK(hit->reached >= 40 * kMiB);
  CHECK(hit->reached < 60 * kMiB);
  CHECK_FALSE(looked(limits, job.pids(), {}, {true, false, false}));
  limits.memory_bytes = 60 * kMiB;
  CHECK_FALSE(looked(limits, job.pids()));
}

TEST_CASE("memory that processes have in common counts once", "[usage_watch]") {
  if (!kMemoryIsOurs) return;
  for (const int sharing : {MAP_PRIVATE, MAP_SHARED}) {
    Children job;
    void* const memory = filled(40 * kMiB, sharing);
    for (int i = 0; i < 4; ++i) {
      // Read, so that the child's own page tables have it.
      job.start([&] {
        std::int64_t sum = 0;
        for (std::size_t at = 0; at < 40 * kMiB; at += 4096) sum += static_cast<volatile char*>(memory)[at];
        if (sum == 0) ::abort();
      });
    }
    std::int64_t most = 0;
    for (const pid_t pid : job.pids()) most += use_of_process(pid).most_memory_bytes;
    CHECK(most >= 160 * kMiB);
    JobLimits limits;
    limits.memory_bytes = 80 * kMiB;
    CHECK_FALSE(looked(limits, job.pids()));
    limits.memory_bytes = 25 * kMiB;
    CHECK(looked(limits, job.pids()).has_value());
    ::munmap(memory, 40 * kMiB);
  }
}

TEST_CASE("a thread counts as a process", "[usage_watch]") {
  Children job;
  job.start([] {
    for (int i = 0; i < 9; ++i) std::thread([] { ::pause(); }).detach();
  });
  job.start([] {});
  JobLimits limits;
  limits.processes = 10;
  CHECK((looked(limits, job.pids()) == LimitHit{JobLimit::processes, 10, 11}));
  CHECK_FALSE(looked(limits, job.pids(), {}, {false, true, false}));
  limits.processes = 11;
  CHECK_FALSE(looked(limits, job.pids()));
}

TEST_CASE("open files are counted for each process", "[usage_watch]") {
  Children job;
  std::int64_t before = 0;
  job.start([] {});
  before = open_files_of(job.pids()[0]);
  CHECK(before >= 3);
  job.start([] {
    for (int i = 0; i < 40; ++i) static_cast<void>(::open("/dev/null", O_RDONLY));
  });
  CHECK(open_files_of(job.pids()[1]) == before + 40);
  JobLimits limits;
  limits.open_files = before + 39;
  CHECK((looked(limits, job.pids()) == LimitHit{JobLimit::open_files, before + 39, before + 40}));
  CHECK_FALSE(looked(limits, job.pids(), {}, {false, false, true}));
  limits.open_files = before + 40;
  CHECK_FALSE(looked(limits, job.pids()));
}

TEST_CASE("processes that have ended use nothing", "[usage_watch]") {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  CHECK(use_of_process(child).most_memory_bytes == 0);
  CHECK(use_of_process(child).threads == 0);
  CHECK(shared_out_memory_of(child) == 0);
  CHECK(open_files_of(child) == 0);
}

TEST_CASE("the log is bounded", "[usage_watch]") {
  JobLimits limits;
  limits.log_bytes = 1000;
  CHECK_FALSE(looked(limits, {}, {}, {}, 1000));
  CHECK((looked(limits, {}, {}, {}, 1001) == LimitHit{JobLimit::log, 1000, 1001}));
}

TEST_CASE("the disk limit is seen at once where the file system tells of it", "[usage_watch]") {
  const TempFolder folder;
  JobLimits limits;
  limits.disk_bytes = 10 * kMiB;
  UsageWatch watch(limits, {folder.path()});
  CHECK_FALSE(watch.look({}, 0));
  folder.write("large", std::string(30 * kMiB, 'x'));
  std::optional<LimitHit> hit;
  const auto begin = steady_clock::now();
  while (!hit && steady_clock::now() - begin < milliseconds(200)) hit = watch.look({}, 0);
  REQUIRE(hit);
  CHECK((hit->limit == JobLimit::disk));
  CHECK(hit->bound == 10 * kMiB);
  CHECK(hit->reached >= 30 * kMiB);
}

TEST_CASE("many files are walked in pieces and seldom", "[usage_watch]") {
  const TempFolder folder;
  for (int i = 0; i < 10; ++i) {
    const Path inner = folder.folder(std::to_string(i));
    for (int j = 0; j < 1000; ++j) {
      const UniqueFd fd(::open((inner / std::to_string(j)).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    }
  }
  JobLimits limits;
  limits.disk_bytes = std::int64_t{1} << 40U;
  UsageWatch watch(limits, {folder.path()});
  const auto end = steady_clock::now() + std::chrono::seconds(2);
  steady_clock::duration used{};
  steady_clock::duration longest{};
  while (steady_clock::now() < end) {
    std::this_thread::sleep_until(watch.next_look());
    const auto begin = steady_clock::now();
    CHECK_FALSE(watch.look({}, 0));
    used += steady_clock::now() - begin;
    longest = std::max(longest, steady_clock::now() - begin);
  }
  CAPTURE(std::chrono::duration_cast<milliseconds>(used).count());
  // One walk, and the next only when fifty times its time are over.
  CHECK(used < milliseconds(600));
  CHECK(longest < milliseconds(200));
}

TEST_CASE("a file system is not filled to its end", "[usage_watch]") {
  const TempFolder folder;
  const SmallDisk disk(folder.folder("disk"), "size=64m,nr_inodes=1000");
  if (!disk.ok()) return;
  const std::vector<Path> folders = {folder.path() / "disk"};
  CHECK_FALSE(looked({}, {}, folders));
  SECTION("with bytes") {
    folder.write("disk/large", std::string(63 * kMiB, 'x'));
    const auto hit = looked({}, {}, folders);
    REQUIRE(hit);
    CHECK((hit->limit == JobLimit::free_disk));
    CHECK(hit->bound == 64 * kMiB / 50);
    CHECK(hit->reached == kMiB);
  }
  SECTION("with files") {
    for (int i = 0; i < 990; ++i) folder.write("disk/" + std::to_string(i), "");
    const auto hit = looked({}, {}, folders);
    REQUIRE(hit);
    CHECK((hit->limit == JobLimit::free_files));
    CHECK(hit->bound == 10);
    CHECK(hit->reached < 10);
  }
}

}  // namespace trainyard::usage_watch_test
