// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/jobs/job_folder.hpp"
#include "storage/values/instant.hpp"

namespace trainyard {

// What the package printed at one moment.
struct LogChunk {
  enum class Stream { out, err };

  Instant time;
  Stream stream = Stream::out;
  std::string text;
};
std::string_view name_of(LogChunk::Stream stream);  // stdout, stderr

// Reads both streams in the order in which the supervisor met them, while they are written or later.
class JobLog {
 public:
  explicit JobLog(JobFolder folder) : folder_(std::move(folder)) {}

  // What came since the last time, some of it: ask again until there is nothing.
  Result<std::vector<LogChunk>> poll();

 private:
  [[nodiscard]] Result<LogChunk> chunk_from(const std::string& line) const;

  JobFolder folder_;
  std::uint64_t offset_ = 0;  // in the index
};

}  // namespace trainyard
