// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "storage/files/files.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

enum class TarCompression { none, zstd };

struct TarProgress {
  std::uint64_t files_done = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes_done = 0;  // of the files
  std::uint64_t bytes = 0;
};

struct TarOptions {
  TarCompression compression = TarCompression::none;
  // Called now and then in the calling thread, as is `cancelled`: true ends the writing with the error `cancelled`.
  std::function<void(const TarProgress&)> progress;
  std::function<bool()> cancelled;
};

struct TarSummary {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;          // of the files
  std::uint64_t archive_bytes = 0;  // as written
};

// Writes a tree as a tar that any tar program reads. The same tree gives the same bytes, on any day and by anybody;
// compressed ones also depend on the version of libzstd. Written without libarchive, which can write a name only
// through the tables of some locale, and changes a few on the way.
//
//   tar    = entry…, two blocks of zeros                a block is 512 bytes; everything is filled up to whole blocks
//   entry  = [ pax ] header, the file's bytes           the tree's entries in its order; folders only when empty
//   header = ustar (POSIX): path, type '0' or '5', mode 0644 or 0755, size; time, owner and group are 0, without names
//   pax    = a header of type 'x' and records "length key=value\n", only when the header cannot hold the entry:
//            path when it is not ASCII or does not fit, with hdrcharset=BINARY before it when it is not UTF-8 either;
//            size from 8 GiB
//   .zst   = the tar as one Zstandard frame of level 3, with a checksum, compressed by one thread
//
// Each file's bytes are verified on the way: a missing or corrupt object is its error (`not_found`, `corrupt`) and
// names the file.
//
// The tar appears at `archive` whole and durable, or not at all: it is made under another name beside it. Something
// that is there already is `exists`. The path "-" is standard output.
Result<TarSummary> write_tar(const Tree& tree, ObjectStore& objects, const Path& archive,
                             const TarOptions& options = {});

// The same into an open file or pipe; `shown` names it in errors. After an error it holds a part.
Result<TarSummary> write_tar(const Tree& tree, ObjectStore& objects, int fd, const Path& shown,
                             const TarOptions& options = {});

// What stands before the bytes of an entry in a tar: the blocks of `pax` and `header` above.
std::string tar_header(const TreeEntry& entry);

}  // namespace trainyard
