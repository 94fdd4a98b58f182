// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/stat_cache.hpp"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "storage/trees/xxh64.hpp"
#include "storage/values/path_order.hpp"

namespace trainyard {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic("trainyard stat cache 1\n", 24);  // with its NUL
constexpr std::size_t kHeader = 5 * 8 + Digest::kBytes;
constexpr std::size_t kStamp = 4 * 8;
constexpr std::size_t kCacheBuffer = std::size_t{1} << 18U;
constexpr std::uint64_t kTreeKnown = 1;
constexpr std::uint64_t kTreeStored = 2;

template <class T>
T load(const char*& from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  from += sizeof(value);
  return value;
}

template <class T>
void store(std::string& to, T value) {
  std::array<char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(T));
  to.append(bytes.data(), bytes.size());
}

Digest load_digest(const char* from) {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  std::memcpy(bytes.data(), from, bytes.size());
  return Digest(bytes);
}

void store(std::string& to, const Digest& digest) {
  to.append(reinterpret_cast<const char*>(digest.bytes().data()), Digest::kBytes);
}

}  // namespace

StatCache StatCache::open(const Path& path) {
  StatCache cache;
  auto fd = open_file(path, O_RDONLY);
  if (!fd.ok()) return cache;
  cache.fd_ = std::move(*fd);
  cache.buffer_.resize(kCacheBuffer);
  cache.intact_ = cache.is_whole() && cache.read_header();
  if (!cache.intact_) {
    cache.header_ = {};
    return cache;
  }
  cache.next();
  return cache;
}

// The one look that a damaged file cannot pass.
bool StatCache::is_whole() {
  Xxh64 sum;
  std::string_view last;  // bytes that may be the checksum
  std::uint64_t size = 0;
  for (std::size_t kept = 0;;) {
    const auto got = read_some(fd_.get(), std::as_writable_bytes(std::span(buffer_).subspan(kept)), Path());
    if (!got.ok()) return false;
    size += *got;
    const std::string_view bytes(buffer_.data(), kept + *got);
    if (bytes.size() < sizeof(std::uint64_t)) return false;
    last = bytes.substr(bytes.size() - sizeof(std::uint64_t));
    sum.update(bytes.substr(0, bytes.size() - last.size()));
    if (bytes.size() < buffer_.size()) break;
    kept = last.size();
    std::memmove(buffer_.data(), last.data(), kept);
  }
  const char* at = last.data();
  if (load<std::uint64_t>(at) != sum.value()) return false;
  left_ = size - sizeof(std::uint64_t);
  return ::lseek(fd_.get(), 0, SEEK_SET) == 0;
}

bool StatCache::read_header() {
  const char* at = take(kMagic.size() + kHeader);
  if (at == nullptr || std::string_view(at, kMagic.size()) != kMagic) return false;
  at += kMagic.size();
  header_.generation = load<std::uint64_t>(at);
  header_.entries = load<std::uint64_t>(at);
  const auto known = load<std::uint64_t>(at);
  const auto files = load<std::uint64_t>(at);
  const auto bytes = load<std::uint64_t>(at);
  if ((known & kTreeKnown) != 0) header_.tree = TreeSummary{load_digest(at), files, bytes};
  header_.tree_is_stored = (known & kTreeStored) != 0;
  return true;
}

const char* StatCache::take(std::size_t bytes) {
  if (end_ - begin_ < bytes) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - end_, left_));
    const auto got = read_some(fd_.get(), std::as_writable_bytes(std::span(buffer_).subspan(end_, wanted)), Path());
    if (!got.ok() || *got != wanted) return nullptr;
    end_ += wanted;
    left_ -= wanted;
    if (end_ < bytes) return nullptr;
  }
  begin_ += bytes;
  return buffer_.data() + begin_ - bytes;
}

void StatCache::next() {
  entry_.kind = 0;
  for (;;) {
    const char* at = take(2);
    if (at == nullptr) return;
    const char kind = *at;
    std::size_t length = static_cast<std::uint8_t>(at[1]);
    if (kind == 'D') {
      at = take(1);
      if (at == nullptr) return;
      length |= static_cast<std::size_t>(static_cast<std::uint8_t>(*at)) << 8U;
      at = take(length);
      if (at == nullptr) return;
      folder_.assign(at, length);
      continue;
    }
    if (kind != 'E' && kind != 'F' && kind != 'X') return;
    at = take(length + (kind == 'E' ? 0 : 8 + kStamp + Digest::kBytes));
    if (at == nullptr) return;
    entry_.name = std::string_view(at, length);
    at += length;
    if (kind != 'E') {
      entry_.size = load<std::uint64_t>(at);
      entry_.stamp.device = load<std::uint64_t>(at);
      entry_.stamp.inode = load<std::uint64_t>(at);
      entry_.stamp.modified_ns = load<std::int64_t>(at);
      entry_.stamp.changed_ns = load<std::int64_t>(at);
      entry_.digest = at;
    }
    entry_.kind = kind;
    return;
  }
}

bool StatCache::knows(const Tree::View& entry, const FileStamp& stamp) {
  int order = -1;
  while (entry_.kind != 0) {
    order = path_order({.folder = folder_, .name = entry_.name}, entry).order;
    if (order >= 0) break;
    next();
  }
  if (entry_.kind == 0 || order != 0) return false;
  const bool is_file = entry.kind == TreeEntry::Kind::file;
  bool same = entry_.kind == (!is_file ? 'E' : entry.executable ? 'X' : 'F');
  if (is_file && same) {
    same = entry_.size == entry.size && entry_.stamp == stamp && stamp != FileStamp();
    if (same) digest_ = load_digest(entry_.digest);
  }
  if (same) ++known_;
  next();
  return same;
}

Result<FileClock> FileClock::read(const Path& folder) {
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) {
    // Not every file system has nameless files.
    const Path temporary = scratch_name(folder, "clock");
    fd = TRY(open_file(temporary, O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(remove_file(temporary));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("look at a file in", folder, errno);
  return FileClock{FileStamp::of(status).changed_ns, status.st_dev};
}

bool FileClock::settles(const FileStamp& stamp) const {
  const std::int64_t before = now_ns - (stamp.device == device ? 0 : kForeignClockMargin);
  return stamp.modified_ns < before && stamp.changed_ns < before;
}

Result<void> write_stat_cache(const Path& path, const StatCache::Header& header, const Tree& tree,
                              const std::vector<FileStamp>& stamps, const FileClock& began) {
  const Path temporary = scratch_name(path.parent_path(), path.filename().string() + ".");
  const UniqueFd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  Xxh64 sum;
  std::string bytes;
  bytes.reserve(kCacheBuffer + RelPath::kMaxBytes);
  const auto flush = [&]() -> Result<void> {
    sum.update(bytes);
    TRY(write_all(fd.get(), bytes, temporary));
    bytes.clear();
    return {};
  };
  const auto write = [&]() -> Result<void> {
    bytes += kMagic;
    store(bytes, header.generation);
    store(bytes, std::uint64_t{tree.size()});
    store(bytes, (header.tree ? kTreeKnown : 0) | (header.tree_is_stored ? kTreeStored : 0));
    store(bytes, header.tree ? header.tree->files : 0);
    store(bytes, header.tree ? header.tree->bytes : 0);
    store(bytes, header.tree ? header.tree->digest : Digest({}));
    std::string_view folder;
    for (std::size_t i = 0; i < tree.size(); ++i) {
      const Tree::View entry = tree.view(i);
      if (entry.folder != folder) {
        folder = entry.folder;
        bytes += 'D';
        store(bytes, static_cast<std::uint16_t>(folder.size()));
        bytes += folder;
      }
      bytes += entry.kind == TreeEntry::Kind::empty_folder ? 'E' : entry.executable ? 'X' : 'F';
      bytes += static_cast<char>(entry.name.size());
      bytes += entry.name;
      if (entry.kind == TreeEntry::Kind::file) {
        const FileStamp stamp = began.settles(stamps[i]) ? stamps[i] : FileStamp();
        store(bytes, entry.size);
        store(bytes, stamp.device);
        store(bytes, stamp.inode);
        store(bytes, stamp.modified_ns);
        store(bytes, stamp.changed_ns);
        store(bytes, *entry.digest);
      }
      if (bytes.size() >= kCacheBuffer) TRY(flush());
    }
    TRY(flush());
    store(bytes, sum.value());
    TRY(flush());
    return rename_path(temporary, path);
  };
  auto written = write();
  if (!written.ok()) static_cast<void>(remove_file(temporary));
  return written;
}

}  // namespace trainyard
