// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_series.hpp"

#include <algorithm>
#include <cmath>

#include "runner/cli/terminal.hpp"
#include "runner/jobs/event_tail.hpp"
#include "runner/jobs/job_folder.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

Result<RunSeries> read_series(const RunFolder& folder, int rank) {
  RunSeries series;
  const int attempt = TRY(folder.last_attempt());
  for (const Path& file :
       {JobFolder::of_rank(folder.attempt(attempt), rank).events(), folder.log_metrics(attempt, rank)}) {
    EventTail tail(file);
    for (const WorkerEvent& event : TRY(tail.poll())) {
      if (const auto* const measured = std::get_if<event::Measured>(&event.what))
        series.by_metric[measured->name].push_back({event.time, measured->step, measured->value});
    }
  }
  return series;
}

std::vector<std::string> chart(const std::vector<RunSeries::Point>& points, std::size_t width, std::size_t height) {
  std::vector<RunSeries::Point> finite;
  std::copy_if(points.begin(), points.end(), std::back_inserter(finite),
               [](const auto& point) { return std::isfinite(point.value); });
  if (finite.empty()) return {};
  const auto by_value = [](const auto& a, const auto& b) { return a.value < b.value; };
  const auto by_step = [](const auto& a, const auto& b) { return a.step < b.step; };
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end(), by_value);
  const auto [first, last] = std::minmax_element(finite.begin(), finite.end(), by_step);
  const std::string top = number_text(most->value);
  const std::string bottom = number_text(least->value);
  const std::size_t margin = std::max(top.size(), bottom.size());
  const auto place = [](double value, double from, double to, std::size_t cells) {
    if (to <= from) return cells / 2;
    return static_cast<std::size_t>(std::lround((value - from) / (to - from) * static_cast<double>(cells - 1)));
  };
  std::vector<std::string> rows(height, std::string(width, ' '));
  for (const auto& point : finite) {
    const std::size_t row = height - 1 - place(point.value, least->value, most->value, height);
    const std::size_t column = place(static_cast<double>(point.step), static_cast<double>(first->step),
                                     static_cast<double>(last->step), width);
    rows[row][column] = '*';
  }
  for (std::size_t row = 0; row < height; ++row) {
    const std::string label = row == 0 ? top : row == height - 1 ? bottom : "";
    rows[row] = std::string(margin - label.size(), ' ') + label + " |" + rows[row];
    rows[row].erase(rows[row].find_last_not_of(' ') + 1);
  }
  const std::string from = std::to_string(first->step);
  const std::string to = std::to_string(last->step);
  rows.push_back(std::string(margin + 1, ' ') + "+" + std::string(width, '-'));
  const std::size_t between = width > from.size() + to.size() ? width - from.size() - to.size() : 1;
  rows.push_back(std::string(margin + 2, ' ') + from + (from == to ? "" : std::string(between, ' ') + to));
  return rows;
}

}  // namespace trainyard
