// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/sweep_display.hpp"

#include <algorithm>

#include "runner/cli/interrupts.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kBestToCompare = 4;

std::vector<std::string> names_of_parameters(const Sweep& sweep) {
  std::vector<std::string> names;
  for (const SweepParameter& parameter : sweep.parameters) names.push_back(parameter.name());
  if (sweep.halving) names.push_back(sweep.halving->budget);
  return names;
}

std::string standing_text(const SweepTrial& trial) {
  switch (trial.standing) {
    case SweepTrial::Standing::not_run: return "not run";
    case SweepTrial::Standing::running: return "running";
    case SweepTrial::Standing::unfinished: return "unfinished";
    case SweepTrial::Standing::failed: return "failed";
    case SweepTrial::Standing::succeeded: break;
  }
  return "succeeded";
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string best_text(const Sweep& sweep, const SweepTrial& best) {
  return "best " + *sweep.metric + " " + number_text(*best.value) + " (point " + std::to_string(best.point) + ")";
}

}  // namespace

void SweepDisplay::progressed(const SweepProgress& progress) {
  if (!line_.shown()) return;
  if (const int count = interrupts(); count > told_) {
    told_ = count;
    line_.print_above(count == 1 ? "stopping, and beginning no further run; press Ctrl-C again to end the runs at once"
                                 : "ending the runs at once");
  }
  std::string text =
      bar(progress.all == 0 ? 1 : static_cast<double>(progress.done) / static_cast<double>(progress.all));
  if (progress.rungs > 1)
    text += "  rung " + std::to_string(progress.rung) + " of " + std::to_string(progress.rungs) + ":";
  text += "  " + std::to_string(progress.done) + " of " + plural(progress.all, "run") + " done, " +
          std::to_string(progress.running) + " running";
  if (progress.failed > 0) text += ", " + std::to_string(progress.failed) + " failed";
  if (progress.best && sweep_.metric) text += ", " + best_text(sweep_, *progress.best);
  line_.show(text);
}

void SweepDisplay::noticed(const std::string& sentence) {
  line_.clear();
  complain(sentence);
}

StopWish SweepDisplay::stop_wish() {
  const int count = interrupts();
  if (count == 0) return StopWish::none;
  return count == 1 ? StopWish::polite : StopWish::now;
}

std::string trials_table(const SweepBoard& board) {
  const Sweep& sweep = board.sweep();
  const bool rungs = board.rungs().size() > 1;
  const auto best = board.best();
  const std::vector<std::string> parameters = names_of_parameters(sweep);
  std::vector<std::string> head = {"POINT"};
  if (rungs) head.emplace_back("RUNG");
  for (const std::string& name : parameters) head.push_back(name);
  if (sweep.metric) head.push_back(*sweep.metric);
  head.insert(head.end(), {"STATUS", "VERSION", "RUN"});
  std::vector<std::vector<std::string>> rows = {std::move(head)};
  for (const SweepTrial& trial : board.ranking()) {
    const SweepPoint values = board.values_of(trial);
    std::vector<std::string> row = {std::to_string(trial.point)};
    if (rungs) row.push_back(std::to_string(trial.rung));
    for (const std::string& name : parameters) row.push_back(printable(values.at(name)));
    if (sweep.metric) row.push_back(trial.value ? number_text(*trial.value) + (best == trial ? " *" : "") : "-");
    row.insert(row.end(), {standing_text(trial), or_dash(trial.version), or_dash(trial.name)});
    rows.push_back(std::move(row));
  }
  return table(rows);
}

std::string summary_of(const SweepBoard& board) {
  const Sweep& sweep = board.sweep();
  const std::vector<SweepTrial> ranking = board.ranking();
  std::vector<std::string> counts;
  for (const auto standing :
       {SweepTrial::Standing::succeeded, SweepTrial::Standing::failed, SweepTrial::Standing::running,
        SweepTrial::Standing::unfinished, SweepTrial::Standing::not_run}) {
    const auto count = std::count_if(ranking.begin(), ranking.end(),
                                     [&](const SweepTrial& trial) { return trial.standing == standing; });
    if (count > 0) counts.push_back(std::to_string(count) + " " + standing_text({1, 1, standing}));
  }
  std::string text =
      "sweep " + sweep.name.text() + " of " + sweep.request.package.text() + ": " + plural(ranking.size(), "run");
  for (const std::string& count : counts) text += ", " + count;
  text += "\n";
  std::vector<std::vector<std::string>> rows;
  if (sweep.random)
    rows.push_back(
        {"  sample", std::to_string(sweep.random->count) + " with --seed " + std::to_string(sweep.random->seed)});
  if (const auto best = board.best()) {
    std::string values;
    for (const auto& [name, value] : board.values_of(*best)) values += " " + printable(name + "=" + value);
    rows.push_back({"  best", *sweep.metric + " " + number_text(*best->value) + " at" + values + ": " +
                                  sweep.request.package.name.text() + "@" + best->version});
  }
  std::string compared;
  std::size_t count = 0;
  for (const SweepTrial& trial : ranking) {
    if (trial.standing != SweepTrial::Standing::succeeded || count == kBestToCompare) continue;
    compared += " " + trial.name;
    ++count;
  }
  if (count >= 2) rows.push_back({"  compare", "trainyard runs compare" + compared});
  return text + table(rows);
}

std::string points_table(const SweepBoard& board) {
  std::vector<std::vector<std::string>> rows(1, {"POINT"});
  for (const SweepParameter& parameter : board.sweep().parameters) rows.front().push_back(parameter.name());
  for (std::size_t point = 1; point <= board.points().size(); ++point) {
    rows.push_back({std::to_string(point)});
    for (const SweepParameter& parameter : board.sweep().parameters)
      rows.back().push_back(printable(board.point(point).at(parameter.name())));
  }
  std::string text = table(rows);
  if (!board.sweep().halving) return text;
  rows = {{"RUNG", "POINTS", board.sweep().halving->budget}};
  for (const Rung& rung : board.rungs())
    rows.push_back({std::to_string(rung.number), std::to_string(rung.points), *rung.budget});
  return text + "\n" + table(rows);
}

}  // namespace trainyard
