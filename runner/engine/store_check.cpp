// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/store_check.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <random>

#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

std::string purged_text(const Tombstone& tombstone) {
  return "purged on " + tombstone.purged_at.short_text() + " (" + tombstone.reason + ")";
}

Result<Tree> without(const Tree& tree, const std::vector<PurgedFile>& purged) {
  std::set<Digest> gone;
  for (const PurgedFile& file : purged) gone.insert(file.tombstone.digest);
  std::vector<TreeEntry> rest;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Digest* const digest = tree.view(i).digest;
    if (digest == nullptr || gone.count(*digest) == 0) rest.push_back(tree.entry(i));
  }
  return Tree::of(std::move(rest));
}

// The trees and files of all roots, each object once.
struct Wanted {
  std::vector<Digest> digests;  // ascending
  std::set<Digest> missing;     // not in the store
  std::set<Digest> purged;
  std::set<Digest> broken_trees;  // whose files are not among the others, because nobody knows them
};

Result<Wanted> wanted_by(std::span<const StoreRoot> roots, PackObjects& objects, const ObjectCensus& census) {
  Wanted wanted;
  std::vector<bool> numbers(census.size());
  const auto want = [&](const Digest& digest) {
    if (const auto number = census.find(digest)) {
      numbers[*number] = true;
    } else {
      (objects.tombstone(digest) ? wanted.purged : wanted.missing).insert(digest);
    }
  };
  std::set<Digest> loaded;
  for (const StoreRoot& root : roots) {
    want(root.tree);
    if (root.files == StoreRoot::Files::not_needed || !loaded.insert(root.tree).second) continue;
    const auto tree = load_tree(root.tree, objects);
    if (!tree.ok() && tree.error().code != Errc::not_found && tree.error().code != Errc::corrupt) return tree.error();
    if (!tree.ok()) {
      wanted.broken_trees.insert(root.tree);
      continue;
    }
    for (std::size_t i = 0; i < tree->size(); ++i) {
      if (const Digest* const digest = tree->view(i).digest) want(*digest);
    }
  }
  for (std::size_t number = 0; number < numbers.size(); ++number) {
    if (numbers[number]) wanted.digests.push_back(census.digest(number));
  }
  return wanted;
}

void choose(std::vector<Digest>& digests, const VerifySample& sample) {
  if (sample.share >= 1 || digests.empty()) return;
  std::mt19937_64 lots(sample.seed);
  // 2^64, which no integer holds
  const auto most = static_cast<std::uint64_t>(std::max(sample.share, 0.0) * 18446744073709551616.0);
  const Digest one = digests[lots() % digests.size()];
  digests.erase(std::remove_if(digests.begin(), digests.end(),
                               [&](const Digest& digest) { return lots() >= most && digest != one; }),
                digests.end());
}

class ObjectVerifier final : public ObjectReceiver {
 public:
  ObjectVerifier(const std::vector<Digest>& digests, const TreeProgress& progress)
      : digests_(digests), progress_(progress), sizes_(digests.size()) {}

  Result<void> piece(std::size_t which, std::string_view bytes) override {
    sizes_[which] += bytes.size();
    return {};
  }
  Result<void> end(std::size_t which, const Result<void>& verdict) override {
    const std::lock_guard lock(mutex_);
    if (!verdict.ok()) problems_.emplace(digests_[which], verdict.error().message);
    if (progress_) progress_(++done_, digests_.size());
    return {};
  }

  [[nodiscard]] const std::map<Digest, std::string>& problems() const { return problems_; }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t size : sizes_) sum += size;
    return sum;
  }

 private:
  const std::vector<Digest>& digests_;
  const TreeProgress& progress_;
  std::vector<std::uint64_t> sizes_;  // each counted by the thread that has the object
  std::mutex mutex_;
  std::map<Digest, std::string> problems_;  // guarded by mutex_, as is done_
  std::uint64_t done_ = 0;
};

std::set<Digest> keys_of(const std::map<Digest, std::string>& map) {
  std::set<Digest> keys;
  for (const auto& [digest, text] : map) keys.insert(digest);
  return keys;
}

}  // namespace

std::vector<PurgedFile> purged_files(const Tree& tree, const ObjectStore& objects) {
  std::vector<PurgedFile> files;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Digest* const digest = tree.view(i).digest;
    if (digest == nullptr) continue;
    if (auto tombstone = objects.tombstone(*digest))
      files.push_back({tree.entry(i).path.text(), std::move(*tombstone)});
  }
  return files;
}

Result<TreeVerdict> verify_tree(const Tree& tree, ObjectStore& objects, const TreeProgress& progress,
                                const VerifySample& sample) {
  TreeVerdict verdict{{}, purged_files(tree, objects)};
  if (verdict.purged.empty()) {
    verdict.problems = TRY(verify(tree, objects, progress, sample));
  } else {
    verdict.problems = TRY(verify(TRY(without(tree, verdict.purged)), objects, progress, sample));
  }
  return verdict;
}

Result<StoreVerdict> verify_store(const Store& store, const TreeProgress& progress, const VerifySample& sample) {
  PackObjects& objects = store.objects();
  const std::vector<StoreRoot> roots = TRY(read_store_roots(store).complete());
  const ObjectCensus census = TRY(ObjectCensus::take(objects));
  Wanted wanted = TRY(wanted_by(roots, objects, census));
  choose(wanted.digests, sample);
  ObjectVerifier verifier(wanted.digests, progress);
  TRY(objects.stream_each(wanted.digests, verifier));

  std::map<Digest, std::string> problems = verifier.problems();
  for (const Digest& digest : wanted.missing) problems.emplace(digest, "the store has no object " + digest.hex());
  for (const Digest& digest : wanted.broken_trees)
    problems.emplace(digest, "the object " + digest.hex() + " is no whole tree");
  StoreVerdict verdict{roots.size(), wanted.digests.size(), verifier.bytes(), {}, {}};
  for (const Need& need : needs_of(keys_of(problems), roots, objects))
    verdict.problems.push_back(text_of(need, roots) + ": " + problems.at(need.digest));
  for (const Need& need : needs_of(wanted.purged, roots, objects)) {
    const auto tombstone = objects.tombstone(need.digest);
    if (tombstone) verdict.purged.push_back(text_of(need, roots) + ": " + purged_text(*tombstone));
  }
  return verdict;
}

Result<StoreDamage> check_store(const Store& store, Depth depth, const FsckProgress& progress) {
  PackObjects& objects = store.objects();
  StoreDamage damage{TRY(check_objects(objects, depth, progress)), {}, {}, {}, {}};
  StoreRoots found = read_store_roots(store);
  damage.roots = std::move(found.unreadable);
  auto taken = ObjectCensus::take(objects);
  // With an index that cannot be read, which is among the problems, every object would look missing.
  if (!taken.ok() && taken.error().code == Errc::corrupt && !damage.objects.problems.empty()) return damage;
  ObjectCensus census = TRY(std::move(taken));
  std::map<Digest, std::string> bad;
  for (const Digest& digest : damage.objects.corrupt) bad.emplace(digest, "its object " + digest.hex() + " is corrupt");
  for (const Digest& digest : damage.objects.incomplete)
    bad.emplace(digest, "a part of its object " + digest.hex() + " is corrupt or missing");
  const Reached reached{
      [](std::size_t) {}, [&](const Digest& digest) { damage.missing.insert(digest); },
      [&](const Digest& digest) { bad.emplace(digest, "its object " + digest.hex() + " is corrupt"); }};
  Reachability reachability(objects, census);
  std::set<std::pair<Digest, StoreRoot::Files>> seen;
  for (const StoreRoot& root : found.roots) {
    if (!seen.insert({root.tree, root.files}).second) continue;
    const auto all = reachability.reach(root, reached);
    if (!all.ok() && all.error().code != Errc::corrupt) return all.error();
    if (!all.ok()) bad.emplace(root.tree, "the object " + root.tree.hex() + " is no whole tree");
  }
  for (const Digest& digest : damage.missing)
    bad.insert_or_assign(digest, "its object " + digest.hex() + " is missing");
  for (const Need& need : needs_of(keys_of(bad), found.roots, objects)) {
    damage.needs.push_back(text_of(need, found.roots) + ": " + bad.at(need.digest));
    damage.needed.insert(need.digest);
  }
  return damage;
}

}  // namespace trainyard
