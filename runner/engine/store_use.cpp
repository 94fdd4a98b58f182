// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/store_use.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "runner/engine/reachability.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kUsageSchema = "trainyard.usage/1";
constexpr std::string_view kByKind = "kind";
constexpr StoreRoot::Kind kKinds[] = {StoreRoot::Kind::version, StoreRoot::Kind::snapshot, StoreRoot::Kind::dataset,
                                      StoreRoot::Kind::run};

struct Owner {
  StoreRoot::Kind kind = StoreRoot::Kind::version;
  std::string name;  // empty: all of the kind
  std::vector<const StoreRoot*> roots;
};

// Those that begin with the same tree side by side.
std::vector<Owner> owners_of(const std::vector<StoreRoot>& roots, const UseGrouping& grouping) {
  std::map<std::pair<StoreRoot::Kind, std::string>, std::size_t> places;
  std::vector<Owner> owners;
  for (const StoreRoot& root : roots) {
    const std::string name = grouping.owners ? root.owner : std::string();
    const auto [place, fresh] = places.emplace(std::pair(root.kind, name), owners.size());
    if (fresh) owners.push_back({root.kind, name, {}});
    owners[place->second].roots.push_back(&root);
  }
  std::stable_sort(owners.begin(), owners.end(),
                   [](const Owner& a, const Owner& b) { return a.roots.front()->tree < b.roots.front()->tree; });
  return owners;
}

Result<std::uint64_t> bytes_in(const Path& folder) {
  std::uint64_t bytes = 0;
  for (const std::string& name : TRY(list_folder(folder))) {
    if (const auto status = TRY(status_of(folder / name))) bytes += static_cast<std::uint64_t>(status->st_size);
  }
  return bytes;
}

Json to_json(const StoreUse::Row& row) {
  return {{"kind", name_of(row.kind)},
          {"owner", row.owner.empty() ? Json(nullptr) : Json(row.owner)},
          {"unique_bytes", row.use.unique_bytes},
          {"shared_bytes", row.use.shared_bytes},
          {"objects", row.use.objects},
          {"logical_bytes", row.logical_bytes}};
}

}  // namespace

Result<UseGrouping> UseGrouping::parse(std::string_view text) {
  if (text == kByKind) return UseGrouping{};
  for (const StoreRoot::Kind kind : kKinds) {
    if (name_of(kind) == text) return UseGrouping{kind};
  }
  return fail(Errc::invalid, "the use of a store cannot be told by '" + std::string(text) +
                                 "', but by kind, version, snapshot, dataset or run");
}

std::string_view UseGrouping::text() const { return owners ? name_of(*owners) : kByKind; }

Json to_json(const StoreUse& use) {
  Json owners = Json::array();
  for (const StoreUse::Row& row : use.rows) owners.push_back(to_json(row));
  return {{"schema", kUsageSchema},           {"by", use.grouping.text()},
          {"owners", std::move(owners)},      {"live_bytes", use.live_bytes},
          {"shared_bytes", use.shared_bytes}, {"garbage_bytes", use.garbage_bytes},
          {"live_objects", use.live_objects}, {"garbage_objects", use.garbage_objects},
          {"pack_bytes", use.pack_bytes},     {"index_bytes", use.index_bytes}};
}

Result<StoreUse> measure_use(const Store& store, const UseGrouping& grouping) {
  PackObjects& objects = store.objects();
  const std::vector<StoreRoot> roots = TRY(read_store_roots(store).complete());
  ObjectCensus census = TRY(ObjectCensus::take(objects));
  const std::vector<Owner> owners = owners_of(roots, grouping);
  UseCount count(census.size());
  const Reached reached{
      [&](std::size_t number) { count.reach(number, census.stored_bytes(number)); }, [](const Digest&) {}, {}};
  Reachability reachability(objects, census);
  std::vector<std::uint64_t> logical;
  for (const Owner& owner : owners) {
    count.next_owner();
    logical.push_back(0);
    std::map<Digest, std::uint64_t> seen;
    for (const StoreRoot* const root : owner.roots) {
      const bool again = root->files == StoreRoot::Files::needed && seen.count(root->tree) != 0;
      const std::uint64_t bytes = again ? seen[root->tree] : TRY(reachability.reach(*root, reached));
      if (root->files == StoreRoot::Files::needed) seen[root->tree] = bytes;
      logical.back() += bytes;
    }
  }
  StoreUse use{grouping, {}, count.live_bytes(), count.shared_bytes(), 0, count.live_objects(), 0, 0, 0};
  for (std::size_t i = 0; i < owners.size(); ++i) {
    if (!grouping.owners || owners[i].kind == *grouping.owners)
      use.rows.push_back({owners[i].kind, owners[i].name, count.owners()[i], logical[i]});
  }
  std::stable_sort(use.rows.begin(), use.rows.end(), [](const StoreUse::Row& a, const StoreUse::Row& b) {
    return std::tuple(b.use.unique_bytes, a.kind, a.owner) < std::tuple(a.use.unique_bytes, b.kind, b.owner);
  });
  for (std::size_t number = 0; number < census.size(); ++number) {
    if (count.is_live(number)) continue;
    ++use.garbage_objects;
    use.garbage_bytes += census.stored_bytes(number);
  }
  use.pack_bytes = TRY(bytes_in(store.root() / "objects" / "packs"));
  use.index_bytes = TRY(bytes_in(store.root() / "objects" / "index"));
  return use;
}

}  // namespace trainyard
