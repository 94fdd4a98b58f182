// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/event_pump.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "runner/core/worker_event.hpp"
#include "runner/processes/clock.hpp"
#include "runner/worker/event_log.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::event_pump_test {
namespace {

// A pump with a writer that is not bound to anything but the fifo.
class Pumped {
 public:
  explicit Pumped(const Secrets& secrets = {})
      : secrets_(secrets), job_(folder()), pump_(EventPump::open(job_, secrets_).value()) {}

  void write(const std::string& bytes) {
    const UniqueFd fifo = EventLog::open(job_.channel_events()).value();
    REQUIRE(write_all(fifo.get(), bytes, "the fifo").ok());
  }
  std::vector<WorkerEvent> events() {
    pump_.drain();
    std::istringstream lines(temp_.read("events.jsonl"));
    std::vector<WorkerEvent> events;
    for (std::string line; std::getline(lines, line);) events.push_back(parse_worker_event(line).value());
    return events;
  }
  EventPump& pump() { return pump_; }
  [[nodiscard]] const JobFolder& job() const { return job_; }

 private:
  JobFolder folder() {
    temp_.folder("channel");
    return JobFolder(temp_.path());
  }

  TempFolder temp_;
  SecretForms secrets_;
  JobFolder job_;
  EventPump pump_;
};

const std::string kProgress =
    R"({"event":"progress","fraction":0.5,"note":"half","time":"2020-01-01T00:00:00.000000Z"})";

}  // namespace

TEST_CASE("what is no event does not get into the story of a run", "[event_pump]") {
  Pumped pumped;
  pumped.write("garbage\n\n{}\n[1]\n{\"event\":\"progress\"}\n" + std::string("\0\xff\n", 3));
  pumped.write(kProgress + "\n" + kProgress.substr(0, 20));
  CHECK(pumped.events().size() == 1);
  // The rest of a line comes when it comes.
  pumped.write(kProgress.substr(20) + "\n");
  CHECK(pumped.events().size() == 2);
  // A kind that is not known, and one with a value that it cannot have.
  pumped.write(R"({"event":"published","time":"2020-01-01T00:00:00.000000Z","version":"9.9"})"
               "\n"
               R"({"event":"score","score":"ten","time":"2020-01-01T00:00:00.000000Z"})"
               "\n");
  CHECK(pumped.events().size() == 2);
  CHECK(pumped.pump().sync().ok());
}

TEST_CASE("an event has the time of the supervisor, and what it does not mean is not kept", "[event_pump]") {
  Pumped pumped;
  const Instant before = now();
  pumped.write(R"({"event":"log","level":"info","text":"x","time":"1999-01-01T00:00:00.000000Z","run":"another"})"
               "\n");
  const auto events = pumped.events();
  REQUIRE(events.size() == 1);
  CHECK(events[0].time >= before);
  CHECK((std::get<event::Logged>(events[0].what) == event::Logged{"info", "x"}));
}

TEST_CASE("a secret does not get through, whoever writes the event", "[event_pump]") {
  Pumped pumped(Secrets{{"token", "correct horse"}});
  pumped.write(R"({"event":"log","level":"info","text":"it is correct horse","time":"2020-01-01T00:00:00.000000Z"})"
               "\n");
  const auto events = pumped.events();
  REQUIRE(events.size() == 1);
  CHECK((std::get<event::Logged>(events[0].what) == event::Logged{"info", "it is [secret token]"}));
}

TEST_CASE("a line without an end takes no memory, and the next one counts", "[event_pump]") {
  Pumped pumped;
  const std::string piece(32 << 10, 'x');
  for (int i = 0; i < 100; ++i) {
    pumped.write(piece);
    pumped.pump().drain();
  }
  pumped.write("\n" + kProgress + "\n");
  CHECK(pumped.events().size() == 1);
  CHECK(pumped.pump().written_bytes() < 1000);
}

TEST_CASE("events of several writers stay whole", "[event_pump]") {
  Pumped pumped;
  // Longer than what a fifo takes in one piece; so that nobody has to wait for the reader, shorter than what it holds.
  const std::string text(9000, 'y');
  EventLog first(EventLog::open(pumped.job().channel_events()).value(), "first");
  EventLog second(EventLog::open(pumped.job().channel_events()).value(), "second");
  for (int i = 0; i < 3; ++i) {
    REQUIRE(first.write(event::Logged{"info", text}).ok());
    REQUIRE(second.write(event::Measured{"loss", i, 0.5}).ok());
  }
  CHECK(pumped.events().size() == 6);
}

}  // namespace trainyard::event_pump_test
