// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/log_pump.hpp"

#include <fcntl.h>

#include <cerrno>

#include "runner/processes/clock.hpp"

namespace trainyard {

namespace {

constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;

}  // namespace

Result<LogPump> LogPump::open(const JobFolder& folder, const SecretForms& secrets) {
  LogPump pump;
  pump.index_path_ = folder.log_index();
  pump.index_ = TRY(open_file(pump.index_path_, kAppend, 0644));
  pump.streams_[0].name = "stdout";
  pump.streams_[0].path = folder.stdout_log();
  pump.streams_[1].name = "stderr";
  pump.streams_[1].path = folder.stderr_log();
  for (Stream& stream : pump.streams_) {
    if (!secrets.empty()) stream.redactor.emplace(secrets);
    stream.log = TRY(open_file(stream.path, kAppend, 0644));
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("make a pipe for", stream.path, errno);
    stream.read_end = UniqueFd(ends[0]);
    stream.write_end = UniqueFd(ends[1]);
    // Our end only: a job may count on writes that block.
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return system_error("make a pipe for", stream.path, errno);
  }
  return pump;
}

void LogPump::close_write_ends() {
  for (Stream& stream : streams_) stream.write_end.reset();
}

void LogPump::carry(std::size_t stream) { static_cast<void>(carry_piece(streams_.at(stream))); }

void LogPump::drain() {
  for (Stream& stream : streams_) {
    while (carry_piece(stream)) {
    }
    if (stream.redactor) keep(stream, stream.redactor->rest());
  }
}

// True when there may be more.
bool LogPump::carry_piece(Stream& stream) {
  if (!stream.read_end) return false;
  const ssize_t got = ::read(stream.read_end.get(), buffer_.data(), buffer_.size());
  if (got < 0) return errno == EINTR;
  if (got == 0) {
    stream.read_end.reset();
    return false;
  }
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  if (stream.redactor) {
    keep(stream, stream.redactor->pass(bytes));
  } else {
    keep(stream, bytes);
  }
  return true;
}

void LogPump::keep(Stream& stream, std::string_view bytes) {
  if (stream.given_up || bytes.empty()) return;
  const auto written = write(stream, bytes);
  if (written.ok()) return;
  stream.given_up = true;
  if (!trouble_) trouble_ = written.error();
}

Result<void> LogPump::write(Stream& stream, std::string_view bytes) {
  TRY(write_all(stream.log.get(), bytes, stream.path));
  const std::string line = "{\"offset\":" + std::to_string(stream.offset) +
                           ",\"size\":" + std::to_string(bytes.size()) + ",\"stream\":\"" + std::string(stream.name) +
                           "\",\"time\":\"" + now().text() + "\"}\n";
  stream.offset += bytes.size();
  return write_all(index_.get(), line, index_path_);
}

}  // namespace trainyard
