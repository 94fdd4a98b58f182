// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/trees/file_stamp.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// What the last capture of a folder leaves for the next one: each file's stamp and digest, in one file that is read from
// front to end while the folder is walked, so that a file whose stamp is still the same is not read. It is never needed:
// one that is missing, torn or foreign is no cache, and that is no error. Little endian throughout:
//
//   cache  = magic header {entry} checksum
//   magic  = "trainyard stat cache 1\n" 00
//   header = generation:u64 entries:u64 known:u64 files:u64 bytes:u64 digest    known: 1 the tree's files, bytes and
//            digest follow; 2 (also) the store has the tree; 0 neither, and the three are zero
//   entry  = 'D' length:u16 path                     the folder of the entries that follow, relative; "" is the root's
//          | 'E' length:u8 name                      an empty folder
//          | ('F' | 'X') length:u8 name size:u64 device:u64 inode:u64 mtime:i64 ctime:i64 digest     a file, executable
//   checksum = u64, XXH64 with seed 0 of everything before it
//
// Entries are sorted by the bytes of whole paths, as in a tree; times are nanoseconds.
//
// Git's racy-clean rule: a file changed in the very tick of the clock in which it was captured can have the same stamp
// with other bytes. So a file is written with the stamp of no file unless its times lie strictly before the moment at
// which the capture began, told by the clock that stamps files. That clock is taken from the cache's own folder and
// assumed to be the data's as well (one kernel stamps all its local file systems from one clock); data on another device
// may be stamped elsewhere and more coarsely, so there the times must lie kForeignClockMargin further back.
class StatCache {
 public:
  struct Header {
    std::uint64_t generation = 0;  // of the store that had every file when this was written; 0: no store had them all
    std::uint64_t entries = 0;
    std::optional<TreeSummary> tree;
    bool tree_is_stored = false;
  };

  // A cache without entries when there is none to be trusted.
  static StatCache open(const Path& path);

  [[nodiscard]] const Header& header() const { return header_; }

  // Whether the entry is known: with just this path, kind, executable bit, size and stamp; then a file's digest lies in
  // `digest()` until the next call. Ask for every entry of a folder once, in the order of a tree.
  bool knows(const Tree::View& entry, const FileStamp& stamp);
  [[nodiscard]] const Digest& digest() const { return digest_; }
  // Every entry that was asked for was known, and there are no others.
  [[nodiscard]] bool all_known() const { return intact_ && known_ == header_.entries; }

 private:
  struct Entry {
    char kind = 0;  // 0: there are no more
    std::string_view name;
    std::uint64_t size = 0;
    FileStamp stamp;
    const char* digest = nullptr;
  };

  bool read_header();
  bool is_whole();
  void next();
  // The next bytes, valid until the next call; null when the cache does not have them.
  [[nodiscard]] const char* take(std::size_t bytes);

  UniqueFd fd_;
  Header header_;
  std::uint64_t left_ = 0;  // bytes of entries that are not in the buffer yet
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is not yet taken
  std::size_t end_ = 0;
  std::string folder_;
  Entry entry_;
  Digest digest_{std::array<std::uint8_t, Digest::kBytes>{}};
  bool intact_ = false;
  std::uint64_t known_ = 0;
};

inline constexpr std::int64_t kForeignClockMargin = 10'000'000'000;  // ns; FAT's ticks have 2 s

// A moment by the clock that stamps files in a folder.
struct FileClock {
  std::int64_t now_ns = 0;
  std::uint64_t device = 0;

  // By way of a nameless or at once removed file there.
  static Result<FileClock> read(const Path& folder);
  // Whether a file with the stamp cannot have been changed since, at this moment or later, without another stamp.
  [[nodiscard]] bool settles(const FileStamp& stamp) const;
};

// Replaces the cache at `path`, by way of a temporary file beside it; a power cut may leave one that is torn, which
// `open` sees. `stamps` has one for each entry of the tree; `began` is from before the first of them was taken.
Result<void> write_stat_cache(const Path& path, const StatCache::Header& header, const Tree& tree,
                              const std::vector<FileStamp>& stamps, const FileClock& began);

}  // namespace trainyard
