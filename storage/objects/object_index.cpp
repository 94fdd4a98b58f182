// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/object_index.hpp"

#include <algorithm>

namespace trainyard {

namespace {

constexpr std::string_view kIndexSuffix = ".index";
// A lookup asks every segment.
constexpr std::size_t kManySegments = 8;
// So often in a row others can merge segments while the folder is read.
constexpr int kMerges = 100;

}  // namespace

Result<void> ObjectIndex::refresh() {
  // One at a time, so that what was seen later is not replaced by what was seen before.
  const std::lock_guard lock(refreshing_);
  auto read = read_folder();
  // A segment that was merged away since the folder was read; what replaced it may have come too late for that.
  for (int again = 0; again < kMerges && !read.ok() && read.error().code == Errc::not_found; ++again)
    read = read_folder();
  return read;
}

Result<void> ObjectIndex::read_folder() {
  const auto before = segments();
  auto now = std::make_shared<Segments>();
  std::optional<Error> damage;
  for (const std::string& name : TRY(list_folder(folder_))) {
    if (!name.ends_with(kIndexSuffix)) continue;
    const Path path = folder_ / name;
    const auto known =
        std::find_if(before->begin(), before->end(), [&](const auto& old) { return old->path() == path; });
    if (known != before->end()) {
      now->push_back(*known);
      continue;
    }
    auto opened = IndexSegment::open(path);
    if (opened.ok()) {
      now->push_back(std::move(*opened));
    } else if (opened.error().code != Errc::corrupt) {
      return opened.error();
    } else if (!damage) {
      damage = opened.error();
    }
  }
  const std::lock_guard lock(mutex_);
  segments_ = std::move(now);
  if (damage) return *damage;
  return {};
}

std::shared_ptr<const ObjectIndex::Segments> ObjectIndex::segments() const {
  const std::lock_guard lock(mutex_);
  return segments_;
}

std::optional<FoundObject> ObjectIndex::find(const Digest& digest) const {
  const auto all = segments();
  for (const auto& segment : *all) {
    if (const auto place = segment->find(digest)) return FoundObject{segment->packs()[place->pack], *place};
  }
  return std::nullopt;
}

Result<void> ObjectIndex::add(const std::vector<PackId>& packs, const std::function<const IndexEntry*()>& next) {
  const Path path = folder_ / (text_of(new_pack_id()) + std::string(kIndexSuffix));
  TRY(IndexSegment::write(scratch_, path, packs, next));
  TRY(sync_folder(folder_));
  TRY(refresh());
  return merge_small();
}

Result<void> ObjectIndex::replace(const PackChanges& changes) {
  const auto refreshed = refresh();
  if (!refreshed.ok() && refreshed.error().code != Errc::corrupt) return refreshed;
  std::vector<std::string> old;
  for (std::string& name : TRY(list_folder(folder_))) {
    if (name.ends_with(kIndexSuffix)) old.push_back(std::move(name));
  }
  TRY(merge_segments(scratch_, folder_ / (text_of(new_pack_id()) + std::string(kIndexSuffix)), *segments(), changes));
  TRY(sync_folder(folder_));
  for (const std::string& name : old) TRY(remove_file(folder_ / name));
  TRY(sync_folder(folder_));
  return refresh();
}

// The smallest first, for as long as the next is not much larger than all before it: so each entry is copied only a
// logarithmic number of times.
Result<void> ObjectIndex::merge_small() {
  Segments all = *segments();
  if (all.size() <= kManySegments) return {};
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a->size() < b->size(); });
  std::size_t sum = 0;
  std::size_t some = 0;
  while (some < all.size() && (some < all.size() - kManySegments + 2 || all[some]->size() <= 2 * sum))
    sum += all[some++]->size();
  all.resize(some);
  TRY(merge_segments(scratch_, folder_ / (text_of(new_pack_id()) + std::string(kIndexSuffix)), all));
  TRY(sync_folder(folder_));
  for (const auto& merged : all) TRY(remove_file(merged->path()));
  return refresh();
}

}  // namespace trainyard
