// SPDX-License-Identifier: Apache-2.0
#include "runner/core/sweep_board.hpp"

#include <algorithm>
#include <set>

namespace trainyard {

namespace {

constexpr std::string_view kReportSchema = "trainyard.sweep-report/1";
constexpr std::string_view kStandings[] = {"not_run", "running", "unfinished", "failed", "succeeded"};

bool is_done(SweepTrial::Standing standing) {
  return standing == SweepTrial::Standing::succeeded || standing == SweepTrial::Standing::failed;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json to_json(const Rung& rung) {
  return {{"rung", rung.number}, {"points", rung.points}, {"budget", rung.budget ? Json(*rung.budget) : Json(nullptr)}};
}

}  // namespace

std::string_view name_of(SweepTrial::Standing standing) { return kStandings[static_cast<std::size_t>(standing)]; }

Result<SweepBoard> SweepBoard::of(Sweep sweep) {
  auto points = TRY(points_of(sweep));
  auto rungs = rungs_of(sweep, points.size());
  return SweepBoard(std::move(sweep), std::move(points), std::move(rungs));
}

void SweepBoard::found(SweepTrial trial) {
  const bool ours = trial.point >= 1 && trial.point <= points_.size() && trial.rung >= 1 &&
                    static_cast<std::size_t>(trial.rung) <= rungs_.size();
  if (!ours) return;
  const SweepTrial* const before = known(trial.rung, trial.point);
  const auto weight = [](const SweepTrial& one) {
    return one.standing == SweepTrial::Standing::succeeded ? 2 : one.standing == SweepTrial::Standing::running ? 1 : 0;
  };
  const bool counts =
      before == nullptr || weight(trial) > weight(*before) || (weight(trial) == weight(*before) && weight(trial) < 2);
  if (counts) set(std::move(trial));
}

void SweepBoard::set(SweepTrial trial) {
  const auto key = std::pair(trial.rung, trial.point);
  trials_.insert_or_assign(key, std::move(trial));
}

const SweepTrial* SweepBoard::known(int rung, std::size_t point) const {
  const auto found = trials_.find({rung, point});
  return found == trials_.end() ? nullptr : &found->second;
}

SweepTrial SweepBoard::trial(int rung, std::size_t point) const {
  const SweepTrial* const trial = known(rung, point);
  return trial != nullptr ? *trial : SweepTrial{point, rung};
}

std::vector<Achieved> SweepBoard::achieved_on(int rung) const {
  std::vector<Achieved> achieved;
  for (const std::size_t point : members(rung)) {
    const SweepTrial* const trial = known(rung, point);
    const bool succeeded = trial != nullptr && trial->standing == SweepTrial::Standing::succeeded;
    achieved.push_back({point, succeeded ? trial->value : std::nullopt});
  }
  return achieved;
}

std::vector<std::size_t> SweepBoard::members(int rung) const {
  if (rung > 1) return survivors(achieved_on(rung - 1), sweep_.goal, this->rung(rung).points);
  std::vector<std::size_t> all;
  for (std::size_t point = 1; point <= points_.size(); ++point) all.push_back(point);
  return all;
}

bool SweepBoard::is_closed(int rung) const {
  const auto later = trials_.lower_bound({rung + 1, 0});
  return std::any_of(later, trials_.end(), [](const auto& one) { return !one.second.run.empty(); });
}

bool SweepBoard::is_settled(int rung) const {
  if (is_closed(rung)) return true;
  const auto all = members(rung);
  return std::all_of(all.begin(), all.end(), [&](std::size_t point) {
    const SweepTrial* const trial = known(rung, point);
    return trial != nullptr && is_done(trial->standing);
  });
}

std::vector<SweepTrial> SweepBoard::open_trials(int rung, RetryFailed retry) const {
  std::vector<SweepTrial> open;
  const bool closed = is_closed(rung);
  for (const std::size_t point : members(rung)) {
    SweepTrial one = trial(rung, point);
    const bool again = one.standing == SweepTrial::Standing::failed && retry == RetryFailed::yes;
    const bool wanted = closed ? one.standing == SweepTrial::Standing::running : !is_done(one.standing) || again;
    if (wanted) open.push_back(std::move(one));
  }
  return open;
}

int SweepBoard::last_decided() const {
  int last = 1;
  while (static_cast<std::size_t>(last) < rungs_.size() && is_settled(last) && !members(last + 1).empty()) ++last;
  return last;
}

std::vector<SweepTrial> SweepBoard::ranking() const {
  std::vector<SweepTrial> ranked;
  for (int rung = last_decided(); rung >= 1; --rung) {
    const std::vector<Achieved> best = best_first(achieved_on(rung), sweep_.goal);
    std::set<std::size_t> placed;
    for (const Achieved& one : best) {
      ranked.push_back(trial(rung, one.point));
      placed.insert(one.point);
    }
    for (const std::size_t point : members(rung)) {
      if (!placed.contains(point)) ranked.push_back(trial(rung, point));
    }
  }
  return ranked;
}

std::optional<SweepTrial> SweepBoard::best() const {
  for (int rung = last_decided(); rung >= 1; --rung) {
    const std::vector<Achieved> best = best_first(achieved_on(rung), sweep_.goal);
    if (!best.empty()) return trial(rung, best.front().point);
  }
  return std::nullopt;
}

bool SweepBoard::is_finished() const {
  const int last = last_decided();
  return is_settled(last) && (static_cast<std::size_t>(last) == rungs_.size() || members(last + 1).empty());
}

bool SweepBoard::had_same_data() const {
  std::set<std::string> data;
  for (const auto& [key, trial] : trials_) {
    if (trial.standing == SweepTrial::Standing::succeeded && !trial.data.empty()) data.insert(trial.data);
  }
  return data.size() <= 1;
}

SweepPoint SweepBoard::values_of(const SweepTrial& trial) const {
  SweepPoint values = point(trial.point);
  if (const auto& budget = rung(trial.rung).budget) values[sweep_.halving->budget] = *budget;
  return values;
}

Json to_json(const SweepBoard& board) {
  const auto best = board.best();
  Json rungs = Json::array();
  for (const Rung& rung : board.rungs()) rungs.push_back(to_json(rung));
  Json trials = Json::array();
  for (const SweepTrial& trial : board.ranking()) {
    trials.push_back({{"point", trial.point},
                      {"rung", trial.rung},
                      {"parameters", board.values_of(trial)},
                      {"standing", name_of(trial.standing)},
                      {"run", text_or_null(trial.run)},
                      {"name", text_or_null(trial.name)},
                      {"version", text_or_null(trial.version)},
                      {"value", trial.value ? Json(*trial.value) : Json(nullptr)},
                      {"message", text_or_null(trial.message)},
                      {"winner", best == trial}});
  }
  return {{"schema", kReportSchema},         {"sweep", to_json(board.sweep())},
          {"finished", board.is_finished()}, {"same_data", board.had_same_data()},
          {"rungs", std::move(rungs)},       {"trials", std::move(trials)}};
}

}  // namespace trainyard
