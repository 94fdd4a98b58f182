// SPDX-License-Identifier: Apache-2.0
#include "runner/processes/run_program.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <csignal>

#include "storage/files/files.hpp"

namespace trainyard {

namespace {

Result<UniqueFd> stream_in_memory(const char* name, std::string_view bytes) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return system_error("create", name, errno);
  TRY(write_all(fd.get(), bytes, name));
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return system_error("rewind", name, errno);
  return fd;
}

Result<std::string> content_of(const UniqueFd& fd, const char* name) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("read", name, errno);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  // The program shared the position in the file.
  if (::lseek(fd.get(), 0, SEEK_SET) != 0) return system_error("rewind", name, errno);
  bytes.resize(TRY(read_some(fd.get(), std::as_writable_bytes(std::span(bytes)), name)));
  return bytes;
}

}  // namespace

Result<ProgramOutput> run_program(const std::vector<std::string>& argv,
                                  const std::map<std::string, std::string>& environment,
                                  const std::string& working_directory, std::string_view stdin_text,
                                  std::chrono::milliseconds timeout) {
  const UniqueFd in = TRY(stream_in_memory("stdin", stdin_text));
  const UniqueFd out = TRY(stream_in_memory("stdout", {}));
  const UniqueFd err = TRY(stream_in_memory("stderr", {}));
  SpawnOptions options;
  options.argv = argv;
  options.environment = environment;
  options.working_directory = working_directory;
  options.in = in.get();
  options.out = out.get();
  options.err = err.get();
  options.group = SpawnOptions::Group::own;
  Process process = TRY(Process::spawn(options));
  const auto status = TRY(process.wait(timeout));
  if (!status) {
    static_cast<void>(::kill(-process.pid(), SIGKILL));
    return fail(Errc::timed_out, "'" + argv.at(0) + "' took longer than " + std::to_string(timeout.count()) + " ms");
  }
  auto printed = TRY(content_of(out, "stdout"));
  auto complained = TRY(content_of(err, "stderr"));
  return ProgramOutput{*status, std::move(printed), std::move(complained)};
}

}  // namespace trainyard
