// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/sweep_reading.hpp"

#include <algorithm>
#include <cmath>

#include "runner/engine/stored_run_record.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

// What was stopped by a user, or went with its machine or its store, tells nothing of the point.
SweepTrial::Standing standing_of(const Outcome& outcome) {
  switch (outcome.reason) {
    case RunReason::ok: return SweepTrial::Standing::succeeded;
    case RunReason::stopped:
    case RunReason::lost:
    case RunReason::store_error: return SweepTrial::Standing::unfinished;
    default: return SweepTrial::Standing::failed;
  }
}

std::optional<double> value_in(const RunRecord& record, const std::string& metric) {
  if (metric == kScoreMetric && record.score) return record.score;
  if (!record.metrics.is_object() || !record.metrics.contains(metric)) return std::nullopt;
  const Json& summary = record.metrics.at(metric);
  // One that is not finite is a text.
  if (!summary.is_object() || !summary.contains("last") || !summary.at("last").is_number()) return std::nullopt;
  const auto value = summary.at("last").get<double>();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// Whoever gives a run of their own the tags of a sweep has not tried its point.
bool tried(const RunRecord& record, const SweepPoint& values) {
  return std::all_of(values.begin(), values.end(), [&](const auto& value) {
    const auto given = record.environment.find(value.first);
    return given != record.environment.end() && given->second == value.second;
  });
}

std::optional<std::uint64_t> number_of_tag(const RunFacts& run, const char* tag) {
  const auto found = run.tags.find(tag);
  return found == run.tags.end() ? std::nullopt : number_in<std::uint32_t>(found->second);
}

}  // namespace

SweepTrial trial_of(const RunRecord& record, const std::optional<std::string>& metric, std::size_t point, int rung) {
  SweepTrial trial{point, rung, standing_of(record.outcome), record.run.text(), record.name.text()};
  if (record.version) trial.version = record.version->version.text();
  if (trial.standing != SweepTrial::Standing::succeeded) {
    trial.message = std::string(name_of(record.outcome.reason)) + ": " + record.outcome.message;
    return trial;
  }
  if (metric) trial.value = value_in(record, *metric);
  for (const RecordedInput& input : record.inputs) trial.data += (input.tree ? input.tree->digest.hex() : "?") + " ";
  return trial;
}

std::vector<std::string> measured_in(const RunRecord& record) {
  std::vector<std::string> names;
  if (record.score) names.emplace_back(kScoreMetric);
  for (const auto& [name, summary] : record.metrics.items()) names.push_back(name);
  return names;
}

Result<SweepBoard> read_board(Sweep sweep, const Store& store, const FindRuns& find_runs) {
  RunQuery query;
  query.experiment = sweep.name.text();
  query.tags = {std::string(kSweepTag) + "=" + sweep.name.text()};
  const std::vector<RunFacts> runs = TRY(find_runs(store, query));
  const std::optional<std::string> metric = sweep.metric;
  SweepBoard board = TRY(SweepBoard::of(std::move(sweep)));
  for (const RunFacts& run : runs) {
    const auto point = number_of_tag(run, kPointTag);
    const auto rung = number_of_tag(run, kRungTag);
    const bool ours =
        point && rung && *point >= 1 && *point <= board.points().size() && *rung >= 1 && *rung <= board.rungs().size();
    if (!ours) continue;
    SweepTrial trial{*point, static_cast<int>(*rung), SweepTrial::Standing::running, run.id, run.name};
    if (run.over) {
      const auto record = read_run_record(TRY(RunId::parse(run.id)), store);
      if (record.ok() && !*record) continue;  // deleted just now
      if (record.ok() && !tried(**record, board.values_of(trial))) continue;
      if (record.ok()) {
        trial = trial_of(**record, metric, trial.point, trial.rung);
      } else {
        trial.standing = SweepTrial::Standing::failed;
        trial.message = record.error().message;
      }
    }
    board.found(std::move(trial));
  }
  return board;
}

}  // namespace trainyard
