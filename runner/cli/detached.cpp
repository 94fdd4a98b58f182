// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/detached.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "storage/files/files.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostWords = std::size_t{1} << 20U;

void tell(int pipe, const Json& words) { static_cast<void>(write_all(pipe, canonical(words), "the pipe")); }

[[noreturn]] void be_detached(UniqueFd pipe, const std::function<Result<void>(const Begun&)>& work) {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR);
  for (const int stream : {0, 1, 2}) ::dup2(nothing, stream);
  // What the caller has open, locks among it, is not this process's to keep.
  const auto kept = static_cast<unsigned>(pipe.get());
  ::close_range(3, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
  const auto done = work([&](const std::string& words) {
    tell(pipe.get(), {{"begun", words}});
    pipe = UniqueFd();
  });
  if (!done.ok() && pipe)
    tell(pipe.get(), {{"code", static_cast<int>(done.error().code)}, {"message", done.error().message}});
  ::_exit(done.ok() ? 0 : 1);
}

Result<std::string> all_of(int pipe) {
  std::string words;
  std::array<std::byte, 4096> some{};
  for (;;) {
    const std::size_t got = TRY(read_some(pipe, some, "the pipe"));
    words.append(reinterpret_cast<const char*>(some.data()), got);
    if (got < some.size() || words.size() > kMostWords) return words;
  }
}

}  // namespace

Result<std::string> do_detached(const std::function<Result<void>(const Begun&)>& work) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("make", "a pipe", errno);
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return system_error("start", "a process", errno);
  if (child == 0) {
    read_end = UniqueFd();
    be_detached(std::move(write_end), work);
  }
  write_end = UniqueFd();
  const std::string words = TRY(all_of(read_end.get()));
  if (words.empty()) return fail(Errc::io, "the detached process ended before the run began");
  const Json json = TRY(parse_json(words, "the words of the detached process"));
  Fields fields(json, "the words of the detached process", UnknownKeys::ignore);
  if (json.contains("begun")) {
    std::string begun = fields.text("begun");
    TRY(fields.finish());
    return begun;
  }
  const std::int64_t code = fields.integer("code", 0, 255);
  std::string message = fields.text("message");
  TRY(fields.finish());
  return fail(static_cast<Errc>(code), std::move(message));
}

}  // namespace trainyard
