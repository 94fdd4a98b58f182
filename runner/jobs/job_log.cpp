// SPDX-License-Identifier: Apache-2.0
#include "runner/jobs/job_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace trainyard {

namespace {

// Of the index, for one poll; the pieces that it tells of are at most as large as a pipe.
constexpr std::size_t kIndexBytes = std::size_t{64} << 10U;

// From `offset` on, at most `most` bytes; nothing of a file that is not there.
Result<std::string> read_part(const Path& file, std::uint64_t offset, std::size_t most) {
  const auto fd = open_file(file, O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) return std::string();
  if (!fd.ok()) return fd.error();
  if (::lseek(fd->get(), static_cast<off_t>(offset), SEEK_SET) < 0) return system_error("read", file, errno);
  std::string bytes(most, '\0');
  bytes.resize(TRY(read_some(fd->get(), std::as_writable_bytes(std::span(bytes)), file)));
  return bytes;
}

Result<LogChunk::Stream> parse_stream(std::string_view text) {
  for (const auto stream : {LogChunk::Stream::out, LogChunk::Stream::err})
    if (text == name_of(stream)) return stream;
  return fail(Errc::invalid, "'" + std::string(text) + "' is neither stdout nor stderr");
}

}  // namespace

std::string_view name_of(LogChunk::Stream stream) { return stream == LogChunk::Stream::out ? "stdout" : "stderr"; }

Result<LogChunk> JobLog::chunk_from(const std::string& line) const {
  const Json json = TRY(parse_json(line, "a line of the log index"));
  Fields fields(json, "a line of the log index");
  const auto time = fields.parsed("time", Instant::parse);
  const auto stream = fields.parsed("stream", parse_stream);
  const std::uint64_t offset = fields.count("offset");
  const std::uint64_t size = fields.count("size");
  TRY(fields.finish());
  const bool out = *stream == LogChunk::Stream::out;
  std::string text = TRY(read_part(out ? folder_.stdout_log() : folder_.stderr_log(), offset, size));
  if (text.size() < size) return fail(Errc::corrupt, "the log of the run is shorter than its index says");
  return LogChunk{*time, *stream, std::move(text)};
}

Result<std::vector<LogChunk>> JobLog::poll() {
  const std::string index = TRY(read_part(folder_.log_index(), offset_, kIndexBytes));
  std::vector<LogChunk> chunks;
  std::size_t begin = 0;
  for (std::size_t end = index.find('\n'); end != std::string::npos; end = index.find('\n', begin)) {
    chunks.push_back(TRY(chunk_from(index.substr(begin, end - begin))));
    begin = end + 1;
  }
  offset_ += begin;
  return chunks;
}

}  // namespace trainyard
