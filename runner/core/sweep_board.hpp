// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runner/core/sweep.hpp"

namespace trainyard {

// One point on one rung, and the run that tried it.
struct SweepTrial {
  enum class Standing {
    not_run,
    running,     // its run is not over
    unfinished,  // its run was stopped or lost, which says nothing of the point
    failed,
    succeeded,
  };

  std::size_t point = 0;
  int rung = 1;
  Standing standing = Standing::not_run;
  std::string run = {};      // its id; empty when there is none
  std::string name = {};     // of the run
  std::string version = {};  // that it made, as "1.3"
  std::optional<double> value = {};
  std::string message = {};  // why it failed
  std::string data = {};     // what identifies the content that it was trained on

  friend bool operator==(const SweepTrial&, const SweepTrial&) = default;
};
std::string_view name_of(SweepTrial::Standing standing);

// What has become of a sweep so far, and what is to be done next. Pure: who runs anything tells it here.
class SweepBoard {
 public:
  // `invalid` as `points_of`.
  static Result<SweepBoard> of(Sweep sweep);

  [[nodiscard]] const Sweep& sweep() const { return sweep_; }
  [[nodiscard]] const std::vector<SweepPoint>& points() const { return points_; }
  [[nodiscard]] const std::vector<Rung>& rungs() const { return rungs_; }
  [[nodiscard]] const SweepPoint& point(std::size_t number) const { return points_[number - 1]; }
  [[nodiscard]] const Rung& rung(int number) const { return rungs_[static_cast<std::size_t>(number) - 1]; }

  // What a run that was found tells. Where several tried the same, the first that succeeded counts, else one that still
  // runs, else the last. Told in the order in which they began; of what is not of this sweep nothing is kept.
  void found(SweepTrial trial);
  // What a run that was just made tells: it counts.
  void set(SweepTrial trial);

  [[nodiscard]] SweepTrial trial(int rung, std::size_t point) const;
  // The numbers of the points that are tried on a rung, in order; on a later one as far as it can be told by now.
  [[nodiscard]] std::vector<std::size_t> members(int rung) const;
  // Whether a run on a later rung exists: then it has been decided who goes on, and nothing is tried here any more.
  [[nodiscard]] bool is_closed(int rung) const;
  // Whether all that was to be tried on the rung has succeeded or failed, or does not matter any more.
  [[nodiscard]] bool is_settled(int rung) const;

  enum class RetryFailed { no, yes };
  // The trials of a rung that ask for a run, or whose run has to be seen to its end.
  [[nodiscard]] std::vector<SweepTrial> open_trials(int rung, RetryFailed retry) const;

  // The trials of all rungs as far as those are decided; the best first, then those without a value.
  [[nodiscard]] std::vector<SweepTrial> ranking() const;
  // The best of the last rung on which any point has a value.
  [[nodiscard]] std::optional<SweepTrial> best() const;
  [[nodiscard]] bool is_finished() const;
  // Whether all runs that made something were trained on the same content.
  [[nodiscard]] bool had_same_data() const;
  // What the point gives its run on a rung: its values, and the budget.
  [[nodiscard]] SweepPoint values_of(const SweepTrial& trial) const;

 private:
  SweepBoard(Sweep sweep, std::vector<SweepPoint> points, std::vector<Rung> rungs)
      : sweep_(std::move(sweep)), points_(std::move(points)), rungs_(std::move(rungs)) {}
  [[nodiscard]] const SweepTrial* known(int rung, std::size_t point) const;
  [[nodiscard]] std::vector<Achieved> achieved_on(int rung) const;
  // The last rung that is decided.
  [[nodiscard]] int last_decided() const;

  Sweep sweep_;
  std::vector<SweepPoint> points_;
  std::vector<Rung> rungs_;
  std::map<std::pair<int, std::size_t>, SweepTrial> trials_;  // by rung and point
};

// Schema: schemas/sweep-report.schema.json.
Json to_json(const SweepBoard& board);

}  // namespace trainyard
