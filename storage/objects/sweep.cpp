// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/sweep.hpp"

#include <algorithm>

#include "storage/objects/collection.hpp"
#include "storage/objects/generation.hpp"
#include "storage/objects/pack_move.hpp"

namespace trainyard {

namespace {

// New packs get their names after so many bytes: old ones must go before the disk is full of both.
constexpr std::uint64_t kSweepBatch = std::uint64_t{4} << 30U;
// Below this a pack may be written anew for little.
constexpr std::uint64_t kSmallWhenSwept = std::uint64_t{16} << 20U;
// What was worth it when it was planned may be needed again: less than one part in so many is not worth it.
constexpr std::uint64_t kDeadWhenSwept = 10;

struct Going {
  PackId pack{};
  std::uint64_t file_bytes = 0;
  std::uint64_t kept_bytes = 0;
  std::size_t kept = 0;  // objects
  std::size_t dead = 0;
};

void tally(const PackMove::Done& done, SweepReport& report, std::uint64_t& written, std::uint64_t& removed) {
  report.packs_removed += done.packs_removed;
  report.packs_written += done.packs_written;
  written += done.bytes_written;
  removed += done.bytes_removed;
  report.freed_bytes = removed - std::min(written, removed);
}

// What of the plan is to be done now. Sets `dead` for each object that goes.
Result<std::vector<Going>> choose(PackObjects& objects, const SweepPlan& plan, const Collection& collection,
                                  const ObjectCensus& census, const std::vector<bool>& live, std::vector<bool>& dead) {
  std::vector<std::optional<Going>> by_pack(census.packs().size());
  for (const PackSweep& sweep : plan.packs) {
    const auto place = std::lower_bound(census.packs().begin(), census.packs().end(), sweep.pack);
    if (!sweep.rewrite || place == census.packs().end() || *place != sweep.pack) continue;
    const auto index = static_cast<std::size_t>(place - census.packs().begin());
    for (const Digest& digest : sweep.dead) {
      const auto number = census.find(digest);
      if (number && !live[*number] && census.pack_of(*number) == index) dead[*number] = true;
    }
    const auto status = TRY(status_of(objects.packs().path_of(sweep.pack)));
    by_pack[index] = Going{sweep.pack, status ? static_cast<std::uint64_t>(status->st_size) : 0, 0, 0, 0};
  }
  for (std::size_t number = 0; number < census.size(); ++number) {
    auto& going = by_pack[census.pack_of(number)];
    if (!going) continue;
    if (!live[number] && collection.adopted.contains(going->pack)) dead[number] = true;
    if (dead[number]) {
      ++going->dead;
    } else {
      ++going->kept;
      going->kept_bytes += census.stored_bytes(number);
    }
  }
  std::vector<Going> chosen;
  for (const auto& going : by_pack) {
    if (!going) continue;
    const std::uint64_t freed = going->file_bytes - std::min(going->kept_bytes, going->file_bytes);
    if (going->kept == 0 || going->file_bytes < kSmallWhenSwept || freed >= going->file_bytes / kDeadWhenSwept)
      chosen.push_back(*going);
  }
  // Those that need no new pack first, so that a disk that is full is so no longer.
  std::sort(chosen.begin(), chosen.end(), [](const Going& a, const Going& b) { return a.kept_bytes < b.kept_bytes; });
  return chosen;
}

}  // namespace

Result<SweepReport> sweep(PackObjects& objects, const SweepPlan& plan, const Mark& mark,
                          const std::function<void(std::size_t done, std::size_t all)>& progress) {
  const Collection collection = TRY(Collection::begin(objects));
  ObjectCensus census = TRY(ObjectCensus::take(objects));
  const std::vector<bool> live = TRY(ask(mark, census));
  std::vector<bool> dead(census.size());
  const std::vector<Going> chosen = TRY(choose(objects, plan, collection, census, live, dead));
  SweepReport report;
  if (chosen.empty()) return report;
  // Before the first object goes, so that nobody remembers what is gone.
  TRY(next_generation(objects.root(), objects.scratch()));
  std::uint64_t written = 0;
  std::uint64_t removed = 0;
  PackMove move(objects);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    TRY(move.move(chosen[i].pack, PackMove::Gaps::refuse, [&](const Digest& digest, std::uint64_t offset) {
      const auto number = census.find(digest);
      if (!number || dead[*number]) return false;
      const FoundObject found = census.at(*number);
      return found.pack == chosen[i].pack && found.place.offset == offset;
    }));
    report.removed_objects += chosen[i].dead;
    const bool frees_space = chosen[i].kept == 0 && (i + 1 == chosen.size() || chosen[i + 1].kept > 0);
    if (frees_space || move.bytes() >= kSweepBatch || i + 1 == chosen.size())
      tally(TRY(move.commit()), report, written, removed);
    if (progress) progress(i + 1, chosen.size());
  }
  return report;
}

}  // namespace trainyard
