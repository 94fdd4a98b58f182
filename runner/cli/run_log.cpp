// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "storage/values/utf8.hpp"

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

}  // namespace

Result<LogSelection> parse_log_selection(const std::string& text) {
  if (text == "all") return LogSelection::all;
  if (text == "stdout") return LogSelection::out;
  if (text == "stderr") return LogSelection::err;
  return fail(Errc::invalid, "--stream is '" + text + "' but must be all, stdout or stderr");
}

Result<LogChunk> RunLog::chunk_from(const std::string& line) const {
  const Json json = TRY(parse_json(line, "a line of the log index"));
  Fields fields(json, "a line of the log index");
  const auto time = fields.parsed("time", Instant::parse);
  std::string stream = fields.text("stream");
  const std::uint64_t offset = fields.count("offset");
  const std::uint64_t size = fields.count("size");
  TRY(fields.finish());
  const bool out = stream == "stdout";
  if (selection_ != LogSelection::all && (selection_ == LogSelection::out) != out)
    return LogChunk{*time, std::move(stream), ""};
  std::string text = TRY(read_part(out ? folder_.stdout_log() : folder_.stderr_log(), offset, size));
  if (text.size() < size) return fail(Errc::corrupt, "the log of the run is shorter than its index says");
  return LogChunk{*time, std::move(stream), std::move(text)};
}

Result<std::vector<LogChunk>> RunLog::poll() {
  const std::string index = TRY(read_part(folder_.log_index(), offset_, kIndexBytes));
  std::vector<LogChunk> chunks;
  std::size_t begin = 0;
  for (std::size_t end = index.find('\n'); end != std::string::npos; end = index.find('\n', begin)) {
    LogChunk chunk = TRY(chunk_from(index.substr(begin, end - begin)));
    if (!chunk.text.empty()) chunks.push_back(std::move(chunk));
    begin = end + 1;
  }
  offset_ += begin;
  // A part without a wanted piece is not the end.
  if (chunks.empty() && begin != 0) return poll();
  return chunks;
}

Json to_json(const std::vector<LogChunk>& chunks) {
  Json list = Json::array();
  for (const LogChunk& chunk : chunks)
    list.push_back({{"time", chunk.time.text()}, {"stream", chunk.stream}, {"text", utf8_cleaned(chunk.text)}});
  return list;
}

void LogPrinter::print(const std::vector<LogChunk>& chunks) {
  for (const LogChunk& chunk : chunks) {
    std::FILE* const stream = chunk.stream == "stdout" ? stdout : stderr;
    if (timestamps_ == Timestamps::no) {
      std::fwrite(chunk.text.data(), 1, chunk.text.size(), stream);
    } else {
      for (const char c : chunk.text) {
        if (line_begins_) std::fprintf(stream, "%s %s  ", chunk.time.text().c_str(), chunk.stream.c_str());
        std::fputc(c, stream);
        line_begins_ = c == '\n';
      }
    }
    std::fflush(stream);
  }
}

}  // namespace trainyard
