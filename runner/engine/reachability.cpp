// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/reachability.hpp"

#include <algorithm>
#include <map>

#include "runner/engine/named_tree.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

Result<void> Reachability::reach_object(const Digest& digest, const Reached& reached) {
  if (except_ == digest) return {};
  const auto number = census_.find(digest);
  if (!number) {
    if (!objects_.tombstone(digest)) reached.missing(digest);
    return {};
  }
  reached.object(*number);
  std::vector<Digest> missing;
  const auto parts = census_.parts(*number, &missing);
  if (!parts.ok() && parts.error().code == Errc::corrupt && reached.broken) {
    reached.broken(digest);
    return {};
  }
  for (const std::size_t part : TRY(parts)) reached.object(part);
  for (const Digest& part : missing) {
    if (!objects_.tombstone(part)) reached.missing(part);
  }
  return {};
}

Result<std::uint64_t> Reachability::reach(const StoreRoot& root, const Reached& reached) {
  TRY(reach_object(root.tree, reached));
  if (root.files == StoreRoot::Files::not_needed) return std::uint64_t{0};
  if (digest_ != root.tree) {
    digest_.reset();
    tree_ = TRY(load_kept_tree(text_of(root), root.tree, objects_));
    digest_ = root.tree;
  }
  for (std::size_t i = 0; i < tree_.size(); ++i) {
    const Digest* const digest = tree_.view(i).digest;
    if (digest != nullptr) TRY(reach_object(*digest, reached));
  }
  return tree_.bytes();
}

Result<LiveObjects> mark(std::span<const StoreRoot> roots, PackObjects& objects, ObjectCensus& census,
                         const std::optional<Digest>& except) {
  LiveObjects marked{std::vector<bool>(census.size()), {}};
  const Reached reached{[&](std::size_t number) { marked.live[number] = true; },
                        [&](const Digest& digest) { marked.missing.insert(digest); },
                        {}};
  std::set<std::pair<Digest, StoreRoot::Files>> seen;
  Reachability reachability(objects, census, except);
  for (const StoreRoot& root : roots) {
    if (seen.insert({root.tree, root.files}).second) TRY(reachability.reach(root, reached));
  }
  return marked;
}

std::vector<Need> needs_of(const std::set<Digest>& wanted, std::span<const StoreRoot> roots, PackObjects& objects) {
  std::vector<Need> needs;
  std::map<Digest, std::vector<std::size_t>> by_tree;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    if (wanted.count(roots[i].tree) != 0) needs.push_back({i, roots[i].tree, ""});
    if (roots[i].files == StoreRoot::Files::needed) by_tree[roots[i].tree].push_back(i);
  }
  for (const auto& [digest, which] : by_tree) {
    const auto tree = load_tree(digest, objects);
    if (!tree.ok()) continue;
    for (std::size_t i = 0; i < tree->size(); ++i) {
      const Tree::View entry = tree->view(i);
      if (entry.digest == nullptr || wanted.count(*entry.digest) == 0) continue;
      for (const std::size_t root : which) needs.push_back({root, *entry.digest, tree->entry(i).path.text()});
    }
  }
  std::stable_sort(needs.begin(), needs.end(), [](const Need& a, const Need& b) { return a.root < b.root; });
  return needs;
}

std::string text_of(const Need& need, std::span<const StoreRoot> roots) {
  return text_of(roots[need.root]) + ": " + (need.path.empty() ? "its tree" : need.path);
}

}  // namespace trainyard
