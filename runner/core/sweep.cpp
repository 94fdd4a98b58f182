// SPDX-License-Identifier: Apache-2.0
#include "runner/core/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "storage/values/parameter.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSweepSchema = "trainyard.sweep/1";

Result<Decimal> decimal_from(std::string_view text) {
  if (auto number = Decimal::parse(text)) return *number;
  return fail(Errc::invalid, "is '" + std::string(text) + "' but must be a number");
}

Result<void> check_halving(const Sweep& sweep, const Sweep::Halving& halving) {
  const std::string budget = "the budget " + halving.budget;
  if (!sweep.metric) return fail(Errc::invalid, "--halving needs --metric NAME, by which it is decided who goes on");
  if (!is_variable_name(halving.budget))
    return fail(Errc::invalid, "--halving gives '" + halving.budget + "', which is no name of letters, digits and '_'");
  for (const SweepParameter& parameter : sweep.parameters) {
    if (parameter.name() == halving.budget)
      return fail(Errc::invalid, budget + " of --halving is also a --param; its values come from the halving alone");
  }
  if (sweep.request.environment.contains(halving.budget) || sweep.request.secrets.contains(halving.budget))
    return fail(Errc::invalid, budget + " of --halving is given by --env or --secret too; give it once");
  if (halving.least <= *Decimal::parse("0") || halving.least >= halving.most) {
    return fail(Errc::invalid, budget + " of --halving goes from " + halving.least.text() + " to " +
                                   halving.most.text() + ", but must grow from a number above 0");
  }
  return {};
}

Result<void> check_sweep_tags(const Sweep& sweep) {
  for (const auto& [tag, value] : sweep.request.tags) {
    if (tag == kSweepTag || tag.starts_with(std::string(kSweepTag) + "."))
      return fail(Errc::invalid, "the tag '" + tag + "' is one that a sweep gives its runs itself");
  }
  if (sweep.request.tags.size() + kSweepTags <= kMostTags) return {};
  return fail(Errc::invalid, "a sweep gives its runs " + std::to_string(kSweepTags) + " tags, so that they may have " +
                                 std::to_string(kMostTags - kSweepTags) + " of yours");
}

Json or_null(const std::optional<Sweep::Random>& random) {
  if (!random) return nullptr;
  return {{"count", random->count}, {"seed", random->seed}};
}

Json or_null(const std::optional<Sweep::Halving>& halving) {
  if (!halving) return nullptr;
  return {{"budget", halving->budget},
          {"least", halving->least.text()},
          {"most", halving->most.text()},
          {"eta", halving->eta}};
}

Result<std::vector<SweepParameter>> sweep_parameters_from(const Json& json) {
  std::vector<SweepParameter> parameters;
  if (!json.is_array() || json.empty()) return fail(Errc::invalid, "is no list with at least one parameter");
  for (const Json& one : json) {
    Fields fields(one, "a parameter");
    std::string name = fields.text("name");
    std::string values = fields.text("values");
    TRY(fields.finish());
    parameters.push_back(TRY(SweepParameter::parse(std::move(name), std::move(values))));
  }
  return parameters;
}

Result<Sweep::Random> random_from(const Json& json) {
  Fields fields(json, "the sample");
  const std::int64_t count = fields.integer("count", 1, kMostPoints);
  const std::int64_t seed = fields.integer("seed", 0, INT64_MAX);
  TRY(fields.finish());
  return Sweep::Random{count, seed};
}

Result<Sweep::Halving> halving_from(const Json& json) {
  Fields fields(json, "the halving");
  std::string budget = fields.text("budget");
  const auto least = fields.parsed("least", decimal_from);
  const auto most = fields.parsed("most", decimal_from);
  const std::int64_t eta = fields.integer("eta", 2, Sweep::Halving::kMostEta);
  TRY(fields.finish());
  return Sweep::Halving{std::move(budget), *least, *most, static_cast<int>(eta)};
}

bool is_better(const Achieved& a, const Achieved& b, Goal goal) {
  if (*a.value != *b.value) return goal == Goal::max ? *a.value > *b.value : *a.value < *b.value;
  return a.point < b.point;
}

}  // namespace

Result<void> check_sweep(const Sweep& sweep) {
  if (sweep.request.type == RunType::evaluation)
    return fail(Errc::invalid, "a sweep is of training or full runs, since an evaluation has no hyperparameters");
  if (sweep.parameters.empty())
    return fail(Errc::invalid, "a sweep needs a parameter, such as --param lr=0.01,0.1 or --param epochs=10:50:10");
  std::set<std::string> names;
  for (const SweepParameter& parameter : sweep.parameters) {
    const std::string& name = parameter.name();
    if (!names.insert(name).second) return fail(Errc::invalid, "--param gives " + name + " twice");
    if (sweep.request.environment.contains(name))
      return fail(Errc::invalid, name + " is given by --param and by --env; give it once");
    if (sweep.request.secrets.contains(name))
      return fail(Errc::invalid, name + " is given by --param and as a secret; give it once");
  }
  if (sweep.metric && !is_metric_name(*sweep.metric))
    return fail(Errc::invalid, "--metric is '" + *sweep.metric + "', which is no name of letters, digits, '_' and '-'");
  TRY(check_sweep_tags(sweep));
  if (sweep.halving) TRY(check_halving(sweep, *sweep.halving));
  return {};
}

Result<std::vector<SweepPoint>> points_of(const Sweep& sweep) {
  if (!sweep.random) return grid_of(sweep.parameters);
  return sample_of(sweep.parameters, static_cast<std::size_t>(sweep.random->count),
                   static_cast<std::uint64_t>(sweep.random->seed));
}

std::vector<Rung> rungs_of(const Sweep& sweep, std::size_t points) {
  if (!sweep.halving) return {{1, points, std::nullopt}};
  const Sweep::Halving& halving = *sweep.halving;
  std::vector<Rung> rungs;
  std::optional<Decimal> budget = halving.least;
  // Who is alone has nobody to be compared with on the way.
  while (budget && (rungs.empty() || points > 1)) {
    rungs.push_back({static_cast<int>(rungs.size()) + 1, points, budget->text()});
    points = std::max<std::size_t>(1, points / static_cast<std::size_t>(halving.eta));
    budget = budget->times(halving.eta);
    // The last one has the most, and at least eta times the budget before, but where there is none between.
    const auto next = budget ? budget->times(halving.eta) : std::nullopt;
    if (!next || *next > halving.most) break;
  }
  rungs.push_back({static_cast<int>(rungs.size()) + 1, points, halving.most.text()});
  return rungs;
}

RunRequest request_for(const Sweep& sweep, std::size_t number, const SweepPoint& point, const Rung& rung) {
  RunRequest request = sweep.request;
  request.experiment = sweep.name;
  for (const auto& [name, value] : point) request.environment[name] = value;
  if (rung.budget) request.environment[sweep.halving->budget] = *rung.budget;
  request.tags[kSweepTag] = sweep.name.text();
  request.tags[kPointTag] = std::to_string(number);
  request.tags[kRungTag] = std::to_string(rung.number);
  return request;
}

void leave_sweep(RunRequest& request) {
  for (const char* const tag : {kSweepTag, kPointTag, kRungTag}) request.tags.erase(tag);
}

std::vector<Achieved> best_first(std::vector<Achieved> all, Goal goal) {
  std::erase_if(all, [](const Achieved& one) { return !one.value || !std::isfinite(*one.value); });
  std::sort(all.begin(), all.end(), [&](const Achieved& a, const Achieved& b) { return is_better(a, b, goal); });
  return all;
}

std::vector<std::size_t> survivors(std::vector<Achieved> all, Goal goal, std::size_t count) {
  std::vector<std::size_t> points;
  for (const Achieved& one : best_first(std::move(all), goal)) {
    if (points.size() < count) points.push_back(one.point);
  }
  std::sort(points.begin(), points.end());
  return points;
}

Json to_json(const Sweep& sweep) {
  Json parameters = Json::array();
  for (const SweepParameter& parameter : sweep.parameters)
    parameters.push_back({{"name", parameter.name()}, {"values", parameter.written()}});
  return {{"schema", kSweepSchema},
          {"name", sweep.name.text()},
          {"created_at", sweep.created_at.text()},
          {"request", to_json(sweep.request)},
          {"parameters", std::move(parameters)},
          {"random", or_null(sweep.random)},
          {"halving", or_null(sweep.halving)},
          {"metric", sweep.metric ? Json(*sweep.metric) : Json(nullptr)},
          {"goal", name_of(sweep.goal)},
          {"at_once", sweep.at_once},
          {"allow_repeat", sweep.repeats == Sweep::Repeats::allow}};
}

Result<Sweep> sweep_from(const Json& json) {
  Fields fields(json, "the sweep");
  fields.schema(kSweepSchema);
  auto name = fields.parsed("name", RunName::parse);
  const auto created_at = fields.parsed("created_at", Instant::parse);
  auto request = fields.nested("request", run_request_from);
  auto parameters = fields.nested("parameters", sweep_parameters_from);
  std::optional<Sweep::Random> random;
  if (fields.nullable("random") != nullptr) random = fields.nested("random", random_from);
  std::optional<Sweep::Halving> halving;
  if (fields.nullable("halving") != nullptr) halving = fields.nested("halving", halving_from);
  auto metric = fields.optional_text("metric");
  const auto goal = fields.parsed("goal", parse_goal);
  const std::int64_t at_once = fields.integer("at_once", 1, Sweep::kMostAtOnce);
  const bool allow_repeat = fields.boolean("allow_repeat");
  TRY(fields.finish());
  Sweep sweep{std::move(*name),
              *created_at,
              std::move(*request),
              std::move(*parameters),
              random,
              std::move(halving),
              std::move(metric),
              *goal,
              static_cast<int>(at_once),
              allow_repeat ? Sweep::Repeats::allow : Sweep::Repeats::refuse};
  TRY(check_sweep(sweep));
  return sweep;
}

}  // namespace trainyard
