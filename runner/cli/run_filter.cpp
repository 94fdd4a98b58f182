// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_filter.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace trainyard {

namespace {

Result<std::string> status_of_text(const std::string& text) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(RunStatus::killed); ++i) {
    names.emplace_back(name_of(static_cast<RunStatus>(i)));
    if (folded_case(names.back()) == folded_case(text)) return names.back();
  }
  return fail(Errc::invalid, "--status is '" + text + "', which no run can be" + did_you_mean(text, names));
}

Result<RunFilter::Key> parse_key(const std::string& text) {
  if (text == "started") return RunFilter::Key::started;
  if (text == "took") return RunFilter::Key::took;
  if (text == "score") return RunFilter::Key::score;
  if (text == "name") return RunFilter::Key::name;
  return fail(Errc::invalid, "--sort is '" + text + "' but must be started, took, score or name");
}

bool has_tag(const KnownRun& run, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = run.plan.request.tags.find(wanted.substr(0, equals));
  if (found == run.plan.request.tags.end()) return false;
  return equals == std::string::npos || found->second == wanted.substr(equals + 1);
}

bool is_less(const KnownRun& a, const KnownRun& b, RunFilter::Key key) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  switch (key) {
    case RunFilter::Key::started: return a.plan.created_at < b.plan.created_at;
    case RunFilter::Key::took: return a.seconds() < b.seconds();
    case RunFilter::Key::score: return a.score().value_or(kNone) < b.score().value_or(kNone);
    case RunFilter::Key::name: break;
  }
  return a.plan.name.text() < b.plan.name.text();
}

}  // namespace

Result<RunFilter> filter_of(const command::RunsList& command) {
  RunFilter filter;
  if (!command.package.empty()) filter.package = TRY(PackageReference::parse(command.package));
  if (!command.status.empty()) filter.status = TRY(status_of_text(command.status));
  if (!command.type.empty()) {
    const auto type = parse_run_type(command.type);
    if (!type.ok()) return within("--type", type.error());
    filter.type = *type;
  }
  if (!command.experiment.empty()) filter.experiment = command.experiment;
  filter.tags = command.tags;
  filter.key = TRY(parse_key(command.sort));
  filter.reverse = command.reverse;
  if (!command.limit.empty()) {
    const char* const end = command.limit.data() + command.limit.size();
    const auto [stop, error] = std::from_chars(command.limit.data(), end, filter.limit);
    if (error != std::errc() || stop != end)
      return fail(Errc::invalid, "--limit is '" + command.limit + "' but must be a number; 0 for all");
  }
  return filter;
}

bool fits(const KnownRun& run, const RunFilter& filter) {
  const VersionRecord& parent = run.plan.parent;
  if (filter.package && folded_case(filter.package->name.text()) != folded_case(parent.content.name.text()))
    return false;
  if (filter.package && filter.package->version && *filter.package->version != parent.version) return false;
  if (filter.status && *filter.status != name_of(status_of(run.last().state))) return false;
  if (filter.type && *filter.type != run.plan.request.type) return false;
  const auto& experiment = run.plan.request.experiment;
  if (filter.experiment && (!experiment || experiment->text() != *filter.experiment)) return false;
  return std::all_of(filter.tags.begin(), filter.tags.end(), [&](const std::string& tag) { return has_tag(run, tag); });
}

std::size_t select_runs(std::vector<KnownRun>& runs, const RunFilter& filter) {
  std::erase_if(runs, [&](const KnownRun& run) { return !fits(run, filter); });
  std::stable_sort(runs.begin(), runs.end(),
                   [&](const KnownRun& a, const KnownRun& b) { return is_less(a, b, filter.key); });
  const std::size_t all = runs.size();
  // The greatest ones are those that are wanted, whichever comes first.
  if (filter.limit != 0 && all > filter.limit)
    runs.erase(runs.begin(), runs.end() - static_cast<std::ptrdiff_t>(filter.limit));
  if (filter.reverse) std::reverse(runs.begin(), runs.end());
  return all - runs.size();
}

}  // namespace trainyard
