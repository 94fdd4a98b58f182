// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_cgroup.hpp"

#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <sstream>

#include "runner/processes/cgroup_end.hpp"
#include "runner/processes/run_program.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/fork_bombs.hpp"
#include "tests/unit/supervising.hpp"

// On the control groups of this machine. What it does not have is skipped with a warning that says so; the tests tagged
// [again] run the others once more as an ordinary user, in groups that were given to it.
namespace trainyard::job_cgroup_test {
namespace {

using std::chrono::steady_clock;
using test::Bomb;
using test::Sessions;

std::string fresh_name() {
  static int number = 0;
  return "test-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
}

// A group that is gone when a test ends.
class Scene {
 public:
  explicit Scene(const JobLimits& limits, const CgroupFiles& files = {})
      : made_(JobCgroup::make(fresh_name(), limits, files)) {}
  ~Scene() {
    if (made_.ok()) static_cast<void>(made_->remove());
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  [[nodiscard]] bool ok() const { return made_.ok(); }
  [[nodiscard]] std::string why_not() const { return made_.ok() ? made_->facts().why_not : made_.error().message; }
  JobCgroup& group() { return *made_; }

  // What a job does, in the group.
  template <class Body>
  pid_t start(Body body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(group().join().ok() ? body() : 99);
    return child;
  }

 private:
  Result<JobCgroup> made_;
};

int use_memory(std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 98;
  std::memset(memory, 1, bytes);
  return 0;
}

template <class Condition>
bool comes_true(Condition condition) {
  const auto end = steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (steady_clock::now() > end) return false;
    static_cast<void>(::usleep(1000));
  }
  return true;
}

// The mounts of this machine that have one of the words, as if there were no others.
CgroupFiles only(const TempFolder& folder, const std::vector<std::string>& words) {
  std::string mounts;
  std::istringstream lines(read_file("/proc/self/mountinfo", kMiB).value());
  for (std::string line; std::getline(lines, line);) {
    for (const std::string& word : words) {
      if (line.ends_with(word)) mounts += line + "\n";
    }
  }
  return {"/proc/self/cgroup", folder.write("mounts", mounts)};
}

// Ends a bomb of at most 60 processes by the group alone.
void check_ends_bomb(Scene& outer, Scene& scene) {
  for (const Bomb bomb : {Bomb::tree, Bomb::chains}) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (!outer.group().join().ok() || !scene.group().join().ok()) ::_exit(99);
      test::explode(bomb, Sessions::own);
    }
    for (int wait = 0; wait < 100 && scene.group().pids().empty(); ++wait) static_cast<void>(::usleep(100'000));
    CHECK_FALSE(scene.group().pids().empty());
    static_cast<void>(::usleep(200'000));
    const auto begin = steady_clock::now();
    scene.group().kill_all();
    CHECK(steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK(scene.group().pids().empty());
    static_cast<void>(test::code_of(child));
  }
}

}  // namespace

TEST_CASE("what can be kept is tried", "[cgroup]") {
  const CgroupFacts facts = probe_cgroups();
  CHECK((facts.memory && facts.processes && facts.cpu) == facts.why_not.empty());
  if (!facts.why_not.empty()) return skip(facts.why_not);
  const Scene scene(JobLimits{1 << 26U, 1000, 100, {}, {}, {}});
  CHECK(scene.ok());
  CHECK(scene.why_not().empty());
}

TEST_CASE("a job that wants more memory than its limit is killed", "[cgroup]") {
  Scene scene(JobLimits{64 * kMiB, {}, {}, {}, {}, {}});
  if (!scene.ok() || !scene.group().facts().memory) return skip(scene.why_not());
  CHECK(test::code_of(scene.start([] { return use_memory(16 * kMiB); })) == 0);
  CHECK(scene.group().usage().oom_kills == 0);
  CHECK(test::code_of(scene.start([] { return use_memory(256 * kMiB); })) == -1);
  const JobCgroup::Usage usage = scene.group().usage();
  CHECK(usage.oom_kills == 1);
  if (usage.peak_bytes) {
    CHECK(*usage.peak_bytes > 48 * kMiB);
    CHECK(*usage.peak_bytes <= 64 * kMiB);
  }
}

TEST_CASE("a job that multiplies is held at its limit and ended", "[cgroup]") {
  Scene scene(JobLimits{{}, {}, 50, {}, {}, {}});
  if (!scene.ok() || !scene.group().facts().processes) return skip(scene.why_not());
  const pid_t child = scene.start([]() -> int { test::explode(Bomb::tree, Sessions::own); });
  CHECK(comes_true([&] { return scene.group().usage().refused_processes > 0; }));
  const std::size_t processes = scene.group().pids().size();
  CHECK(processes > 1);
  CHECK(processes <= 50);
  const auto begin = steady_clock::now();
  scene.group().kill_all();
  CHECK(steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK(scene.group().pids().empty());
  CHECK(test::code_of(child) == -1);
}

TEST_CASE("a job gets no more of the processors than its limit", "[cgroup]") {
  // So little that it is also reached on a machine that has much else to do.
  Scene scene(JobLimits{{}, 20, {}, {}, {}, {}});
  if (!scene.ok() || !scene.group().facts().cpu) return skip(scene.why_not());
  // Its share of a second by the clock, in thousandths of one processor, as an exit code.
  const int share = test::code_of(scene.start([] {
    const auto end = steady_clock::now() + std::chrono::seconds(1);
    const std::clock_t begin = std::clock();
    while (steady_clock::now() < end) {
    }
    return static_cast<int>(std::min<std::clock_t>((std::clock() - begin) * 1000 / CLOCKS_PER_SEC, 255));
  }));
  CHECK(share <= 100);
  std::string stat;
  for (const Path& folder : scene.group().folders()) {
    const auto text = read_file(folder / "cpu.stat", kMiB);
    if (text.ok()) stat += *text;
  }
  std::istringstream words(stat);
  std::string word;
  std::int64_t throttled = 0;
  while (words >> word) {
    if (word == "nr_throttled" && words >> throttled) break;
  }
  CHECK(throttled > 0);
}

TEST_CASE("a group goes with all that is in it", "[cgroup]") {
  Scene scene(JobLimits{});
  if (!scene.ok()) return skip(scene.why_not());
  const std::vector<Path> folders = scene.group().folders();
  const pid_t child = scene.start([&] {
    // A job with the rights for it makes groups of its own.
    for (const Path& folder : folders) {
      static_cast<void>(::mkdir((folder / "inner").c_str(), 0755));
      const auto procs = open_file(folder / "inner/cgroup.procs", O_WRONLY);
      if (!procs.ok() || !write_all(procs->get(), "0", folder).ok()) return 97;
    }
    return ::pause();
  });
  CHECK(comes_true([&] {
    return scene.group().pids() == std::vector<std::int64_t>{child} && is_there(folders.back() / "inner") &&
           !processes_in({folders.back() / "inner"}).empty();
  }));
  // As whoever looks after a dead supervisor does.
  const auto removed = remove_cgroups(folders);
  CHECK((removed.ok() ? "" : removed.error().message) == "");
  CHECK(test::code_of(child) == -1);
  for (const Path& folder : folders) CHECK_FALSE(is_there(folder));
  CHECK(remove_cgroups(folders).ok());
  CHECK(scene.group().usage().oom_kills == 0);
}

TEST_CASE("only the groups of jobs are removed", "[cgroup]") {
  const TempFolder folder;
  const Path other = folder.folder("system.slice");
  const Path named_alike = folder.folder("trainyard-a");
  folder.write("system.slice/cgroup.procs", "");
  for (const Path& path : {other, named_alike}) {
    CHECK(remove_cgroups({path}).error().code == Errc::invalid);
    CHECK(is_there(path));
  }
}

TEST_CASE("a group that a dead supervisor left is replaced", "[cgroup]") {
  const std::string name = fresh_name();
  auto left = JobCgroup::make(name, JobLimits{});
  if (!left.ok()) return skip(left.error().message);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(left->join().ok() ? ::pause() : 99);
  CHECK(comes_true([&] { return !left->pids().empty(); }));
  auto group = JobCgroup::make(name, JobLimits{});
  REQUIRE(group.ok());
  CHECK(test::code_of(child) == -1);
  CHECK(group->pids().empty());
  CHECK(group->folders() == left->folders());
  CHECK(group->remove().ok());
}

TEST_CASE("without a controller for processes, the freezer ends what multiplies", "[cgroup]") {
  const TempFolder folder;
  Scene outer(JobLimits{{}, {}, 60, {}, {}, {}});
  Scene scene(JobLimits{}, only(folder, {" rw,memory", " rw,freezer"}));
  if (!outer.ok() || !outer.group().facts().processes || !scene.ok() || scene.group().folders().size() != 2)
    return skip("no control groups of version 1 with a freezer can be made here");
  CHECK(scene.why_not().ends_with("' has no controller for pids, cpu"));
  check_ends_bomb(outer, scene);
}

TEST_CASE("a group of version 2 can be killed as a whole", "[cgroup]") {
  const TempFolder folder;
  Scene outer(JobLimits{{}, {}, 60, {}, {}, {}});
  Scene scene(JobLimits{}, only(folder, {" cgroup2 rw"}));
  if (!outer.ok() || !outer.group().facts().processes || !scene.ok())
    return skip("no control group of version 2 can be made beside those of version 1 here: " + scene.why_not());
  CHECK(scene.group().folders().size() == 1);
  check_ends_bomb(outer, scene);
  CHECK(scene.group().remove().ok());
}

TEST_CASE("where nothing is mounted, that is said", "[cgroup]") {
  const TempFolder folder;
  const CgroupFiles none = {folder.write("self", "0::/\n"), folder.write("mounts", "")};
  CHECK(JobCgroup::make("test", JobLimits{}, none).error() == fail(Errc::unavailable, "no control groups are mounted"));
  CHECK(probe_cgroups(none).why_not == "no control groups are mounted");
  const CgroupFiles gone = {folder.path() / "self", folder.path() / "none"};
  CHECK(JobCgroup::make("test", JobLimits{}, gone).error().code == Errc::not_found);
}

TEST_CASE("all of it holds for an ordinary user with groups of its own", "[cgroup][again]") {
  if (::geteuid() != 0) return;  // then all of it was run as one
  Scene scene(JobLimits{});
  if (!scene.ok() || !scene.why_not().empty() || scene.group().folders().size() < 2)
    return skip("no control groups of version 1 can be made here: " + scene.why_not());
  const TempFolder folder;
  const Path tests = folder.path() / "tests";
  boost::filesystem::copy_file("/proc/self/exe", tests);
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod(tests.c_str(), 0755) == 0);
  const Path scratch = folder.folder("scratch");
  REQUIRE(::chmod(scratch.c_str(), 0777) == 0);
  std::string script;
  for (const Path& group : scene.group().folders()) {
    REQUIRE(::chown(group.c_str(), 65534, 65534) == 0);
    script += "echo $$ > " + (group / "cgroup.procs").string() + "\n";
  }
  script += "exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \"$1\" '[cgroup]' '~[again]'";
  const auto ended =
      run_program({"/bin/sh", "-euc", script, "again", tests.string()},
                  {{"PATH", "/usr/bin:/bin"}, {"TMPDIR", scratch.string()}}, "/", "", std::chrono::seconds(100));
  REQUIRE(ended.ok());
  INFO(ended->out << ended->err);
  CHECK(ended->status.code == 0);
  // Version 2 has no group here that was given to the user.
  std::string skipped = ended->out;
  const std::size_t expected = skipped.find("skipped: no control group of version 2");
  if (expected != std::string::npos) skipped.erase(expected, 7);
  CHECK_THAT(skipped, !Catch::Contains("skipped"));
}

}  // namespace trainyard::job_cgroup_test
