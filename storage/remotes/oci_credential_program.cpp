// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include "storage/remotes/oci_login.hpp"

extern char** environ;

// The one program that is started here, as docker-credential-helpers has it ("Credential helpers", protocol).
namespace trainyard {

namespace {

constexpr std::chrono::seconds kMostTime{30};
// How a program that works says that it knows no login: docker-credential-helpers, credentials/error.go.
constexpr std::string_view kNotFound = "credentials not found";
constexpr std::size_t kMostPrinted = std::size_t{1} << 20U;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::io, "no pipe can be made for a credential program");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// What it prints until it closes its output; none when that takes too long, or is too long.
std::optional<std::string> printed_by(int fd) {
  const auto until = std::chrono::steady_clock::now() + kMostTime;
  std::string printed;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waits{fd, POLLIN, 0};
    if (left.count() <= 0 || printed.size() > kMostPrinted) return std::nullopt;
    if (::poll(&waits, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) return std::nullopt;
    if (waits.revents == 0) continue;
    std::array<char, 4096> bytes{};
    const ssize_t count = ::read(fd, bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return std::nullopt;
    if (count == 0) return printed;
    if (count > 0) printed.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<std::string> ask_credential_program(std::string_view program, std::string_view registry) {
  const bool plain = !program.empty() && std::all_of(program.begin(), program.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  if (!plain) return fail(Errc::invalid, "a file of logins names a credential program that has no plain name");
  std::string name = "docker-credential-" + std::string(program);
  std::string verb = "get";
  Pipe in = TRY(make_pipe());
  Pipe out = TRY(make_pipe());
  // A host is shorter than what a pipe takes at once, so this cannot block.
  TRY(write_all(in.write.get(), registry, "the input of " + name));
  in.write = UniqueFd();

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  // A group of its own, so that all of it can be ended; signals as programs expect them.
  sigset_t none;
  sigemptyset(&none);
  sigset_t ordinary;
  sigemptyset(&ordinary);
  sigaddset(&ordinary, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &ordinary);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::array<char*, 3> argv{name.data(), verb.data(), nullptr};
  pid_t child = -1;
  const int spawned = ::posix_spawnp(&child, name.c_str(), &actions, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (spawned != 0)
    return fail(Errc::invalid,
                "a file of logins asks for '" + name + "', which cannot be started; install it, or log in without it");
  out.write = UniqueFd();
  auto printed = printed_by(out.read.get());
  if (!printed) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!printed) return fail(Errc::timed_out, "'" + name + "' gave no login within 30 seconds and 1 MiB");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(*printed);
  if (printed->find(kNotFound) != std::string::npos) return std::string();
  const std::string how = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                              : "status " + std::to_string(WEXITSTATUS(status));
  return fail(Errc::invalid, "'" + name + "' fails (" + how + ") when it is asked for the login to '" +
                                 std::string(registry) + "'; mend it, or log in without it");
}

}  // namespace trainyard
