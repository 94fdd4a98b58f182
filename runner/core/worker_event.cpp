// SPDX-License-Identifier: Apache-2.0
#include "runner/core/worker_event.hpp"

#include <cmath>
#include <limits>

namespace trainyard {

namespace {

double read_metric_value(Fields& fields, const char* key) {
  const Json& value = fields.any(key);
  if (value.is_number()) return value.get<double>();
  const std::string text = value.is_string() ? value.get<std::string>() : std::string();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  fields.note(key, "is neither a number nor NaN, Infinity or -Infinity");
  return 0;
}

struct EventWriter {
  Json operator()(const event::Loaded& e) const {
    return {{"event", "loaded"}, {"abi_minor", e.abi_minor}, {"builder", e.builder}};
  }
  Json operator()(const event::Called& e) const {
    return {{"event", "called"}, {"verb", e.verb}, {"directory", e.directory ? Json(*e.directory) : Json(nullptr)}};
  }
  Json operator()(const event::Logged& e) const { return {{"event", "log"}, {"level", e.level}, {"text", e.text}}; }
  Json operator()(const event::Measured& e) const {
    return {{"event", "metric"}, {"name", e.name}, {"step", e.step}, {"value", metric_value(e.value)}};
  }
  Json operator()(const event::Progressed& e) const {
    return {{"event", "progress"}, {"fraction", e.fraction}, {"note", e.note}};
  }
  Json operator()(const event::Scored& e) const { return {{"event", "score"}, {"score", e.score}}; }
  Json operator()(const event::Ended& e) const {
    return {{"event", "ended"}, {"status", e.status}, {"verb", e.verb}, {"message", e.message}};
  }
};

}  // namespace

Json to_json(const WorkerEvent& event) {
  Json json = std::visit(EventWriter{}, event.what);
  json["time"] = event.time.text();
  return json;
}

Result<WorkerEvent> worker_event_from(const Json& json) {
  Fields fields(json, "the event", UnknownKeys::ignore);
  WorkerEvent read;
  const auto time = fields.parsed("time", Instant::parse);
  const std::string kind = fields.text("event");
  if (kind == "loaded") {
    read.what =
        event::Loaded{static_cast<std::uint32_t>(fields.integer("abi_minor", 0, UINT32_MAX)), fields.text("builder")};
  } else if (kind == "called") {
    std::string verb = fields.text("verb");
    read.what = event::Called{std::move(verb), fields.optional_text("directory")};
  } else if (kind == "log") {
    read.what = event::Logged{fields.text("level"), fields.text("text")};
  } else if (kind == "metric") {
    event::Measured measured{fields.text("name"), fields.integer("step", 0, INT64_MAX),
                             read_metric_value(fields, "value")};
    if (!is_metric_name(measured.name))
      fields.note("name", "is not a metric name of 1 to 64 letters, digits, '_' or '-'");
    read.what = std::move(measured);
  } else if (kind == "progress") {
    read.what = event::Progressed{fields.number("fraction"), fields.text("note")};
  } else if (kind == "score") {
    read.what = event::Scored{fields.number("score")};
  } else if (kind == "ended") {
    read.what = event::Ended{fields.text("status"), fields.text("verb"), fields.text("message")};
  } else {
    fields.note("event", "is of an unknown kind '" + kind + "'");
  }
  TRY(fields.finish());
  read.time = *time;
  return read;
}

Result<WorkerEvent> parse_worker_event(std::string_view line) {
  const Json json = TRY(parse_json(line, "the event"));
  return worker_event_from(json);
}

Json metric_value(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}

}  // namespace trainyard
