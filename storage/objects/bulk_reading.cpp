// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/bulk_reading.hpp"

#include <algorithm>
#include <thread>
#include <tuple>

#include "storage/values/sha256_lanes.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

// What one reading asks for: large enough for the disk, small enough for the processor's cache.
constexpr std::uint64_t kSpan = std::uint64_t{1} << 20U;
// A hole of this size between two wanted records is read over.
constexpr std::uint64_t kHole = std::uint64_t{32} << 10U;
// Below this a second thread costs more than it brings.
constexpr std::size_t kFewTasks = 2;

}  // namespace

Result<void> PackObjects::stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) {
  return BulkReading(*this, wanted, receiver).run();
}

Result<void> BulkReading::locate() {
  for (std::size_t which = 0; which < wanted_.size(); ++which) {
    const auto source = objects_.find(wanted_[which]);
    if (!source.ok()) {
      if (source.error().code == Errc::io) return source.error();
      TRY(receiver_.end(which, source.error()));
    } else if (source->fresh || source->found.place.kind == ObjectKind::list) {
      alone_.push_back(which);
    } else {
      items_.push_back({source->found, which});
    }
  }
  const auto place = [](const Item& item) {
    return std::tie(item.found.pack, item.found.place.offset, item.found.place.position);
  };
  std::sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) { return place(a) < place(b); });
  for (std::size_t begin = 0; begin < items_.size();) {
    const FoundObject& first = items_[begin].found;
    std::uint64_t until = first.place.offset + first.place.record_bytes;
    std::size_t end = begin + 1;
    for (; end < items_.size(); ++end) {
      const FoundObject& next = items_[end].found;
      const std::uint64_t next_until = next.place.offset + next.place.record_bytes;
      if (next.pack != first.pack) break;
      if (next_until != until && (next.place.offset > until + kHole || next_until - first.place.offset > kSpan)) break;
      until = next_until;
    }
    spans_.emplace_back(items_.data() + begin, end - begin);
    begin = end;
  }
  return {};
}

Result<void> BulkReading::run() {
  TRY(locate());
  const std::size_t tasks = alone_.size() + spans_.size();
  {
    const std::size_t threads = tasks <= kFewTasks ? 1 : std::min<std::size_t>(tasks, objects_.pool_.threads());
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
    work();
  }
  if (error_) return *error_;
  return {};
}

void BulkReading::work() {
  const std::size_t tasks = alone_.size() + spans_.size();
  for (std::size_t task = next_++; task < tasks && !failed_; task = next_++) {
    const auto done = task < alone_.size() ? read_alone(alone_[task]) : read_span(spans_[task - alone_.size()]);
    if (done.ok()) continue;
    failed_ = true;
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = done.error();
  }
}

Result<void> BulkReading::read_alone(std::size_t which) {
  std::optional<Error> receivers;
  const auto read = objects_.stream(wanted_[which], [&](std::string_view piece) {
    auto taken = receiver_.piece(which, piece);
    if (!taken.ok()) receivers = taken.error();
    return taken;
  });
  if (receivers) return *receivers;
  return receiver_.end(which, read.ok() ? Result<void>() : Result<void>(read.error()));
}

Result<void> BulkReading::read_span(std::span<const Item> items) {
  thread_local Room memory;
  thread_local Room room;
  const PackId pack = items.front().found.pack;
  const std::uint64_t begin = items.front().found.place.offset;
  const ObjectPlace& last = items.back().found.place;
  const std::span<char> bytes = memory.of(static_cast<std::size_t>(last.offset + last.record_bytes - begin));
  if (!objects_.packs_.read(pack, begin, bytes).ok()) {
    // One bad place must not take its neighbours with it.
    for (const Item& item : items) TRY(read_alone(item.which));
    return {};
  }
  std::optional<std::uint64_t> current;  // the offset of the record whose bytes `raw` holds
  Result<std::string_view> raw = std::string_view();
  Read read;
  for (const Item& item : items) {
    const ObjectPlace& place = item.found.place;
    if (current != place.offset) {
      const bool in_room = raw.ok() && (raw->data() < bytes.data() || raw->data() >= bytes.data() + bytes.size());
      if (in_room) TRY(pass_on(read));
      const auto record = std::string_view(bytes.data(), bytes.size())
                              .substr(static_cast<std::size_t>(place.offset - begin), place.record_bytes);
      raw = raw_bytes_of(record, room, objects_.packs_.path_of(pack));
      current = place.offset;
    }
    if (!raw.ok() || place.position + std::uint64_t{place.length} > raw->size()) {
      TRY(read_alone(item.which));
      continue;
    }
    read.which.push_back(item.which);
    read.objects.push_back(raw->substr(place.position, place.length));
  }
  return pass_on(read);
}

Result<void> BulkReading::pass_on(Read& read) {
  const std::vector<Digest> digests = sha256_each(read.objects);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const std::size_t which = read.which[i];
    if (digests[i] != wanted_[which]) {
      TRY(receiver_.end(which, fail(Errc::corrupt, "the object " + wanted_[which].hex() +
                                                       " is corrupt: its bytes have another digest")));
      continue;
    }
    TRY(receiver_.piece(which, read.objects[i]));
    TRY(receiver_.end(which, Result<void>()));
  }
  read.which.clear();
  read.objects.clear();
  return {};
}

}  // namespace trainyard
