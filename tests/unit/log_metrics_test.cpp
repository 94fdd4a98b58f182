// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/log_metrics.hpp"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/support/temp_folder.hpp"

namespace trainyard::log_metrics_test {
namespace {

std::optional<double> value_in(const char* regex, std::string_view line) {
  return MetricPattern::of("m", regex)->value_in(line);
}

// A run folder that grows as a supervisor lets it grow.
struct Printing {
  TempFolder temp;
  std::string out;
  std::string index;

  void print(const std::string& text) {
    index += R"({"offset":)" + std::to_string(out.size()) + R"(,"size":)" + std::to_string(text.size()) +
             R"(,"stream":"stdout","time":"2026-01-01T00:00:00.00000)" + std::to_string(index.size() % 10) + "Z\"}\n";
    out += text;
    temp.write("stdout.log", out);
    temp.write("log_index.jsonl", index);
  }
};

}  // namespace

TEST_CASE("a metric is the first group of what matches in a line", "[log_metrics]") {
  CHECK(value_in("loss: ([0-9.]+)", "epoch 3, loss: 0.25, done") == 0.25);
  CHECK(value_in("loss: (\\S+)", "loss: -1e-3") == -1e-3);
  CHECK(value_in("loss: (\\S+)", "loss: +2") == 2.0);
  CHECK_FALSE(value_in("loss: (\\S+)", "loss: none"));
  CHECK_FALSE(value_in("loss: (\\S+)", "accuracy: 1"));
  CHECK_FALSE(value_in("^loss: (.*)$", "loss: 1 of 2"));
  CHECK(value_in("(\\d+)%", "10% of 20%") == 10.0);
  // What would take another matcher for ever.
  CHECK_FALSE(value_in("(a+)+b", std::string(60'000, 'a')));
}

TEST_CASE("a metric that is no expression is refused", "[log_metrics]") {
  CHECK(MetricPattern::of("loss", "(").error().message ==
        "the metric 'loss' has the regular expression '(', which is none: missing ): (");
  CHECK(MetricPattern::of("loss", "loss: .*").error().message ==
        "the metric 'loss' has the regular expression 'loss: .*', which has no group in parentheses for the value");
  CHECK_FALSE(MetricPattern::of("loss", "(a)\\1").ok());
}

TEST_CASE("metrics are read from lines, however they come", "[log_metrics]") {
  Printing printing;
  LogMetrics metrics({{"loss", "loss: ([0-9.]+)"}, {"both", "([0-9]+)$"}}, JobFolder(printing.temp.path()));
  using Last = LogMetrics::Last;
  const auto polled = [&](Last last) {
    std::vector<std::string> texts;
    const auto events = metrics.poll(last);
    REQUIRE(events.ok());
    for (const WorkerEvent& event : *events) {
      const auto& measured = std::get<event::Measured>(event.what);
      texts.push_back(measured.name + " " + std::to_string(measured.step) + " " +
                      std::to_string(static_cast<int>(measured.value * 100)));
    }
    return texts;
  };
  using Texts = std::vector<std::string>;
  CHECK(polled(Last::no).empty());
  printing.print("hello\nlo");
  CHECK(polled(Last::no).empty());
  printing.print("ss: 0.5\nloss: 0.25\r\nlo");
  CHECK(polled(Last::no) == Texts{"loss 0 50", "both 0 500", "loss 1 25", "both 1 2500"});
  printing.print("ss: 0.1");
  CHECK(polled(Last::no).empty());
  CHECK(polled(Last::yes) == Texts{"loss 2 10", "both 2 100"});
  CHECK(polled(Last::yes).empty());
}

}  // namespace trainyard::log_metrics_test
