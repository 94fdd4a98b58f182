// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/objects/object_store.hpp"
#include "storage/objects/work_pool.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// "the entry 'a/b' is a symbolic link": `invalid`, with the name fit for a terminal.
Error refused_archive_entry(std::string_view name, std::string_view rule);

// Which program writes the names: a tar's are those of a folder, a zip's may mean something on Windows.
enum class ArchiveNames { tar, zip };

// What an archive holds, entry by entry as it is read: judges names, kinds, places and sizes, hands the bytes to the
// store (those of small files from other threads), and makes the tree of it. It does not know how an archive is
// written. Calls come from one thread. After an error nothing but the destructor may follow.
class ArchiveContent {
 public:
  // `objects` outlives this. `more_threads`: beside the calling one.
  ArchiveContent(ObjectStore& objects, ArchiveNames names, std::uint64_t archive_bytes, unsigned more_threads);
  ~ArchiveContent();
  ArchiveContent(const ArchiveContent&) = delete;
  ArchiveContent& operator=(const ArchiveContent&) = delete;

  // With or without '/' at the end of the name.
  Result<void> add_folder(std::string_view name);
  // A file, then its bytes from the first to the last, then its end. `bytes` and `hole` refuse more than `size`, and
  // `end_file` refuses fewer.
  Result<void> begin_file(std::string_view name, std::uint64_t size, bool executable);
  Result<void> bytes(std::string_view piece);
  // So many zeros.
  Result<void> hole(std::uint64_t count);
  Result<void> end_file();
  // A second name of a file that is in the archive before it.
  Result<void> add_hard_link(std::string_view name, std::string_view target);

  [[nodiscard]] std::uint64_t entries() const { return entries_.size(); }

  // All bytes are in the store by then. Judges what only the whole shows: places named twice, files used as folders,
  // and hard links.
  Result<Tree> tree() &&;

 private:
  enum class Kind : std::uint8_t { file, folder, link };
  struct Entry {
    std::array<std::uint8_t, Digest::kBytes> digest = {};
    std::uint64_t size = 0;
    std::uint64_t name_begin = 0;  // in names_
    std::uint64_t target_begin = 0;
    std::uint16_t name_bytes = 0;
    std::uint16_t target_bytes = 0;
    Kind kind = Kind::file;
    bool executable = false;
  };

  Result<std::string_view> judged(std::string_view name) const;
  Result<Entry*> add(std::string_view path, Kind kind);
  Result<void> put_later(Entry& entry, std::string bytes);
  void remember(Error error);
  [[nodiscard]] std::optional<Error> failure();

  [[nodiscard]] std::string_view path_of(const Entry& entry) const {
    return std::string_view(names_).substr(entry.name_begin, entry.name_bytes);
  }
  [[nodiscard]] std::size_t lower_bound(std::string_view path) const;
  [[nodiscard]] const Entry* find(std::string_view path) const;
  Result<void> sort();
  Result<void> check_folders() const;
  Result<void> resolve_links();
  Result<Tree> build() const;

  ObjectStore& objects_;
  const ArchiveNames style_;
  const std::uint64_t archive_bytes_;

  std::string names_;
  std::deque<Entry> entries_;         // in the order of the archive; they stay where they are
  std::vector<std::uint32_t> order_;  // by path, each path once; filled by sort()
  std::uint64_t total_ = 0;           // bytes of all files so far

  Entry* file_ = nullptr;  // the one that is being read
  std::uint64_t got_ = 0;  // bytes of it
  std::string small_;      // its bytes, when it is small
  std::unique_ptr<ObjectWriter> large_;

  std::mutex mutex_;
  std::optional<Error> error_;  // of a put, guarded by mutex_
  WorkPool pool_;
  WorkGroup puts_;
};

}  // namespace trainyard
