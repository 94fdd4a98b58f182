// SPDX-License-Identifier: Apache-2.0
// Versions held against one another.
#include <charconv>
#include <cmath>

#include "runner/cli/commands.hpp"
#include "runner/cli/interrupts.hpp"
#include "runner/cli/run_display.hpp"
#include "runner/cli/secret_input.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/tree_difference_text.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/version_comparison.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

std::string shown(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_number_float()) return number_text(value.get<double>());
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string indented(const std::string& lines) {
  std::string text;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin) + 1;
    text += "  " + lines.substr(begin, end - begin);
    begin = end;
  }
  return text;
}

std::string text_of(const DifferentFiles& files) {
  std::string text;
  for (const TreeDifference& one : files.first) text += difference_text(one) + "\n";
  const std::size_t all = files.added + files.removed + files.changed;
  if (all > files.first.size()) text += "and " + std::to_string(all - files.first.size()) + " more\n";
  return text + std::to_string(files.added) + " added, " + std::to_string(files.removed) + " removed, " +
         std::to_string(files.changed) + " changed\n";
}

std::string text_of(const ComparedSection& section) {
  if (section.verdict == Comparison::equal)
    return section.name + ": equal" + (section.why.empty() ? "" : " (" + section.why + ")") + "\n";
  if (section.verdict == Comparison::unknown) return section.name + ": cannot be compared: " + section.why + "\n";
  std::string text = section.name + ": different\n";
  std::vector<std::vector<std::string>> rows;
  for (const DifferentFact& fact : section.facts)
    rows.push_back({printable(fact.name), shown(fact.before), shown(fact.after)});
  if (!rows.empty()) text += indented(table(rows));
  if (section.files) text += indented(text_of(*section.files));
  return section.why.empty() ? text : text + "  " + section.why + "\n";
}

Result<double> parse_tolerance(const std::string& text) {
  if (text.empty()) return 0.0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(value) && value >= 0) return value;
  return fail(Errc::invalid, "--tolerance is '" + text + "' but must be a number such as 1e-6, and not below 0");
}

std::string text_of(const JudgedFile& file) {
  if (!file.before) return "came out where none had been";
  if (!file.after) return "did not come out again";
  if (!file.bytes) return difference_text({TreeDifference::Kind::changed, file.path, file.before, file.after});
  std::string text =
      std::to_string(file.bytes->count) + " bytes differ, the first at " + std::to_string(file.bytes->first);
  if (file.before->size != file.after->size)
    text += ", and " + size_text(file.before->size) + " became " + size_text(file.after->size);
  return text;
}

void add_tree(const std::string& name, const std::optional<JudgedTree>& tree,
              std::vector<std::vector<std::string>>& rows) {
  if (!tree) return;
  std::size_t drifting = 0;
  for (const JudgedFile& file : tree->files) drifting += file.verdict == Likeness::identical ? 0 : 1;
  const std::string of = plural(tree->files.size(), "file");
  rows.push_back({name, std::string(name_of(tree->verdict)),
                  !tree->why.empty() ? tree->why
                  : drifting == 0    ? of
                                     : std::to_string(drifting) + " of " + of});
  std::size_t told = 0;
  for (const JudgedFile& file : tree->files) {
    if (file.verdict == Likeness::identical) continue;
    if (++told > DifferentFiles::kFirst) continue;
    rows.push_back({"  " + printable(file.path.text()), std::string(name_of(file.verdict)), text_of(file)});
  }
  if (told > DifferentFiles::kFirst)
    rows.push_back({"  and " + std::to_string(told - DifferentFiles::kFirst) + " more", "drift", ""});
}

std::vector<std::string> row_of(const JudgedNumber& number) {
  std::string text = shown(number.before);
  if (number.verdict != Likeness::identical) {
    text += " -> " + shown(number.after);
    if (number.difference) text += ", a relative difference of " + number_text(*number.difference);
  }
  return {printable(number.name), std::string(name_of(number.verdict)), text};
}

std::string text_of(const Reproduction& reproduction) {
  const Likeness verdict = reproduction.verdict();
  std::string text = reproduction.version;
  if (reproduction.before) text += ", made by run " + reproduction.before->name.text();
  if (reproduction.after) text += ", done again by run " + reproduction.after->name.text();
  text += verdict == Likeness::cannot ? ": cannot be reproduced\n" : ": " + std::string(name_of(verdict)) + "\n";
  std::vector<std::vector<std::string>> rows;
  for (const MissingPart& part : reproduction.missing)
    text += "  " + std::string(name_of(part.what)) + ": " + printable(part.why) + "\n";
  add_tree("package", reproduction.package, rows);
  add_tree("artifacts", reproduction.artifacts, rows);
  for (const JudgedNumber& metric : reproduction.metrics) rows.push_back(row_of(metric));
  if (reproduction.score) rows.push_back(row_of(*reproduction.score));
  if (!rows.empty()) text += indented(table(rows));
  for (const DifferentFact& fact : reproduction.environment)
    text += "  not alike: " + printable(fact.name) + ", " + shown(fact.before) + " -> " + shown(fact.after) + "\n";
  return text;
}

ExitCode exit_code_of(const ReproductionEnd& end) {
  switch (end.reproduction.verdict()) {
    case Likeness::identical:
    case Likeness::within_tolerance: return ExitCode::ok;
    case Likeness::drift: return ExitCode::no;
    case Likeness::cannot: break;
  }
  return end.outcome.reason == RunReason::ok ? ExitCode::usage : exit_code_of(end.outcome);
}

}  // namespace

Result<ExitCode> perform(const command::Diff& command, const Invocation& invocation) {
  const PackageReference before = TRY(PackageReference::parse(command.before));
  const PackageReference after = TRY(PackageReference::parse(command.after));
  const Store store = TRY(open_store(invocation));
  const VersionDifference difference = TRY(compare_stored_versions(before, after, store));
  if (invocation.output == Output::json) {
    print_json(to_json(difference));
  } else {
    std::string text = difference.before + " and " + difference.after + "\n";
    for (const ComparedSection& section : difference.sections) text += text_of(section);
    print(text);
  }
  return difference.verdict() == Comparison::equal ? ExitCode::ok : ExitCode::no;
}

Result<ExitCode> perform(const command::Reproduce& command, const Invocation& invocation) {
  const PackageReference version = TRY(PackageReference::parse(command.reference));
  const double tolerance = TRY(parse_tolerance(command.tolerance));
  RunRequest asked = RunRequest::of(RunType::training, version, "");  // the names of its secrets are those of the run
  const Secrets secrets = TRY(take_secrets(asked, command.secrets));
  const Store store = TRY(open_store(invocation));
  count_interrupts();
  RunDisplay display;
  const auto done = reproduce_here(version, tolerance, secrets, store, display);
  display.clear();
  const ReproductionEnd end = TRY(done);
  if (invocation.output == Output::json) {
    print_json(to_json(end.reproduction));
  } else {
    print(text_of(end.reproduction));
  }
  return exit_code_of(end);
}

}  // namespace trainyard
