// SPDX-License-Identifier: Apache-2.0
#include "storage/runs/run_folder.hpp"

#include <algorithm>

#include "storage/values/number.hpp"

namespace trainyard {

namespace {

Result<std::vector<RunId>> ids_in(const Path& folder) {
  std::vector<RunId> ids;
  for (const std::string& name : TRY(list_folder(folder))) {
    if (auto id = RunId::parse(name); id.ok()) ids.push_back(std::move(*id));
  }
  return ids;
}

}  // namespace

Result<std::vector<Path>> RunFolder::workspaces() const {
  std::vector<Path> all;
  const int last = TRY(last_attempt());
  for (int number = 1; number <= last; ++number) all.push_back(in_attempt(number).workspace());
  return all;
}

Result<int> RunFolder::last_attempt() const {
  const auto names = list_folder(path_ / "attempts");
  if (!names.ok() && names.error().code == Errc::not_found) return 1;
  if (!names.ok()) return names.error();
  int last = 1;
  for (const std::string& name : *names) {
    last = std::max(last, number_in<int>(name).value_or(last));
  }
  return last;
}

Result<std::vector<std::string>> RunFolder::lines(const Path& file) {
  const auto text = read_file(file, std::size_t{1} << 32U);
  if (!text.ok() && text.error().code == Errc::not_found) return std::vector<std::string>();
  if (!text.ok()) return text.error();
  std::vector<std::string> lines;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text->find('\n', begin);
    if (end == std::string::npos) return lines;
    lines.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
}

Result<std::optional<RunFolders::Lease>> RunFolders::begin(const RunId& run) const {
  auto lease = TRY(take_over(run));
  if (!lease) return std::optional<Lease>();
  // A folder of which no mark tells would be nobody's.
  TRY(sync_folder(active_));
  const auto made = make_folder(runs_ / run.text());
  if (made.ok()) TRY(sync_folder(runs_));
  if (made.ok()) return lease;
  if (made.error().code == Errc::exists) return std::optional<Lease>();
  return made.error();
}

Result<std::vector<RunId>> RunFolders::active() const { return ids_in(active_); }

Result<std::optional<RunFolders::Lease>> RunFolders::take_over(const RunId& run) const {
  const Path marker = active_ / run.text();
  auto lock = FileLock::try_lock(marker);
  if (!lock.ok()) return lock.error();
  if (!*lock) return std::optional<Lease>();
  return std::optional(Lease(std::move(**lock), marker));
}

Result<std::vector<RunId>> RunFolders::list() const { return ids_in(runs_); }

Result<RelPath> results_path(const RunId& run) { return RelPath::parse("runs/" + run.text() + "/_results.json"); }

}  // namespace trainyard
