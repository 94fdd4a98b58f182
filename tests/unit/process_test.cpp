// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>

#include "runner/jobs/job_folder.hpp"
#include "runner/processes/process_identity.hpp"
#include "runner/processes/run_program.hpp"
#include "tests/contract/test_job.hpp"

using namespace trainyard;
using namespace std::chrono_literals;
using test::must;

namespace {

Result<ProgramOutput> shell(const std::string& script, std::string_view text = {},
                            std::chrono::milliseconds timeout = 20s) {
  return run_program({"/bin/sh", "-c", script}, {{"PATH", "/usr/bin:/bin"}, {"GREETING", "hello there"}}, "/usr", text,
                     timeout);
}

SpawnOptions sleeper() {
  SpawnOptions options;
  options.argv = {"/bin/sleep", "1000"};
  return options;
}

}  // namespace

TEST_CASE("a program's output, input, environment, folder and code are its own") {
  const auto output = must(shell("cat; pwd; echo \"$GREETING\"; env | wc -l; echo trouble >&2; exit 7", "typed\n"));
  // The shell itself adds PWD.
  CHECK(output.out == "typed\n/usr\nhello there\n3\n");
  CHECK(output.err == "trouble\n");
  CHECK(output.status.code == 7);
  CHECK_FALSE(output.status.signal);
}

TEST_CASE("a large output does not block a program") {
  const auto output = must(shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"));
  CHECK(output.out.size() == 3'000'000);
  CHECK(output.err.size() == 3'000'000);
}

TEST_CASE("a signal is told from a code, and the use of the machine is counted") {
  CHECK(must(shell("kill -9 $$")).status.signal == SIGKILL);
  CHECK(must(shell("exit 137")).status.code == 137);
  CHECK(must(shell("true")).status.peak_bytes > 100'000);
}

TEST_CASE("a program that takes too long is dead afterwards, with its group") {
  const test::TestJob place("/none");
  const std::string pid_file = (place.path() / "pid").string();
  CHECK(shell("sleep 1000 & echo $! > " + pid_file + "; wait", {}, 300ms).error().code == Errc::timed_out);
  const pid_t pid = std::stoi(test::content(pid_file));
  test::await([&] {
    const auto identity = ProcessIdentity::of(pid);
    return !identity.ok() || !is_running(*identity);
  });
}

TEST_CASE("a program that is not there is an error that names it") {
  const auto missing = run_program({"/nowhere/program"}, {}, "/", {}, 1s);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Errc::not_found);
  CHECK(missing.error().message == "cannot start '/nowhere/program' in '/': No such file or directory");
  CHECK(run_program({"/bin/true"}, {}, "/nowhere", {}, 1s).error().message ==
        "cannot start '/bin/true' in '/nowhere': No such file or directory");
}

TEST_CASE("a child inherits no descriptor and no signal mask") {
  const UniqueFd leak(::open("/etc/hostname", O_RDONLY));  // without O_CLOEXEC
  REQUIRE(leak);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  const auto output = shell("ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status");
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  // 0, 1, 2 and that of ls.
  CHECK(must(output).out == "4\nSigBlk:\t0000000000000000\n");
}

TEST_CASE("a process is waited for, signalled and killed by its owner") {
  pid_t pid = -1;
  {
    Process process = must(Process::spawn(sleeper()));
    pid = process.pid();
    CHECK(must(process.wait(10ms)) == std::nullopt);
    SECTION("it ends when it is told to") {
      must(process.signal(SIGTERM));
      CHECK(must(process.wait())->signal == SIGTERM);
      CHECK(must(process.wait(0ms))->signal == SIGTERM);
      CHECK(process.signal(SIGTERM).ok());
    }
    SECTION("it does not outlive its owner") {}
    SECTION("it can change owners") {
      Process other = std::move(process);
      CHECK(other.pid() == pid);
    }
  }
  CHECK(::kill(pid, 0) != 0);
}

TEST_CASE("a process that was let go goes on") {
  pid_t pid = -1;
  {
    Process process = must(Process::spawn(sleeper()));
    pid = process.pid();
    process.detach();
  }
  CHECK(::kill(pid, SIGKILL) == 0);
  CHECK(::waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("an identity means one process and none of its number") {
  Process process = must(Process::spawn(sleeper()));
  const ProcessIdentity identity = must(ProcessIdentity::of(process.pid()));
  CHECK(must(ProcessIdentity::parse(identity.text())) == identity);
  CHECK(is_running(identity));
  SECTION("another start or boot is another process") {
    ProcessIdentity other = identity;
    ++other.start_ticks;
    CHECK_FALSE(is_running(other));
    must(signal_process(other, SIGKILL));
    other = identity;
    other.boot = "b5ae2a5e-0000-0000-0000-000000000000";
    CHECK_FALSE(is_running(other));
    must(signal_process(other, SIGKILL));
    CHECK(must(process.wait(50ms)) == std::nullopt);
  }
  SECTION("it runs no more once it has ended, though nobody waited for it") {
    must(signal_process(identity, SIGKILL));
    test::await([&] { return !is_running(identity); });
    CHECK(must(ProcessIdentity::of(process.pid())) == identity);
    must(process.wait());
    CHECK(ProcessIdentity::of(process.pid()).error().code == Errc::not_found);
    CHECK(signal_process(identity, SIGKILL).ok());
  }
}

TEST_CASE("the name of a program cannot forge an identity") {
  const test::TestJob place("/none");
  const Path program = place.path() / ") Z 1 2 3 (";
  must(publish_file(place.path(), program, "#!/bin/sh\nsleep 1000\n", 0755, Durable::no));
  SpawnOptions options;
  options.argv = {program.string()};
  options.group = SpawnOptions::Group::own;
  const Process process = must(Process::spawn(options));
  const ProcessIdentity identity = must(ProcessIdentity::of(process.pid()));
  const ProcessIdentity self = must(ProcessIdentity::of(::getpid()));
  CHECK(identity.start_ticks >= self.start_ticks);
  CHECK(is_running(identity));
  ::kill(-process.pid(), SIGKILL);
}

TEST_CASE("the first claim of a job stays") {
  const test::TestJob job("/none");
  CHECK(must(claim_job(job.folder(), "first")) == "first");
  CHECK(must(claim_job(job.folder(), "second")) == "first");
  CHECK(test::content(job.folder().claim()) == "first\n");
  CHECK(must(list_folder(job.path())) == std::vector<std::string>{"job.claim"});
}

TEST_CASE("an exit that is not whole is corrupt, and none is none") {
  const test::TestJob job("/none");
  CHECK(must(job.folder().read_exit()) == std::nullopt);
  must(publish_file(job.path(), job.folder().exit(), "{\"schema\":\"trainyard.exit/1\"", 0644, Durable::no));
  CHECK(job.folder().read_exit().error().code == Errc::corrupt);
}
