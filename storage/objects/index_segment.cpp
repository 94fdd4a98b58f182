// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/index_segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <queue>
#include <tuple>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

constexpr std::string_view kMagic = "TYINDEX1";
constexpr std::size_t kIndexFront = 16;
constexpr std::size_t kEntry = 56;
constexpr std::uint32_t kListBit = std::uint32_t{1} << 31U;
constexpr std::size_t kFlush = std::size_t{256} << 10U;

Error bad(const Path& path, const char* what) {
  return fail(Errc::corrupt, "the index file '" + path.string() + "' " + what +
                                 "; 'trainyard store fsck --repair' makes the index anew from the packs");
}

std::string_view view_of(const char* bytes, std::size_t size) { return {bytes, size}; }

void put_entry(std::string& bytes, const IndexEntry& entry) {
  put_digest(bytes, entry.digest);
  put_number(bytes, entry.place.offset);
  put_number(bytes, entry.place.pack);
  put_number(bytes, entry.place.record_bytes);
  put_number(bytes, entry.place.position);
  put_number(bytes, entry.place.length | (entry.place.kind == ObjectKind::list ? kListBit : 0));
}

}  // namespace

PackId new_pack_id() {
  PackId id{};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto micros =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<std::uint8_t>(micros >> (56U - 8 * i));
  fill_random(std::span(id).subspan(8));
  return id;
}

std::string text_of(const PackId& id) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : id) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

std::optional<PackId> parse_pack_id(std::string_view text) {
  // A digest has the same digits, and twice as many.
  const auto parsed = Digest::parse(std::string(text) + std::string(text));
  if (text.size() != 32 || !parsed.ok()) return std::nullopt;
  PackId id{};
  std::copy_n(parsed->bytes().begin(), id.size(), id.begin());
  return id;
}

Result<std::shared_ptr<const IndexSegment>> IndexSegment::open(const Path& path) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("look at", path, errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < kIndexFront + Digest::kBytes) return bad(path, "is too short");
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (mapped == MAP_FAILED) return system_error("map", path, errno);
  std::shared_ptr<IndexSegment> segment(new IndexSegment(path, static_cast<const char*>(mapped), size));
  const std::string_view bytes = view_of(segment->bytes_, size);
  if (!bytes.starts_with(kMagic)) return bad(path, "does not begin like one");
  const std::size_t packs = get_number<std::uint32_t>(bytes, kMagic.size());
  const std::size_t rest = size - kIndexFront - Digest::kBytes;
  if (packs > rest / sizeof(PackId) || (rest - packs * sizeof(PackId)) % kEntry != 0)
    return bad(path, "has a strange length");
  for (std::size_t i = 0; i < packs; ++i) {
    PackId id{};
    std::memcpy(id.data(), bytes.data() + kIndexFront + i * id.size(), id.size());
    segment->packs_.push_back(id);
  }
  segment->entries_ = (rest - packs * sizeof(PackId)) / kEntry;
  segment->first_ = segment->bytes_ + kIndexFront + packs * sizeof(PackId);
  return std::shared_ptr<const IndexSegment>(std::move(segment));
}

IndexSegment::~IndexSegment() { ::munmap(const_cast<char*>(bytes_), size_); }

Result<void> IndexSegment::write(const Path& scratch, const Path& path, const std::vector<PackId>& packs,
                                 const std::function<const IndexEntry*()>& next) {
  const Path temporary = scratch_name(scratch, "index");
  const auto written = [&]() -> Result<void> {
    const UniqueFd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0444));
    Sha256 hash;
    std::string bytes(kMagic);
    const auto flush = [&]() -> Result<void> {
      hash.update(bytes);
      TRY(write_all(fd.get(), bytes, temporary));
      bytes.clear();
      return {};
    };
    put_number(bytes, static_cast<std::uint32_t>(packs.size()));
    bytes.append(kIndexFront - bytes.size(), '\0');
    for (const PackId& id : packs) bytes.append(reinterpret_cast<const char*>(id.data()), id.size());
    std::optional<Digest> last;
    while (const IndexEntry* const entry = next()) {
      if (last == entry->digest) continue;
      last = entry->digest;
      put_entry(bytes, *entry);
      if (bytes.size() >= kFlush) TRY(flush());
    }
    TRY(flush());
    put_digest(bytes, hash.finish());
    TRY(write_all(fd.get(), bytes, temporary));
    TRY(sync_file(fd.get(), temporary));
    return rename_path(temporary, path);
  }();
  if (!written.ok()) static_cast<void>(remove_file(temporary));
  return written;
}

IndexEntry IndexSegment::entry(std::size_t index) const {
  const std::string_view bytes = view_of(first_ + index * kEntry, kEntry);
  const auto length = get_number<std::uint32_t>(bytes, 52);
  return {get_digest(bytes, 0),
          {get_number<std::uint64_t>(bytes, 32), get_number<std::uint32_t>(bytes, 40),
           get_number<std::uint32_t>(bytes, 44), get_number<std::uint32_t>(bytes, 48), length & ~kListBit,
           (length & kListBit) != 0 ? ObjectKind::list : ObjectKind::bytes}};
}

// Digests are spread evenly, so the place of one can be guessed from its value; the guess is off by some tens of entries,
// and a few steps of growing size find both sides of it.
std::optional<std::size_t> IndexSegment::number_of(const Digest& digest) const {
  const auto less = [&](std::size_t index) {
    return std::memcmp(first_ + index * kEntry, digest.bytes().data(), Digest::kBytes) < 0;
  };
  const auto guess = static_cast<std::size_t>((rank_of(digest) * entries_) >> 32U);
  std::size_t low = guess;
  std::size_t high = guess;
  for (std::size_t step = 8; low > 0 && !less(low - 1); step *= 2) low -= std::min(step, low);
  for (std::size_t step = 8; high < entries_ && less(high); step *= 2) high += std::min(step, entries_ - high);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (less(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == entries_ || std::memcmp(first_ + low * kEntry, digest.bytes().data(), Digest::kBytes) != 0)
    return std::nullopt;
  // A damaged entry tells nothing.
  return is_possible(entry(low).place) ? std::optional(low) : std::nullopt;
}

bool IndexSegment::is_possible(const ObjectPlace& place) const {
  return place.pack < packs_.size() && place.record_bytes <= kHeaderBytes + 2 * std::uint64_t{kMostRaw};
}

std::optional<ObjectPlace> IndexSegment::find(const Digest& digest) const {
  const auto number = number_of(digest);
  return number ? std::optional(entry(*number).place) : std::nullopt;
}

Result<void> IndexSegment::check() const {
  const std::string_view bytes = view_of(bytes_, size_ - Digest::kBytes);
  if (sha256(bytes) != get_digest(view_of(bytes_, size_), bytes.size())) return bad(path_, "is damaged");
  for (std::size_t i = 0; i < entries_; ++i) {
    if (i > 0 && std::memcmp(first_ + (i - 1) * kEntry, first_ + i * kEntry, Digest::kBytes) >= 0)
      return bad(path_, "is not sorted");
    if (!is_possible(entry(i).place)) return bad(path_, "names a place that there cannot be");
  }
  return {};
}

Result<void> merge_segments(const Path& scratch, const Path& path,
                            std::span<const std::shared_ptr<const IndexSegment>> segments, const PackChanges& changes) {
  // A pack can be in two segments, when a merging was interrupted.
  std::vector<PackId> packs = changes.added;
  std::map<PackId, std::uint32_t> numbers;
  std::vector<std::vector<std::optional<std::uint32_t>>> number_of;  // by segment and its own count; none for the gone
  for (const auto& segment : segments) {
    auto& own = number_of.emplace_back();
    for (const PackId& id : segment->packs()) {
      if (changes.gone.contains(id)) {
        own.emplace_back();
        continue;
      }
      const auto [place, fresh] = numbers.try_emplace(id, static_cast<std::uint32_t>(packs.size()));
      if (fresh) packs.push_back(id);
      own.emplace_back(place->second);
    }
  }
  struct Head {
    IndexEntry entry;
    std::size_t source;  // 0 for what is added, else a segment + 1
  };
  const auto later = [](const Head& a, const Head& b) {
    return std::tie(a.entry.digest, a.source) > std::tie(b.entry.digest, b.source);
  };
  std::priority_queue<Head, std::vector<Head>, decltype(later)> heads(later);
  std::vector<std::size_t> next(segments.size());
  const auto push = [&](std::size_t source) {
    if (source == 0) {
      const IndexEntry* const entry = changes.next ? changes.next() : nullptr;
      if (entry != nullptr) heads.push({*entry, 0});
      return;
    }
    const IndexSegment& segment = *segments[source - 1];
    for (std::size_t& index = next[source - 1]; index < segment.size();) {
      IndexEntry entry = segment.entry(index++);
      if (!segment.is_possible(entry.place)) continue;
      const auto number = number_of[source - 1].at(entry.place.pack);
      if (!number) continue;
      entry.place.pack = *number;
      heads.push({entry, source});
      return;
    }
  };
  for (std::size_t source = 0; source <= segments.size(); ++source) push(source);
  std::optional<Head> current;
  return IndexSegment::write(scratch, path, packs, [&]() -> const IndexEntry* {
    if (heads.empty()) return nullptr;
    current = heads.top();
    heads.pop();
    push(current->source);
    return &current->entry;
  });
}

}  // namespace trainyard
