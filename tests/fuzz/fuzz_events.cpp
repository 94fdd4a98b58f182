// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_results.hpp"
#include "runner/jobs/event_tail.hpp"
#include "tests/fuzz/input_file.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

namespace {

std::string line_of(const WorkerEvent& event) { return canonical(to_json(event)); }

std::string lines_of(EventTail& tail) {
  const auto events = tail.poll();
  fuzz::require(events.ok(), "a file of events can be read");
  std::string lines;
  for (const WorkerEvent& event : *events) lines += line_of(event) + "\n";
  return lines;
}

}  // namespace

// A worker's file of events, and the same while it grows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::InputFile file;
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t half = size == 0 ? 0 : (data[0] * std::size_t{31} + data[size - 1]) % size;
  file.hold(text.substr(0, half));
  EventTail growing(file.path());
  std::string lines = lines_of(growing);
  file.add(text.substr(half));
  lines += lines_of(growing);
  EventTail whole(file.path());
  fuzz::require(lines_of(whole) == lines, "a file that grows tells the same events");

  MetricSummaries metrics;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    const std::string_view line = std::string_view(lines).substr(begin, end - begin);
    const auto event = parse_worker_event(line);
    fuzz::require(event.ok() && line_of(*event) == line, "an event is read as it was written");
    if (const auto* const measured = std::get_if<event::Measured>(&event->what)) metrics.add(*measured);
    begin = end + 1;
  }
  fuzz::require(parse_json(canonical(metrics.json()), "the metrics").ok(), "metrics are JSON whatever was measured");

  const auto line = parse_worker_event(text);
  if (!line.ok()) fuzz::require_sentence(line.error());
  return 0;
}
