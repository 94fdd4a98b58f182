// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/bucket_intake.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_map>

#include "runner/engine/bucket_cache.hpp"
#include "runner/engine/side_by_side.hpp"
#include "storage/trees/stored_tree.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kFetchesAtOnce = 8;
// Up to here an object is collected and put at once, beyond it is written piece by piece.
constexpr std::uint64_t kSmallObject = std::uint64_t{1} << 20U;

bool same(const KeyEntry& a, const KeyEntry& b) {
  return a.key == b.key && a.bytes == b.bytes && a.modified == b.modified && a.tag == b.tag;
}

class BucketIntake {
 public:
  BucketIntake(KeyStore& keys, const Store& store, const IntakeOptions& options)
      : keys_(keys), store_(store), options_(options) {}

  Result<std::vector<KeyEntry>> list() {
    std::vector<KeyEntry> found;
    TRY(keys_.list("", [&](const KeyEntry& entry) -> Result<void> {
      TRY(go_on());
      if (entry.key.empty() || entry.key.back() == '/') return {};
      const auto path = RelPath::check(entry.key);
      if (!path.ok())
        return fail(Errc::invalid, "a key in '" + keys_.text() + "' cannot be a file: " + path.error().message +
                                       "; rename it, or give a prefix without it");
      found.push_back(entry);
      return {};
    }));
    std::sort(found.begin(), found.end(), [](const KeyEntry& a, const KeyEntry& b) { return a.key < b.key; });
    return found;
  }

  // Those that are not known yet.
  Result<std::uint64_t> fetch(std::vector<KeptObject>& objects, const std::vector<KeyEntry>& listed) {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < objects.size(); ++i) {
      if (objects[i].digest) continue;
      wanted.push_back(i);
      all_.bytes += listed[i].bytes;
    }
    all_.files = wanted.size();
    TRY(side_by_side(wanted.size(), kFetchesAtOnce, [&](std::size_t which) -> Result<void> {
      KeptObject& object = objects[wanted[which]];
      TRY(fetch_one(listed[wanted[which]], object));
      ++files_done_;
      return go_on();
    }));
    return wanted.size();
  }

 private:
  Result<void> fetch_one(const KeyEntry& entry, KeptObject& object) {
    std::string small;
    std::unique_ptr<ObjectWriter> large;
    if (entry.bytes > kSmallObject) large = store_.objects().writer(Cut::coarse);
    const KeyEntry read = TRY(keys_.stream_listed(entry, [&](std::string_view piece) -> Result<void> {
      bytes_done_ += piece.size();
      TRY(go_on());
      if (large) return large->write(piece);
      if (piece.size() > entry.bytes - small.size()) return changed_key("'" + entry.key + "' in " + keys_.text());
      small += piece;
      return {};
    }));
    object.object.version = read.version;
    object.digest = large ? TRY(large->finish()).digest : TRY(store_.objects().put(small));
    return {};
  }

  // Only the thread that asked for the intake talks to whoever waits for it.
  Result<void> go_on() {
    if (std::this_thread::get_id() == asked_by_) {
      if (options_.progress) options_.progress({files_done_, all_.files, bytes_done_, all_.bytes});
      if (options_.cancelled && options_.cancelled()) given_up_ = true;
    }
    if (given_up_) return fail(Errc::cancelled, "reading '" + keys_.text() + "' was given up");
    return {};
  }

  KeyStore& keys_;
  const Store& store_;
  const IntakeOptions& options_;
  const std::thread::id asked_by_ = std::this_thread::get_id();
  CaptureProgress all_;
  std::atomic<std::uint64_t> files_done_ = 0;
  std::atomic<std::uint64_t> bytes_done_ = 0;
  std::atomic<bool> given_up_ = false;
};

// What the cache knows of those that are listed, as far as the store still has it.
Result<std::vector<KeptObject>> known_objects(const std::vector<KeyEntry>& listed,
                                              const std::vector<KeptObject>& cached, ObjectStore& objects) {
  std::unordered_map<std::string_view, const KeptObject*> by_key;
  for (const KeptObject& each : cached) by_key.emplace(each.object.path.bytes(), &each);
  std::vector<KeptObject> known;
  known.reserve(listed.size());
  for (const KeyEntry& entry : listed) {
    BucketObject object{TRY(RelPath::parse(entry.key)), entry.bytes, entry.modified, entry.tag, entry.version};
    const auto before = by_key.find(entry.key);
    const KeptObject* const kept = before == by_key.end() ? nullptr : before->second;
    std::optional<Digest> digest;
    if (kept != nullptr && kept->digest && kept->object.bytes == object.bytes &&
        kept->object.modified == object.modified && kept->object.tag == object.tag && TRY(objects.has(*kept->digest))) {
      digest = kept->digest;
      object.version = kept->object.version;
    }
    known.push_back({std::move(object), digest});
  }
  return known;
}

Result<Tree> tree_of(const std::vector<KeptObject>& objects) {
  std::vector<TreeEntry> entries;
  entries.reserve(objects.size());
  for (const KeptObject& each : objects)
    entries.push_back({each.object.path, TreeEntry::Kind::file, each.object.bytes, false, each.digest});
  return Tree::of(std::move(entries));
}

}  // namespace

Result<RemoteAddress> bucket_address(const std::string& text) {
  RemoteAddress address = TRY(RemoteAddress::parse(text));
  if (address.kind == RemoteAddress::Kind::s3) return address;
  return fail(Errc::invalid, "'" + text +
                                 "' is no bucket; data comes from 's3://bucket/prefix', from a folder, from an "
                                 "archive or from a dataset of the store");
}

Result<BucketData> keep_bucket_data(const RemoteAddress& address, KeyStore& keys, const Store& store,
                                    const IntakeOptions& options, Instant now) {
  ObjectStore& store_objects = store.objects();
  // Keeps garbage from being collected: what is here now is here until somebody names it.
  TRY(store_objects.generation());
  BucketIntake intake(keys, store, options);
  const std::vector<KeyEntry> listed = TRY(intake.list());
  if (listed.empty())
    return fail(Errc::invalid, "there is no object below '" + address.text() + "'; a dataset needs at least one");
  const BucketCache cache(store, address);
  std::vector<KeptObject> objects = TRY(known_objects(listed, cache.read(), store_objects));
  const std::uint64_t fetched = TRY(intake.fetch(objects, listed));
  if (fetched != 0) {
    const std::vector<KeyEntry> again = TRY(intake.list());
    const auto differs = std::mismatch(listed.begin(), listed.end(), again.begin(), again.end(), same);
    if (differs.first != listed.end()) return changed_key("'" + differs.first->key + "' in " + keys.text());
    if (differs.second != again.end()) return changed_key("'" + differs.second->key + "' in " + keys.text());
  }
  const Tree tree = TRY(tree_of(objects));
  const TreeSummary summary = TRY(store_tree(tree, store_objects));
  TRY(store_objects.sync());
  if (fetched != 0) cache.write(objects, now);
  std::vector<BucketObject> told;
  told.reserve(objects.size());
  for (KeptObject& each : objects) told.push_back(std::move(each.object));
  return BucketData{summary, BucketState::of(told), fetched};
}

}  // namespace trainyard
