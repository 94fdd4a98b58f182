// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/log_metrics.hpp"

#include <algorithm>

namespace trainyard {

namespace {

// Of a line, as much as is looked at.
constexpr std::size_t kMostLine = std::size_t{64} << 10U;

}  // namespace

LogMetrics::LogMetrics(const std::vector<Manifest::MetricPattern>& metrics, JobFolder folder)
    : log_(std::move(folder)) {
  for (const auto& metric : metrics) {
    if (auto pattern = MetricPattern::of(metric.name, metric.regex); pattern.ok())
      patterns_.push_back(std::move(*pattern));
  }
}

Result<std::vector<WorkerEvent>> LogMetrics::poll(Last last) {
  std::vector<WorkerEvent> events;
  if (patterns_.empty()) return events;
  for (;;) {
    const auto chunks = TRY(log_.poll());
    for (const LogChunk& chunk : chunks) take(chunk, events);
    if (chunks.empty()) break;
  }
  if (last == Last::no) return events;
  for (auto& [stream, rest] : rests_) {
    if (!rest.line.empty()) take_line(std::exchange(rest.line, {}), rest.time, events);
  }
  return events;
}

void LogMetrics::take(const LogChunk& chunk, std::vector<WorkerEvent>& events) {
  Rest& rest = rests_[chunk.stream];
  rest.time = chunk.time;
  std::string_view text = chunk.text;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    rest.line.append(text.substr(0, std::min(end, kMostLine)));
    take_line(std::exchange(rest.line, {}), chunk.time, events);
    text.remove_prefix(end + 1);
  }
  if (rest.line.size() < kMostLine) rest.line.append(text.substr(0, kMostLine));
}

void LogMetrics::take_line(std::string_view line, Instant time, std::vector<WorkerEvent>& events) {
  line = line.substr(0, kMostLine);
  if (line.ends_with('\r')) line.remove_suffix(1);
  for (const MetricPattern& pattern : patterns_) {
    if (const auto value = pattern.value_in(line))
      events.push_back({time, event::Measured{pattern.name(), steps_[pattern.name()]++, *value}});
  }
}

}  // namespace trainyard
