// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_log.hpp"

#include <cstdio>

#include "storage/runs/run_folder.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostLog = std::size_t{4} << 30U;

Result<std::string> read_log(const Path& file) {
  auto text = read_file(file, kMostLog);
  if (!text.ok() && text.error().code == Errc::not_found) return std::string();
  return text;
}

Result<LogChunk> chunk_from(const std::string& line, const std::string& out, const std::string& err) {
  const Json json = TRY(parse_json(line, "a line of the log index"));
  Fields fields(json, "a line of the log index");
  const auto time = fields.parsed("time", Instant::parse);
  std::string stream = fields.text("stream");
  const std::uint64_t offset = fields.count("offset");
  const std::uint64_t size = fields.count("size");
  TRY(fields.finish());
  const std::string& log = stream == "stdout" ? out : err;
  if (offset > log.size() || size > log.size() - offset)
    return fail(Errc::corrupt, "the log of the run is shorter than its index says");
  return LogChunk{*time, std::move(stream), log.substr(offset, size)};
}

}  // namespace

Result<LogSelection> parse_log_selection(const std::string& text) {
  if (text == "all") return LogSelection::all;
  if (text == "stdout") return LogSelection::out;
  if (text == "stderr") return LogSelection::err;
  return fail(Errc::invalid, "--stream is '" + text + "' but must be all, stdout or stderr");
}

Result<std::vector<LogChunk>> read_run_log(const JobFolder& folder, LogSelection selection) {
  const std::string out = TRY(read_log(folder.stdout_log()));
  const std::string err = TRY(read_log(folder.stderr_log()));
  std::vector<LogChunk> chunks;
  for (const std::string& line : TRY(RunFolder::lines(folder.log_index()))) {
    LogChunk chunk = TRY(chunk_from(line, out, err));
    const bool wanted =
        selection == LogSelection::all || (selection == LogSelection::out) == (chunk.stream == "stdout");
    if (wanted) chunks.push_back(std::move(chunk));
  }
  return chunks;
}

Json to_json(const std::vector<LogChunk>& chunks) {
  Json list = Json::array();
  for (const LogChunk& chunk : chunks)
    list.push_back({{"time", chunk.time.text()}, {"stream", chunk.stream}, {"text", utf8_cleaned(chunk.text)}});
  return list;
}

void print_run_log(const std::vector<LogChunk>& chunks, Timestamps timestamps) {
  bool line_begins = true;
  for (const LogChunk& chunk : chunks) {
    std::FILE* const stream = chunk.stream == "stdout" ? stdout : stderr;
    if (timestamps == Timestamps::no) {
      std::fwrite(chunk.text.data(), 1, chunk.text.size(), stream);
    } else {
      for (const char c : chunk.text) {
        if (line_begins) std::fprintf(stream, "%s %s  ", chunk.time.text().c_str(), chunk.stream.c_str());
        std::fputc(c, stream);
        line_begins = c == '\n';
      }
    }
    std::fflush(stream);
  }
}

}  // namespace trainyard
