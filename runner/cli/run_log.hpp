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

// Both streams, in the order in which the supervisor met them.
Result<std::vector<LogChunk>> read_run_log(const JobFolder& folder, LogSelection selection);

Json to_json(const std::vector<LogChunk>& chunks);

// Each stream to the stream of the same name. With times, each line begins with its own.
void print_run_log(const std::vector<LogChunk>& chunks, Timestamps timestamps);

}  // namespace trainyard
