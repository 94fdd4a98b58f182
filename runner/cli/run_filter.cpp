// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/run_filter.hpp"

#include "runner/core/outcome.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kUsualLimit = 100;

Result<std::string> status_of_text(const std::string& text) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(RunStatus::killed); ++i) {
    names.emplace_back(name_of(static_cast<RunStatus>(i)));
    if (folded_case(names.back()) == folded_case(text)) return names.back();
  }
  return fail(Errc::invalid, "--status is '" + text + "', which no run can be" + did_you_mean(text, names));
}

Result<RunQuery::Key> parse_key(const std::string& text) {
  if (text == "started") return RunQuery::Key::started;
  if (text == "took") return RunQuery::Key::took;
  if (text == "score") return RunQuery::Key::score;
  if (text == "name") return RunQuery::Key::name;
  return fail(Errc::invalid, "--sort is '" + text + "' but must be started, took, score or name");
}

}  // namespace

Result<RunQuery> query_of(const command::RunsList& command) {
  RunQuery query;
  if (!command.package.empty()) {
    const PackageReference package = TRY(PackageReference::parse(command.package));
    if (package.label)
      return fail(Errc::invalid, "--package is '" + command.package + "' but must be NAME or NAME@VERSION");
    query.package = package.name.text();
    if (package.version) query.version = package.version->text();
  }
  if (!command.status.empty()) query.status = TRY(status_of_text(command.status));
  if (!command.type.empty()) {
    const auto type = parse_run_type(command.type);
    if (!type.ok()) return within("--type", type.error());
    query.type = name_of(*type);
  }
  if (!command.experiment.empty()) query.experiment = command.experiment;
  query.tags = command.tags;
  query.key = TRY(parse_key(command.sort));
  query.reverse = command.reverse;
  query.limit = kUsualLimit;
  if (!command.limit.empty()) {
    const auto limit = number_in<std::size_t>(command.limit);
    if (!limit) return fail(Errc::invalid, "--limit is '" + command.limit + "' but must be a number; 0 for all");
    query.limit = *limit;
  }
  return query;
}

}  // namespace trainyard
