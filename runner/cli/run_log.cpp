// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_log.hpp"

#include <cstdio>

#include "storage/values/utf8.hpp"

namespace trainyard {

Result<LogSelection> parse_log_selection(const std::string& text) {
  if (text == "all") return LogSelection::all;
  if (text == "stdout") return LogSelection::out;
  if (text == "stderr") return LogSelection::err;
  return fail(Errc::invalid, "--stream is '" + text + "' but must be all, stdout or stderr");
}

std::vector<LogChunk> selected(std::vector<LogChunk> chunks, LogSelection selection) {
  if (selection == LogSelection::all) return chunks;
  const auto wanted = selection == LogSelection::out ? LogChunk::Stream::out : LogChunk::Stream::err;
  std::erase_if(chunks, [&](const LogChunk& chunk) { return chunk.stream != wanted; });
  return chunks;
}

Json to_json(const std::vector<LogChunk>& chunks) {
  Json list = Json::array();
  for (const LogChunk& chunk : chunks)
    list.push_back(
        {{"time", chunk.time.text()}, {"stream", name_of(chunk.stream)}, {"text", utf8_cleaned(chunk.text)}});
  return list;
}

void LogPrinter::print(const std::vector<LogChunk>& chunks) {
  for (const LogChunk& chunk : chunks) {
    std::FILE* const stream = chunk.stream == LogChunk::Stream::out ? stdout : stderr;
    if (timestamps_ == Timestamps::no) {
      std::fwrite(chunk.text.data(), 1, chunk.text.size(), stream);
    } else {
      for (const char c : chunk.text) {
        if (line_begins_)
          std::fprintf(stream, "%s %s  ", chunk.time.text().c_str(), std::string(name_of(chunk.stream)).c_str());
        std::fputc(c, stream);
        line_begins_ = c == '\n';
      }
    }
    std::fflush(stream);
  }
}

}  // namespace trainyard
