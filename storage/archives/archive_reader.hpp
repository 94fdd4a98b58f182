// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "storage/files/files.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

struct ArchiveProgress {
  std::uint64_t bytes_done = 0;  // of the archive file
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;  // so far
};

struct ArchiveOptions {
  // Called now and then in the calling thread, as is `cancelled`: true ends the reading with the error `cancelled`.
  std::function<void(const ArchiveProgress&)> progress;
  std::function<bool()> cancelled;
  unsigned threads = 0;  // the calling one included; 0: as many as the machine has
};

// Reads a dataset that is given as an archive: every file's bytes go into `objects`, nothing else is written, and what
// is in it is yielded as a tree. The caller syncs the store. A tree without entries is one.
//
// The content of the file tells what it is, not its name: a tar, plain or compressed by gzip or Zstandard, of any of
// the usual kinds (ustar, pax, GNU, v7; also sparse), or a zip, stored and deflated.
//
// The archive is taken as hostile. It is refused as a whole, with `invalid` and a sentence that names the archive, the
// entry and the rule, when
//
//   a name    is empty, absolute, not a RelPath or too deep; a leading "./" is dropped, and so is the entry "./" itself
//   a place   is named twice, or is both a file and a folder (a folder listed twice is still one folder)
//   an entry  is a symbolic link, device, pipe or socket, is encrypted, or has another length than it says
//   a limit   of storage/values/limits.hpp is passed: of entries, names, bytes, and bytes for each byte of the archive
//   the file  is damaged, ends too early, has something after its end, or changes while it is read
//
// Names are bytes and stay as they are, whether UTF-8 or not, and names that differ only in case are two: a folder
// could hold them too. In a tar that goes for a backslash as well; in a zip a backslash, a drive letter and a NUL byte
// are refused, because the programs that write them mean something else. Of an entry's mode only the owner's executable
// bit is taken. A hard link to a file before it in a tar is another file with the same content.
Result<Tree> read_archive(const Path& archive, ObjectStore& objects, const ArchiveOptions& options = {});

}  // namespace trainyard
