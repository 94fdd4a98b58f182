// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/new_objects.hpp"

#include <algorithm>
#include <cstring>

namespace trainyard {

namespace {

using namespace pack_format;

// Large enough that a store of terabytes has thousands of packs, small enough to be written anew when most of it is
// garbage.
constexpr std::uint64_t kPackBytes = std::uint64_t{1} << 30U;

std::size_t hash_of(const Digest& digest) {
  std::size_t hash = 0;
  std::memcpy(&hash, digest.bytes().data(), sizeof(hash));
  return hash;
}

}  // namespace

std::size_t NewObjects::slot_of(const Digest& digest) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of(digest) & mask;
  while (slots_[slot] != 0 && entries_[slots_[slot] - 1].digest != digest) slot = (slot + 1) & mask;
  return slot;
}

void NewObjects::grow() {
  slots_.assign(slots_.empty() ? 64 : slots_.size() * 2, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i)
    slots_[slot_of(entries_[i].digest)] = static_cast<std::uint32_t>(i + 1);
}

NewObjects::Claim NewObjects::claim(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if ((entries_.size() + 1) * 4 > slots_.size() * 3) grow();
  const std::size_t slot = slot_of(digest);
  if (slots_[slot] != 0) return {slots_[slot] - 1U, false};
  entries_.push_back({digest, {}});
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return {entries_.size() - 1, true};
}

Result<std::uint32_t> NewObjects::pack_to_write() {
  const std::lock_guard lock(packs_mutex_);
  if (packs_.empty() || packs_.back()->size() >= kPackBytes) {
    std::shared_ptr<PackWriter> pack = TRY(PackWriter::create(scratch_name(scratch_, "pack")));
    TRY(pack->append({kPackMagic}));
    packs_.push_back(std::move(pack));
  }
  return static_cast<std::uint32_t>(packs_.size() - 1);
}

Result<void> NewObjects::write(Coding coding, std::span<const Member> members, std::string_view payload) {
  std::vector<RecordObject> objects;
  objects.reserve(members.size());
  {
    const std::lock_guard lock(mutex_);
    for (const Member& member : members)
      objects.push_back({entries_[member.number].digest, member.length, member.kind});
  }
  const std::string front = record_front(coding, objects, payload.size());
  const std::uint32_t pack = TRY(pack_to_write());
  std::shared_ptr<PackWriter> writer;
  {
    const std::lock_guard lock(packs_mutex_);
    writer = packs_[pack];
  }
  const std::uint64_t offset = TRY(writer->append({front, payload}));
  const std::lock_guard lock(mutex_);
  std::uint32_t position = 0;
  for (const Member& member : members) {
    entries_[member.number].place = {offset,   pack,          static_cast<std::uint32_t>(front.size() + payload.size()),
                                     position, member.length, member.kind};
    position += member.length;
  }
  return {};
}

std::optional<NewObjects::Found> NewObjects::find(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t number = slots_[slot_of(digest)];
  if (number == 0) return std::nullopt;
  const ObjectPlace& place = entries_[number - 1].place;
  if (place.record_bytes == 0) return Found{nullptr, place};
  const std::lock_guard lock_packs(packs_mutex_);
  return Found{packs_[place.pack], place};
}

bool NewObjects::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

Result<std::vector<PackId>> NewObjects::publish(const Path& folder) {
  for (const auto& pack : packs_) TRY(pack->finish());
  std::vector<PackId> ids;
  for (const auto& pack : packs_) {
    ids.push_back(new_pack_id());
    TRY(rename_path(pack->path(), folder / (text_of(ids.back()) + ".pack")));
    pack->keep();
  }
  TRY(sync_folder(folder));
  return ids;
}

const std::deque<IndexEntry>& NewObjects::sort() {
  {
    const std::lock_guard lock(mutex_);
    slots_.clear();
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const IndexEntry& a, const IndexEntry& b) { return a.digest < b.digest; });
  return entries_;
}

void NewObjects::clear() {
  const std::lock_guard lock(mutex_);
  const std::lock_guard lock_packs(packs_mutex_);
  entries_.clear();
  slots_.clear();
  packs_.clear();
}

}  // namespace trainyard
