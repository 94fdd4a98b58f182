// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runner/core/worker_event.hpp"
#include "runner/jobs/job_log.hpp"
#include "storage/packages/metric_pattern.hpp"
#include "storage/values/manifest.hpp"

namespace trainyard {

// The metrics of a run that its package declares as regular expressions over what it prints. The n-th value of a metric
// has the step n - 1.
class LogMetrics {
 public:
  // An expression that RE2 does not know is left out: the package was checked before it was stored.
  LogMetrics(const std::vector<Manifest::MetricPattern>& metrics, JobFolder folder);

  // What was printed since the last time; at the end of the job with `Last::yes`, which takes a line without its newline
  // too.
  enum class Last { no, yes };
  Result<std::vector<WorkerEvent>> poll(Last last);

 private:
  void take(const LogChunk& chunk, std::vector<WorkerEvent>& events);
  void take_line(std::string_view line, Instant time, std::vector<WorkerEvent>& events);

  struct Rest {
    std::string line;  // the beginning of one that is not complete yet
    Instant time;
  };

  std::vector<MetricPattern> patterns_;
  JobLog log_;
  std::map<LogChunk::Stream, Rest> rests_;
  std::map<std::string, std::int64_t> steps_;
};

}  // namespace trainyard
