// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/scratch_leftovers.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>

namespace trainyard {

namespace {

// The process of "pack-<pid>-…" and "index-<pid>-…"; 0 for another name.
pid_t owner_of(std::string_view name) {
  for (const std::string_view prefix : {"pack-", "index-"}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    pid_t pid = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), pid);
    return read.ec == std::errc() && pid > 0 ? pid : 0;
  }
  return 0;
}

bool is_gone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

}  // namespace

Result<std::vector<Leftover>> find_leftovers(const Path& scratch, Writers writers) {
  std::vector<Leftover> leftovers;
  for (const std::string& name : TRY(list_folder(scratch))) {
    const pid_t owner = owner_of(name);
    if (owner == 0 || (writers == Writers::may_work && !is_gone(owner))) continue;
    const auto status = TRY(status_of(scratch / name));
    if (status && S_ISREG(status->st_mode))
      leftovers.push_back({scratch / name, static_cast<std::uint64_t>(status->st_size)});
  }
  return leftovers;
}

Result<void> remove_leftovers(const Path& scratch) {
  for (const Leftover& leftover : TRY(find_leftovers(scratch, Writers::kept_out))) TRY(remove_file(leftover.path));
  return {};
}

}  // namespace trainyard
