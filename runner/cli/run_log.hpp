// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/jobs/job_folder.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

enum class LogSelection { all, out, err };
enum class Timestamps { no, yes };

Result<LogSelection> parse_log_selection(const std::string& text);

// What the package printed at one moment.
struct LogChunk {
  Instant time;
  std::string stream;  // stdout or stderr
  std::string text;
};

// Reads both streams in the order in which the supervisor met them, while they are written or later.
class RunLog {
 public:
  RunLog(JobFolder folder, LogSelection selection) : folder_(std::move(folder)), selection_(selection) {}

  // What came since the last time, some of it: ask again until there is nothing.
  Result<std::vector<LogChunk>> poll();

 private:
  Result<LogChunk> chunk_from(const std::string& line) const;

  JobFolder folder_;
  LogSelection selection_;
  std::uint64_t offset_ = 0;  // in the index
};

Json to_json(const std::vector<LogChunk>& chunks);

// Prints each stream to the stream of the same name. With times, each line begins with its own.
class LogPrinter {
 public:
  explicit LogPrinter(Timestamps timestamps) : timestamps_(timestamps) {}
  void print(const std::vector<LogChunk>& chunks);

 private:
  Timestamps timestamps_;
  bool line_begins_ = true;
};

}  // namespace trainyard
