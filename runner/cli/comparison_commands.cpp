// SPDX-License-Identifier: Apache-2.0
// Versions held against one another.
#include "runner/cli/commands.hpp"
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

}  // namespace trainyard
