// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

namespace event {

struct Loaded {  // the library is in the process and its table was read
  std::uint32_t abi_minor = 0;
  std::string builder;
  friend bool operator==(const Loaded&, const Loaded&) = default;
};
struct Called {  // a call begins; "create" is one too
  std::string verb;
  // The folder that it is given, where that is decided only now: one that was to hold the data may be empty.
  std::optional<std::string> directory = std::nullopt;
  friend bool operator==(const Called&, const Called&) = default;
};
struct Logged {
  std::string level;  // debug, info, warning, error
  std::string text;
  friend bool operator==(const Logged&, const Logged&) = default;
};
struct Measured {
  std::string name;
  std::int64_t step = 0;
  double value = 0;  // NaN and infinities are written as text
  friend bool operator==(const Measured&, const Measured&) = default;
};
struct Progressed {
  double fraction = 0;
  std::string note;
  friend bool operator==(const Progressed&, const Progressed&) = default;
};
struct Scored {  // what evaluate() said; finite
  double score = 0;
  friend bool operator==(const Scored&, const Scored&) = default;
};
struct Ended {         // the last event: how the package's calls ended
  std::string status;  // ok, cancelled, invalid_input, failed, bug, out_of_memory
  std::string verb;    // the call that ended it; empty when all went well
  std::string message;
  friend bool operator==(const Ended&, const Ended&) = default;
};

}  // namespace event

// What the worker reports while a package runs: one line of events.jsonl each. Schema: schemas/event.schema.json.
// Readers skip events of a kind that they do not know.
struct WorkerEvent {
  Instant time;
  std::variant<event::Loaded, event::Called, event::Logged, event::Measured, event::Progressed, event::Scored,
               event::Ended>
      what;

  friend bool operator==(const WorkerEvent&, const WorkerEvent&) = default;
};

Json to_json(const WorkerEvent& event);
Result<WorkerEvent> worker_event_from(const Json& json);
// A line of events.jsonl, without its newline.
Result<WorkerEvent> parse_worker_event(std::string_view line);

// A JSON number, or "NaN", "Infinity", "-Infinity".
Json metric_value(double value);

}  // namespace trainyard
