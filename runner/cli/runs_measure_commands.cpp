// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <set>

#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/run_series.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/core/metric_goal.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostCompared = 50;  // side by side
constexpr std::size_t kChartWidth = 64;
constexpr std::size_t kChartHeight = 12;

struct Compared {
  KnownRun run;
  RunSeries series;

  [[nodiscard]] std::optional<double> last(const std::string& metric) const {
    const auto found = series.by_metric.find(metric);
    return found == series.by_metric.end() ? std::nullopt : std::optional(found->second.back().value);
  }
};

// One row of numbers; the best of several is marked. One that is alone, or as good as the others, is not.
std::vector<std::string> row_of(const std::string& title, const std::vector<std::optional<double>>& values, bool less) {
  std::set<double> known;
  for (const auto& value : values)
    if (value && std::isfinite(*value)) known.insert(*value);
  std::vector<std::string> row = {title};
  for (const auto& value : values) {
    const bool best = value && known.size() > 1 && *value == (less ? *known.begin() : *known.rbegin());
    row.push_back(value ? number_text(*value) + (best ? " *" : "") : "-");
  }
  return row;
}

std::string number_of(double value) {
  const Json json = metric_value(value);
  return json.is_string() ? json.get<std::string>() : json.dump();
}

void print_csv(const RunSeries& series) {
  print("metric,step,value,time\n");
  for (const auto& [metric, points] : series.by_metric) {
    for (const auto& point : points)
      print(metric + "," + std::to_string(point.step) + "," + number_of(point.value) + "," + point.time.text() + "\n");
  }
}

void print_charts(const RunSeries& series) {
  for (const auto& [metric, points] : series.by_metric) {
    print(metric + ": " + plural(points.size(), "value") + ", the last one " + number_text(points.back().value) + "\n");
    for (const std::string& row : chart(points, kChartWidth, kChartHeight)) print(row + "\n");
    print("\n");
  }
}

Json to_json(const RunSeries& series) {
  Json json = Json::object();
  for (const auto& [metric, points] : series.by_metric) {
    json[metric] = Json::array();
    for (const auto& point : points)
      json[metric].push_back({{"step", point.step}, {"value", metric_value(point.value)}, {"time", point.time.text()}});
  }
  return json;
}

Json to_json(const Compared& compared, const Store& store) {
  Json json = summary_json(facts_of(compared.run), store);
  json["parameters"] = compared.run.plan.environment;
  json["metrics"] = Json::object();
  for (const auto& [metric, points] : compared.series.by_metric)
    json["metrics"][metric] = metric_value(points.back().value);
  return json;
}

void print_comparison(const std::vector<Compared>& all) {
  const auto texts = [&](const std::string& title, const auto& text_of) {
    std::vector<std::string> row = {title};
    for (const Compared& one : all) row.push_back(printable(text_of(one)));
    return row;
  };
  std::vector<std::vector<std::string>> rows = {
      texts("", [](const Compared& one) { return one.run.plan.name.text(); }),
      texts("type", [](const Compared& one) { return std::string(name_of(one.run.plan.request.type)); }),
      texts("package", [](const Compared& one) { return one.run.package(); }),
      texts("made", [](const Compared& one) { return one.run.version() ? one.run.version()->text() : "-"; }),
      texts("status", [](const Compared& one) { return std::string(name_of(one.run.status())); }),
      texts("took", [](const Compared& one) { return duration_text(one.run.seconds()); })};
  std::set<std::string> variables;
  std::set<std::string> metrics;
  for (const Compared& one : all) {
    for (const auto& [name, value] : one.run.plan.environment) variables.insert(name);
    for (const auto& [name, points] : one.series.by_metric) metrics.insert(name);
  }
  for (const std::string& name : variables) {
    rows.push_back(texts(printable(name), [&](const Compared& one) {
      const auto found = one.run.plan.environment.find(name);
      return found == one.run.plan.environment.end() ? std::string("-") : found->second;
    }));
  }
  const auto numbers = [&](const std::string& title, bool less, const auto& number_in) {
    std::vector<std::optional<double>> values;
    for (const Compared& one : all) values.push_back(number_in(one));
    rows.push_back(row_of(title, values, less));
  };
  for (const std::string& name : metrics)
    numbers(name, less_is_better(name), [&](const Compared& one) { return one.last(name); });
  numbers("score", false, [](const Compared& one) { return one.run.score(); });
  print(table(rows));
}

// What names the runs to compare.
Result<std::vector<std::string>> compared_runs(const command::RunsCompare& command, const Store& store) {
  if (command.experiment.empty()) return command.runs;
  RunQuery query;
  query.experiment = command.experiment;
  query.limit = kMostCompared;
  const RunsFound found = TRY(find_runs(store, query));
  if (found.left_out > 0) {
    return fail(Errc::invalid, "the experiment " + command.experiment + " has " +
                                   std::to_string(found.runs.size() + found.left_out) +
                                   " runs, too many to show side by side; name those to compare");
  }
  std::vector<std::string> runs;
  for (const RunFacts& run : found.runs) runs.push_back(run.id);
  if (runs.size() >= 2) return runs;
  return fail(Errc::not_found, "the experiment " + command.experiment + " has " +
                                   (runs.empty() ? "no run" : "only one run") + ", and it takes two to compare");
}

}  // namespace

Result<ExitCode> perform(const command::RunsCompare& command, const Invocation& invocation) {
  if (command.experiment.empty() && command.runs.size() < 2)
    return fail(Errc::invalid, "give two runs or more to compare, or --experiment NAME for all of one");
  if (!command.experiment.empty() && !command.runs.empty())
    return fail(Errc::invalid, "give runs to compare or --experiment, and not both");
  const Store store = TRY(open_store(invocation));
  std::vector<Compared> all;
  for (const std::string& wanted : TRY(compared_runs(command, store))) {
    KnownRun run = TRY(find_run(store, wanted));
    RunSeries series = TRY(read_series(run.folder));
    all.push_back({std::move(run), std::move(series)});
  }
  if (invocation.output == Output::text) {
    print_comparison(all);
    return ExitCode::ok;
  }
  Json list = Json::array();
  for (const Compared& one : all) list.push_back(to_json(one, store));
  print_json(list);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::RunsMetrics& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const KnownRun run = TRY(find_run(store, command.run));
  RunSeries series = TRY(read_series(run.folder, TRY(rank_of(command.rank, run))));
  if (!command.metric.empty()) {
    std::vector<std::string> names;
    for (const auto& [name, points] : series.by_metric) names.push_back(name);
    if (!series.by_metric.contains(command.metric)) {
      return fail(Errc::not_found, "the run " + run.plan.name.text() + " has no metric '" + command.metric + "'" +
                                       did_you_mean(command.metric, names));
    }
    std::erase_if(series.by_metric, [&](const auto& one) { return one.first != command.metric; });
  }
  if (invocation.output == Output::json) {
    print_json(to_json(series));
  } else if (command.csv) {
    print_csv(series);
  } else if (series.by_metric.empty()) {
    print("the run " + run.plan.name.text() + " has measured nothing\n");
  } else {
    print_charts(series);
  }
  return ExitCode::ok;
}

}  // namespace trainyard
