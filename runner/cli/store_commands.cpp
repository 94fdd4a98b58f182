// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/progress.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/store_check.hpp"
#include "runner/engine/store_use.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

void print_use(const StoreUse& use) {
  const bool by_kind = !use.grouping.owners;
  std::vector<std::vector<std::string>> rows = {{"OWNER", "UNIQUE", "SHARED", "FILES TOGETHER", "OBJECTS"}};
  for (const StoreUse::Row& row : use.rows) {
    rows.push_back({by_kind ? std::string(name_of(row.kind)) + "s" : row.owner, size_text(row.use.unique_bytes),
                    size_text(row.use.shared_bytes), size_text(row.logical_bytes), std::to_string(row.use.objects)});
  }
  if (rows.size() > 1) print(table(rows) + "\n");
  const std::uint64_t overhead = use.pack_bytes - std::min(use.pack_bytes, use.live_bytes + use.garbage_bytes);
  print(table(
      {{"needed", size_text(use.live_bytes),
        plural(use.live_objects, "object") + ", " + size_text(use.shared_bytes) + " of it by more than one owner"},
       {"garbage", size_text(use.garbage_bytes),
        use.garbage_objects == 0 ? plural(use.garbage_objects, "object")
                                 : plural(use.garbage_objects, "object") + "; see 'trainyard store gc'"},
       {"overhead", size_text(overhead), "frames in the packs, and what no index tells of"},
       {"index", size_text(use.index_bytes), ""}}));
}

FsckProgress fsck_progress(StatusLine& line) {
  return [&line](std::uint64_t done, std::uint64_t all) {
    const double fraction = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
    line.show(bar(fraction) + "  read " + size_text(done) + " of " + size_text(all));
  };
}

Json hex_list(const std::vector<Digest>& digests) {
  Json list = Json::array();
  for (const Digest& digest : digests) list.push_back(digest.hex());
  return list;
}

Json to_json(const StoreDamage& damage) {
  Json roots = Json::array();
  for (const Error& error : damage.roots) roots.push_back(error.message);
  return {{"sound", damage.sound()},
          {"objects", damage.objects.objects},
          {"problems", damage.objects.problems},
          {"unreadable", std::move(roots)},
          {"corrupt", hex_list(damage.objects.corrupt)},
          {"incomplete", hex_list(damage.objects.incomplete)},
          {"missing", hex_list({damage.missing.begin(), damage.missing.end()})},
          {"needs", damage.needs},
          {"unindexed_packs", damage.objects.unindexed_packs},
          {"scratch_bytes", damage.objects.scratch_bytes}};
}

void complain_of(const StoreDamage& damage) {
  for (const Error& error : damage.roots) complain(error.message);
  for (const std::string& problem : damage.objects.problems) complain(problem);
  const auto unneeded = [&](const Digest& digest, const char* what) {
    if (damage.needed.count(digest) == 0) complain("the object " + digest.hex() + what);
  };
  for (const Digest& digest : damage.objects.corrupt) unneeded(digest, " is corrupt");
  for (const Digest& digest : damage.objects.incomplete) unneeded(digest, " has a part that is corrupt or missing");
  for (const Digest& digest : damage.missing) unneeded(digest, " is missing");
  for (const std::string& need : damage.needs) complain(need);
}

void print_damage(const StoreDamage& damage, Depth depth) {
  complain_of(damage);
  const char* const looked = depth == Depth::every_byte ? ", every byte of them read" : "";
  if (damage.sound()) {
    print("the store is sound (" + plural(damage.objects.objects, "object") + looked + ")\n");
  } else {
    print("the store is damaged: " + plural(damage.objects.corrupt.size(), "corrupt object") + ", " +
          plural(damage.missing.size(), "missing object") + ", " + plural(damage.needs.size(), "place") +
          " in need of one\n");
  }
  if (damage.objects.unindexed_packs > 0) {
    print(plural(damage.objects.unindexed_packs, "pack") +
          " that no index names: a command was interrupted, or an index was lost; --repair finds out\n");
  }
}

void print_repair(const ObjectRepair& repair) {
  print("made the index anew: " + plural(repair.indexed, "object") + " found that it did not have\n");
  if (!repair.lost.empty()) {
    print("moved " + plural(repair.lost.size(), "corrupt object") + " to " + repair.quarantine.string() + "\n");
  }
}

}  // namespace

Result<ExitCode> perform(const command::StoreDu& command, const Invocation& invocation) {
  const UseGrouping grouping = TRY(UseGrouping::parse(command.by));
  const Store store = TRY(open_store(invocation));
  const StoreUse use = TRY(measure_use(store, grouping));
  if (invocation.output == Output::json) {
    print_json(to_json(use));
  } else {
    print_use(use);
  }
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::StoreVerify& command, const Invocation& invocation) {
  const VerifySample sample = TRY(parse_sample(command.sample, command.seed));
  const Store store = TRY(open_store(invocation));
  StatusLine line;
  const StoreVerdict verdict = TRY(verify_store(store, progress_on(line, "read", "object"), sample));
  line.clear();
  const bool whole = verdict.problems.empty();
  if (invocation.output == Output::json) {
    print_json({{"verified", whole},
                {"objects", verdict.objects},
                {"bytes", verdict.bytes},
                {"problems", verdict.problems},
                {"purged", verdict.purged},
                {"sample", sample_json(sample)}});
  } else if (whole) {
    print("everything is whole that the store has to keep (read " + plural(verdict.objects, "object") + ", " +
          size_text(verdict.bytes) + sample_text(sample) + ")\n");
  }
  if (invocation.output == Output::text && !verdict.purged.empty()) {
    print(plural(verdict.purged.size(), "file") + " incomplete by purge:\n");
    for (const std::string& purged : verdict.purged) print("  " + printable(purged) + "\n");
  }
  for (const std::string& problem : verdict.problems) complain(problem);
  return whole ? ExitCode::ok : ExitCode::store;
}

// Does not end interrupted runs first, as every other command does: that would write to a store that may be damaged.
Result<ExitCode> perform(const command::StoreFsck& command, const Invocation& invocation) {
  const Store store = TRY(Store::open(TRY(store_path(invocation)), PackObjects::DamagedIndex::open));
  const Depth depth = command.deep ? Depth::every_byte : Depth::structure;
  StatusLine line;
  StoreDamage damage = TRY(check_store(store, depth, fsck_progress(line)));
  line.clear();
  if (!command.repair) {
    if (invocation.output == Output::json) {
      print_json(to_json(damage));
      complain_of(damage);
    } else {
      print_damage(damage, depth);
    }
    return damage.sound() ? ExitCode::ok : ExitCode::store;
  }
  if (invocation.output == Output::text) print_damage(damage, depth);
  const ObjectRepair repair = TRY(repair_objects(store.objects(), fsck_progress(line)));
  damage = TRY(check_store(store, depth, fsck_progress(line)));
  line.clear();
  if (invocation.output == Output::json) {
    Json json = to_json(damage);
    json["repair"] = {{"indexed", repair.indexed},
                      {"lost", hex_list(repair.lost)},
                      {"quarantine", repair.quarantine.empty() ? Json(nullptr) : Json(repair.quarantine.string())}};
    print_json(json);
    complain_of(damage);
  } else {
    print_repair(repair);
    print_damage(damage, depth);
  }
  return damage.sound() ? ExitCode::ok : ExitCode::store;
}

}  // namespace trainyard
