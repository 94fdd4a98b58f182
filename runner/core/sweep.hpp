// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/core/metric_goal.hpp"
#include "runner/core/run_request.hpp"
#include "runner/core/sweep_space.hpp"

namespace trainyard {

// Many runs of one package over hyperparameters. Everything that decides which runs those are, so that a sweep can go on
// after whoever drove it is gone. Schema: schemas/sweep.schema.json.
struct Sweep {
  static constexpr int kMostAtOnce = 1000;

  // A random sample of the points, in place of all of them.
  struct Random {
    std::int64_t count = 0;
    std::int64_t seed = 0;
    friend bool operator==(const Random&, const Random&) = default;
  };
  // Successive halving: all points run with the least budget, the best 1/eta of them with eta times that, and so on; the
  // last ones with the most.
  struct Halving {
    static constexpr int kMostEta = 100;

    std::string budget;  // a hyperparameter that is none of the sweep's parameters
    Decimal least;
    Decimal most;
    int eta = 3;
    friend bool operator==(const Halving&, const Halving&) = default;
  };
  enum class Repeats { refuse, allow };  // of runs that made a version before

  RunName name;  // and the experiment of its runs
  Instant created_at;
  RunRequest request;  // of each run, less what `request_for` adds
  std::vector<SweepParameter> parameters;
  std::optional<Random> random;
  std::optional<Halving> halving;
  std::optional<std::string> metric;  // by which the best is found; always there with halving
  Goal goal = Goal::max;
  int at_once = 1;
  Repeats repeats = Repeats::refuse;

  friend bool operator==(const Sweep&, const Sweep&) = default;
};

// The metric that means the score of a full run.
inline constexpr std::string_view kScoreMetric = "score";
// The tags by which the runs of a sweep are known. What a user gives must not begin like them.
inline constexpr const char* kSweepTag = "sweep";
inline constexpr const char* kPointTag = "sweep.point";
inline constexpr const char* kRungTag = "sweep.rung";
inline constexpr std::size_t kSweepTags = 3;

// Refuses what contradicts itself: a parameter twice, or also given as a variable or secret; a budget that is a parameter;
// tags that are the sweep's own; halving without a metric.
Result<void> check_sweep(const Sweep& sweep);

// Numbered from 1, in this order.
Result<std::vector<SweepPoint>> points_of(const Sweep& sweep);

// Runs that are made before it is decided who goes on. Without halving there is one.
struct Rung {
  int number = 1;
  std::size_t points = 0;             // at most: fewer when so many failed
  std::optional<std::string> budget;  // what the budget's hyperparameter is
  friend bool operator==(const Rung&, const Rung&) = default;
};
std::vector<Rung> rungs_of(const Sweep& sweep, std::size_t points);

// The request of one run. `number` is that of the point.
RunRequest request_for(const Sweep& sweep, std::size_t number, const SweepPoint& point, const Rung& rung);

// For a run that is like one of a sweep and is none of it.
void leave_sweep(RunRequest& request);

// What a point achieved; none when it failed or measured no finite number.
struct Achieved {
  std::size_t point = 0;
  std::optional<double> value;
};
// Those with a value, the best first; of equal ones that with the lower number.
std::vector<Achieved> best_first(std::vector<Achieved> all, Goal goal);
// The numbers of the points that go on, in their order.
std::vector<std::size_t> survivors(std::vector<Achieved> all, Goal goal, std::size_t count);

Json to_json(const Sweep& sweep);
// Strict, with `check_sweep`.
Result<Sweep> sweep_from(const Json& json);

}  // namespace trainyard
