// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "runner/cli/commands.hpp"
#include "runner/cli/kept_uses.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "storage/trees/capture.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

using What = AskedFiles::What;

constexpr std::size_t kDigitsShown = 12;

// What was asked for; of digits, the SHA-256 is known once the index is.
Result<AskedFiles> look_at(const std::string& name, const Store& store, StatusLine& line) {
  const auto status = TRY(status_of(name));
  const bool digits = name.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!status && digits) return AskedFiles{What::sha256, name, std::nullopt, std::nullopt};
  if (!status) {
    return fail(Errc::not_found, "there is no file or folder '" + name + "', nor is that a SHA-256 or its beginning");
  }
  if (!is_folder(name)) {
    const UniqueFd file = TRY(open_file(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat opened {};
    if (::fstat(file.get(), &opened) != 0 || !S_ISREG(opened.st_mode))
      return fail(Errc::invalid, "'" + name + "' is neither a file nor a folder");
    const StoredObject content = TRY(hash_file(file.get(), name));
    return AskedFiles{What::file, name, content.digest, std::nullopt};
  }
  const Path folder = TRY(real_path(name));
  CaptureOptions options;
  options.cache = store.stat_cache_of(folder);
  options.progress = [&](const CaptureProgress& progress) {
    line.show("reading " + std::to_string(progress.files_done) + " of " + plural(progress.files, "file"));
  };
  auto captured = TRY(capture(folder, options));
  return AskedFiles{What::folder, name, std::nullopt, std::move(captured.tree)};
}

std::string words_for(UsePart part) {
  std::string words(name_of(part));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string where_text(const FileUse& use) {
  const bool run = use.ran.has_value();
  if (!run) return use.part == UsePart::snapshot ? use.name.substr(0, kDigitsShown) : use.name;
  const std::string text = "run " + use.name + " of " + *use.ran;
  return use.made ? text + ", which made " + *use.made : text;
}

std::string paths_text(const FileUse& use) {
  if (use.paths.empty()) return "-";
  const std::string first = printable(use.paths.front());
  return use.places == 1 ? first : first + " and " + std::to_string(use.places - 1) + " more";
}

std::string share_text(std::uint64_t found, std::uint64_t all) {
  if (all == 0) return "no files";
  if (found == all) return all == 1 ? "the file" : "all " + std::to_string(all) + " files";
  return std::to_string(found) + " of " + std::to_string(all);
}

std::string asked_text(const FileUses& uses) {
  if (uses.what == What::folder) return "any of the " + plural(uses.files, "file") + " of '" + uses.name + "'";
  if (uses.what == What::file) return "the file '" + uses.name + "', SHA-256 " + uses.sha256->hex();
  return uses.sha256 ? "a file with SHA-256 " + uses.sha256->hex() : "a file whose SHA-256 begins with " + uses.name;
}

void print_whole(const FileUses& uses) {
  std::string text;
  for (const FileUse& use : uses.uses) {
    if (use.whole) text += "  " + words_for(use.part) + "  " + where_text(use) + "\n";
  }
  if (!text.empty())
    print("'" + printable(uses.name) + "' as it is, tree " + uses.tree->hex() + ", is\n" + text + "\n");
}

void print_uses(const FileUses& uses) {
  if (!uses.any()) return print("nothing in this store has " + printable(asked_text(uses)) + "\n");
  print_whole(uses);
  const bool folder = uses.what == What::folder;
  std::vector<std::vector<std::string>> rows = {{"AS", "WHERE"}};
  if (folder) rows[0].emplace_back("FILES");
  rows[0].insert(rows[0].end(), {"PATH", "WHEN"});
  for (const FileUse& use : uses.uses) {
    rows.push_back({words_for(use.part), where_text(use)});
    if (folder) rows.back().push_back(share_text(use.files, uses.files));
    rows.back().insert(rows.back().end(), {paths_text(use), use.at.short_text()});
  }
  for (const InheritedUse& use : uses.inherited) {
    rows.push_back({"inherits", use.version + (use.at ? "" : " (taken away)") + ", made from " + use.from});
    if (folder) rows.back().emplace_back("-");
    rows.back().insert(rows.back().end(), {"-", use.at ? use.at->short_text() : "-"});
  }
  print(table(rows));
}

}  // namespace

Result<ExitCode> perform(const command::Uses& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  StatusLine line;
  AskedFiles asked = TRY(look_at(command.what, store, line));
  const FileUses uses = TRY(ask_uses(std::move(asked), store, line));
  line.clear();
  if (invocation.output == Output::json) {
    print_json(to_json(uses));
  } else {
    print_uses(uses);
  }
  return uses.any() ? ExitCode::ok : ExitCode::no;
}

}  // namespace trainyard
