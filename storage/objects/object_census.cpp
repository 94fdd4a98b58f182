// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/object_census.hpp"
#include "storage/objects/index_segment.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

namespace trainyard {

namespace {

using namespace pack_format;

}  // namespace

Result<ObjectCensus> ObjectCensus::take(PackObjects& objects) {
  TRY(objects.index().refresh());
  ObjectCensus census(objects);
  census.segments_ = objects.index().segments();
  census.number_packs();
  census.order_entries();
  census.measure_records();
  return census;
}

void ObjectCensus::number_packs() {
  for (const auto& segment : *segments_) packs_.insert(packs_.end(), segment->packs().begin(), segment->packs().end());
  std::sort(packs_.begin(), packs_.end());
  packs_.erase(std::unique(packs_.begin(), packs_.end()), packs_.end());
  for (const auto& segment : *segments_) {
    auto& numbers = numbers_.emplace_back();
    for (const PackId& id : segment->packs()) {
      const auto place = std::lower_bound(packs_.begin(), packs_.end(), id);
      numbers.push_back(static_cast<std::uint32_t>(place - packs_.begin()));
    }
  }
}

void ObjectCensus::order_entries() {
  struct Head {
    Digest digest;
    std::uint32_t segment;
    std::uint32_t entry;
  };
  // Of one digest's entries the one that ObjectIndex::find meets first.
  const auto later = [](const Head& a, const Head& b) {
    return std::tie(a.digest, a.segment) > std::tie(b.digest, b.segment);
  };
  std::priority_queue<Head, std::vector<Head>, decltype(later)> heads(later);
  std::size_t all = 0;
  const auto push = [&](std::uint32_t segment, std::uint32_t index) {
    const IndexSegment& from = *(*segments_)[segment];
    for (; index < from.size(); ++index) {
      const IndexEntry entry = from.entry(index);
      if (!from.is_possible(entry.place)) continue;
      heads.push({entry.digest, segment, index});
      return;
    }
  };
  for (std::uint32_t i = 0; i < segments_->size(); ++i) {
    all += (*segments_)[i]->size();
    push(i, 0);
  }
  order_.reserve(all);
  std::optional<Digest> last;
  while (!heads.empty()) {
    const Head head = heads.top();
    heads.pop();
    push(head.segment, head.entry + 1);
    if (last == head.digest) continue;
    last = head.digest;
    order_.emplace_back(head.segment, head.entry);
  }
}

void ObjectCensus::measure_records() {
  records_.reserve(order_.size());
  for (std::size_t number = 0; number < order_.size(); ++number) {
    const ObjectPlace place = entry(number).place;
    records_.push_back({place.offset, pack_of(number, place), place.position + place.length});
  }
  std::sort(records_.begin(), records_.end(), [](const Record& a, const Record& b) {
    return std::tie(a.pack, a.offset, b.raw) < std::tie(b.pack, b.offset, a.raw);
  });
  const auto same = [](const Record& a, const Record& b) { return a.pack == b.pack && a.offset == b.offset; };
  records_.erase(std::unique(records_.begin(), records_.end(), same), records_.end());
  records_.shrink_to_fit();
}

IndexEntry ObjectCensus::entry(std::size_t number) const {
  const auto& [segment, index] = order_[number];
  return (*segments_)[segment]->entry(index);
}

std::uint32_t ObjectCensus::pack_of(std::size_t number, const ObjectPlace& place) const {
  return numbers_[order_[number].first][place.pack];
}

FoundObject ObjectCensus::at(std::size_t number) const {
  const ObjectPlace place = entry(number).place;
  return {packs_[pack_of(number, place)], place};
}

Digest ObjectCensus::digest(std::size_t number) const { return entry(number).digest; }

// As IndexSegment::find.
std::optional<std::size_t> ObjectCensus::find(const Digest& wanted) const {
  const auto less = [&](std::size_t number) { return digest(number) < wanted; };
  const auto guess = static_cast<std::size_t>((rank_of(wanted) * order_.size()) >> 32U);
  std::size_t low = guess;
  std::size_t high = guess;
  for (std::size_t step = 8; low > 0 && !less(low - 1); step *= 2) low -= std::min(step, low);
  for (std::size_t step = 8; high < order_.size() && less(high); step *= 2)
    high += std::min(step, order_.size() - high);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (less(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == order_.size() || digest(low) != wanted) return std::nullopt;
  return low;
}

std::uint64_t ObjectCensus::stored_bytes(std::size_t number) const {
  const ObjectPlace place = entry(number).place;
  const Record wanted{place.offset, pack_of(number, place), 0};
  const auto record = std::lower_bound(records_.begin(), records_.end(), wanted, [](const Record& a, const Record& b) {
    return std::tie(a.pack, a.offset) < std::tie(b.pack, b.offset);
  });
  if (record->raw == 0) return place.record_bytes;
  // Cut at the same places for neighbours, so that no byte is lost or counted twice.
  const auto until = [&](std::uint64_t position) { return position * place.record_bytes / record->raw; };
  return until(std::uint64_t{place.position} + place.length) - until(place.position);
}

Result<std::vector<std::size_t>> ObjectCensus::parts(std::size_t number, std::vector<Digest>* missing) const {
  std::vector<std::size_t> parts;
  const IndexEntry own = entry(number);
  if (own.place.kind != ObjectKind::list) return parts;
  const auto list = TRY(objects_->list_of(own.digest));
  if (!list) return parts;
  for (const ChunkRef& ref : list->refs) TRY(add_parts(ref, list->depth, parts, missing));
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return parts;
}

Result<void> ObjectCensus::add_parts(const ChunkRef& ref, std::uint32_t depth, std::vector<std::size_t>& parts,
                                     std::vector<Digest>* missing) const {
  const auto number = find(ref.digest);
  if (!number) {
    if (missing != nullptr) missing->push_back(ref.digest);
    return {};
  }
  parts.push_back(*number);
  if (depth == 0) return {};
  const std::string bytes = TRY(objects_->read(ref.digest, kMostRaw));
  for (const ChunkRef& below : TRY(read_refs(bytes))) TRY(add_parts(below, depth - 1, parts, missing));
  return {};
}

}  // namespace trainyard
