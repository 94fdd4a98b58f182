// SPDX-License-Identifier: Apache-2.0
#include "runner/core/worker_event.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace trainyard::worker_event_test {
namespace {

const Instant kTime{1'767'225'600'000'001};

WorkerEvent measured(double value) { return {kTime, event::Measured{"loss", 3, value}}; }

}  // namespace

TEST_CASE("events survive the way to disk and back", "[worker_event]") {
  const WorkerEvent events[] = {
      {kTime, event::Loaded{2, "g++ 12.2.0"}},
      {kTime, event::Called{"train"}},
      {kTime, event::Called{"train", "/w/package/dataset"}},
      {kTime, event::Scored{-0.25}},
      {kTime, event::Logged{"warning", "two\nlines \xC3\xBC"}},
      measured(0.1),
      measured(-1e300),
      {kTime, event::Progressed{0.5, "half"}},
      {kTime, event::Ended{"failed", "train", "no data"}},
  };
  for (const WorkerEvent& event : events) {
    const std::string line = canonical(to_json(event));
    CAPTURE(line);
    CHECK(line.find('\n') == std::string::npos);
    CHECK((parse_worker_event(line).value() == event));
  }
}

TEST_CASE("a metric that JSON has no number for is a text", "[worker_event]") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  CHECK(to_json(measured(std::numeric_limits<double>::quiet_NaN()))["value"] == Json("NaN"));
  CHECK(to_json(measured(kInfinity))["value"] == Json("Infinity"));
  CHECK(to_json(measured(-kInfinity))["value"] == Json("-Infinity"));
  const auto read = parse_worker_event(canonical(to_json(measured(std::numeric_limits<double>::quiet_NaN())))).value();
  CHECK(std::isnan(std::get<event::Measured>(read.what).value));
  CHECK((parse_worker_event(canonical(to_json(measured(-kInfinity)))).value() == measured(-kInfinity)));
}

TEST_CASE("a worker of tomorrow may say more", "[worker_event]") {
  const auto read = parse_worker_event(
      R"({"directory":null,"event":"called","verb":"train","thread":7,"time":"2026-01-01T00:00:00.000001Z"})");
  REQUIRE(read.ok());
  CHECK((*read == WorkerEvent{kTime, event::Called{"train"}}));
  CHECK(parse_worker_event(R"({"event":"sang","time":"2026-01-01T00:00:00.000001Z"})").error().message ==
        "the event, key 'event': is of an unknown kind 'sang'");
}

TEST_CASE("a line that is no event is an error, not an event", "[worker_event]") {
  for (
      const char* const line : {
          "",
          "{",
          "[]",
          "null",
          R"({"event":"called","verb":"train"})",
          R"({"event":"called","time":"2026-01-01T00:00:00.000001Z"})",
          R"({"event":"metric","name":"a b","step":1,"value":1,"time":"2026-01-01T00:00:00.000001Z"})",
          R"({"event":"metric","name":"a","step":-1,"value":1,"time":"2026-01-01T00:00:00.000001Z"})",
          R"({"event":"metric","name":"a","step":1,"value":"nan","time":"2026-01-01T00:00:00.000001Z"})",
          R"({"event":"metric","name":"a","step":1,"value":null,"time":"2026-01-01T00:00:00.000001Z"})",
          R"({"event":"ended","event":"ended","status":"ok","verb":"","message":"","time":"2026-01-01T00:00:00.000001Z"})",
          R"({"event":"ended","status":"ok","verb":"","message":"","time":"today"})",
      }) {
    CAPTURE(line);
    CHECK_FALSE(parse_worker_event(line).ok());
  }
}

}  // namespace trainyard::worker_event_test
