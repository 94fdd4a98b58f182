// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/leavings.hpp"

#include <algorithm>

#include "runner/engine/run_roots.hpp"
#include "runner/processes/process_identity.hpp"
#include "storage/objects/write_hold.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

// A process that cannot be seen from here, in another container perhaps, may work on something for a while.
constexpr std::int64_t kRestMicroseconds = std::int64_t{3'600} * 1'000'000;

Result<std::uint64_t> bytes_below(const Path& path) {
  const auto status = TRY(status_of(path));
  if (!status) return std::uint64_t{0};
  if (!S_ISDIR(status->st_mode)) return static_cast<std::uint64_t>(status->st_size);
  std::uint64_t bytes = 0;
  for (const std::string& name : TRY(list_folder(path))) bytes += TRY(bytes_below(path / name));
  return bytes;
}

// In a folder that somebody works in, files come and go.
std::uint64_t bytes_about(const Path& path) {
  const auto bytes = bytes_below(path);
  return bytes.ok() ? *bytes : 0;
}

Result<bool> is_dead(const Path& path, int process, Instant now) {
  if (ProcessIdentity::of(process).ok()) return false;
  const auto status = TRY(status_of(path));
  return status && status->st_ctim.tv_sec * std::int64_t{1'000'000} + kRestMicroseconds < now.microseconds;
}

Result<std::vector<Path>> idle_checkouts(const Store& store) {
  const std::set<Digest> used = TRY(trees_in_use(store));
  std::vector<Path> idle;
  for (const std::string& name : TRY(list_folder(store.checkouts()))) {
    const auto tree = Digest::parse(name);
    if (!tree.ok() || used.count(*tree) == 0) idle.push_back(store.checkouts() / name);
  }
  return idle;
}

Result<std::vector<Path>> dead_scratch(const Store& store, Instant now) {
  std::vector<Path> dead;
  for (const std::string& name : TRY(list_folder(store.scratch()))) {
    const auto maker = maker_of_scratch(name);
    if (maker && TRY(is_dead(store.scratch() / name, *maker, now))) dead.push_back(store.scratch() / name);
  }
  return dead;
}

std::vector<Leaving> measured(const std::vector<Path>& paths) {
  std::vector<Leaving> leavings;
  leavings.reserve(paths.size());
  for (const Path& path : paths) leavings.push_back({path, bytes_about(path)});
  return leavings;
}

// Out of everybody's sight at once, under a name of this process, which removes them at leisure.
Result<std::vector<Path>> set_aside(const std::vector<Path>& paths, const Path& scratch) {
  std::vector<Path> aside;
  for (const Path& path : paths) {
    Path name = scratch_name(scratch, "discarded");
    const auto moved = rename_path(path, name);
    if (!moved.ok() && moved.error().code == Errc::not_found) continue;
    TRY(moved);
    aside.push_back(std::move(name));
  }
  return aside;
}

}  // namespace

std::uint64_t Leavings::bytes() const {
  std::uint64_t sum = 0;
  for (const Leaving& leaving : checkouts) sum += leaving.bytes;
  for (const Leaving& leaving : scratch) sum += leaving.bytes;
  return sum;
}

std::optional<int> maker_of_scratch(std::string_view name) {
  // <prefix>-<process>-<counter>-<16 letters>
  constexpr std::size_t kLetters = 16;
  const auto part = [&]() -> std::string_view {
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos) return {};
    const std::string_view last = name.substr(dash + 1);
    name = name.substr(0, dash);
    return last;
  };
  const auto number = [](std::string_view text) {
    const auto value = number_in<int>(text);
    return value && *value >= 0 ? value : std::nullopt;
  };
  const std::string_view letters = part();
  if (letters.size() != kLetters || letters.find_first_not_of("abcdefghijklmnop") != std::string_view::npos)
    return std::nullopt;
  if (!number(part())) return std::nullopt;
  const auto process = number(part());
  return process && *process > 0 && !name.empty() ? process : std::nullopt;
}

Result<Leavings> find_leavings(const Store& store, Instant now) {
  Leavings found;
  found.checkouts = measured(TRY(idle_checkouts(store)));
  found.scratch = measured(TRY(dead_scratch(store, now)));
  return found;
}

Result<Leavings> remove_leavings(const Store& store, Instant now) {
  Leavings removed;
  std::vector<Path> aside;
  {
    const auto hold = TRY(WriteHold::exclusive(store.root() / "objects", WriteHold::Wait::yes));
    const std::vector<Path> idle = TRY(idle_checkouts(store));
    removed.checkouts = measured(idle);
    aside = TRY(set_aside(idle, store.scratch()));
    const std::vector<Path> dead = TRY(dead_scratch(store, now));
    removed.scratch = measured(dead);
    aside.insert(aside.end(), dead.begin(), dead.end());
  }
  for (const Path& path : aside) TRY(remove_tree(path));
  return removed;
}

Result<void> remove_checkouts(const Store& store, const std::function<bool(const Digest& tree)>& chosen) {
  std::vector<Path> gone;
  for (const std::string& name : TRY(list_folder(store.checkouts()))) {
    const auto tree = Digest::parse(name);
    if (tree.ok() && chosen(*tree)) gone.push_back(store.checkouts() / name);
  }
  if (gone.empty()) return {};
  std::vector<Path> aside;
  {
    const auto hold = TRY(WriteHold::exclusive(store.root() / "objects", WriteHold::Wait::yes));
    aside = TRY(set_aside(gone, store.scratch()));
  }
  for (const Path& path : aside) TRY(remove_tree(path));
  return {};
}

}  // namespace trainyard
