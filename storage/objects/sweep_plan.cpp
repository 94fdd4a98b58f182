// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include "storage/objects/generation.hpp"
#include "storage/objects/sweep.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSweepPlanSchema = "trainyard.sweep-plan/1";
// A pack is written anew when one part in so many of it is dead.
constexpr std::uint64_t kDeadPart = 5;
// Every snapshot adds a pack, however small; each costs an open file and a line in the index.
constexpr std::uint64_t kSmallPack = std::uint64_t{16} << 20U;
constexpr std::size_t kManySmallPacks = 8;

Result<PackId> pack_id_of(std::string_view text) {
  const auto id = parse_pack_id(text);
  if (!id) return fail(Errc::invalid, "'" + std::string(text) + "' is not the name of a pack");
  return *id;
}

Result<PackSweep> pack_sweep_from(const Json& json) {
  Fields fields(json, "a pack of the plan");
  const auto pack = fields.parsed("pack", pack_id_of);
  PackSweep sweep;
  sweep.file_bytes = fields.count("file_bytes");
  sweep.dead_bytes = fields.count("dead_bytes");
  sweep.rewrite = fields.boolean("rewrite");
  for (const Json& item : fields.array("dead")) {
    const auto digest = item.is_string() ? Digest::parse(item.get<std::string>())
                                         : Result<Digest>(fail(Errc::invalid, "holds something that is not text"));
    if (digest.ok()) {
      sweep.dead.push_back(*digest);
    } else {
      fields.note("dead", digest.error().message);
    }
  }
  TRY(fields.finish());
  sweep.pack = *pack;
  if (!std::is_sorted(sweep.dead.begin(), sweep.dead.end()))
    return fail(Errc::invalid, "the dead objects of the pack " + text_of(sweep.pack) + " are not sorted");
  return sweep;
}

}  // namespace

Json to_json(const SweepPlan& plan) {
  Json packs = Json::array();
  for (const PackSweep& sweep : plan.packs) {
    Json dead = Json::array();
    for (const Digest& digest : sweep.dead) dead.push_back(digest.hex());
    packs.push_back({{"pack", text_of(sweep.pack)},
                     {"file_bytes", sweep.file_bytes},
                     {"dead_bytes", sweep.dead_bytes},
                     {"rewrite", sweep.rewrite},
                     {"dead", std::move(dead)}});
  }
  return {{"schema", kSweepPlanSchema},        {"generation", plan.generation},   {"objects", plan.objects},
          {"dead_objects", plan.dead_objects}, {"freed_bytes", plan.freed_bytes}, {"packs", std::move(packs)}};
}

Result<SweepPlan> sweep_plan_from(const Json& json) {
  Fields fields(json, "the plan");
  fields.schema(kSweepPlanSchema);
  SweepPlan plan;
  plan.generation = fields.count("generation");
  plan.objects = fields.count("objects");
  plan.dead_objects = fields.count("dead_objects");
  plan.freed_bytes = fields.count("freed_bytes");
  for (const Json& item : fields.array("packs")) {
    auto sweep = pack_sweep_from(item);
    if (sweep.ok()) {
      plan.packs.push_back(std::move(*sweep));
    } else {
      fields.note("packs", sweep.error().message);
    }
  }
  TRY(fields.finish());
  return plan;
}

Result<SweepPlan> plan_sweep(PackObjects& objects, const ObjectCensus& census, const std::vector<bool>& live) {
  if (live.size() != census.size()) return fail(Errc::invalid, "not every object of the store was marked");
  SweepPlan plan;
  plan.generation = TRY(read_generation(objects.root()));
  plan.objects = census.size();
  std::vector<std::uint64_t> live_bytes(census.packs().size());
  std::vector<std::vector<Digest>> dead(census.packs().size());
  for (std::size_t number = 0; number < census.size(); ++number) {
    if (live[number]) {
      live_bytes[census.pack_of(number)] += census.stored_bytes(number);
    } else {
      dead[census.pack_of(number)].push_back(census.digest(number));
      ++plan.dead_objects;
    }
  }
  std::size_t small = 0;
  for (const PackId& pack : TRY(objects.packs().list())) {
    const auto status = TRY(status_of(objects.packs().path_of(pack)));
    if (!status) continue;
    PackSweep sweep;
    sweep.pack = pack;
    sweep.file_bytes = static_cast<std::uint64_t>(status->st_size);
    const auto place = std::lower_bound(census.packs().begin(), census.packs().end(), pack);
    std::uint64_t needed = 0;
    if (place != census.packs().end() && *place == pack) {
      const auto index = static_cast<std::size_t>(place - census.packs().begin());
      sweep.dead = std::move(dead[index]);
      if (live_bytes[index] > 0) needed = live_bytes[index] + pack_format::kPackMagic.size();
    }
    sweep.dead_bytes = sweep.file_bytes - std::min(needed, sweep.file_bytes);
    sweep.rewrite = sweep.dead_bytes > 0 && sweep.dead_bytes >= sweep.file_bytes / kDeadPart;
    if (sweep.file_bytes < kSmallPack) ++small;
    plan.packs.push_back(std::move(sweep));
  }
  for (PackSweep& sweep : plan.packs) {
    if (small > kManySmallPacks && sweep.file_bytes < kSmallPack) sweep.rewrite = true;
    if (sweep.rewrite) plan.freed_bytes += sweep.dead_bytes;
  }
  std::erase_if(plan.packs, [](const PackSweep& sweep) { return !sweep.rewrite && sweep.dead_bytes == 0; });
  return plan;
}

}  // namespace trainyard
