// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/jobs/job_log.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

enum class LogSelection { all, out, err };
enum class Timestamps { no, yes };

Result<LogSelection> parse_log_selection(const std::string& text);

// Only what is wanted of it.
std::vector<LogChunk> selected(std::vector<LogChunk> chunks, LogSelection selection);

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
