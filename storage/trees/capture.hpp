// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// What tells, without reading it, whether a file is still the one that was captured.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;

  static FileStamp of(const struct stat& status);
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// A folder as it was at one moment.
struct CapturedFolder {
  Tree tree;
  std::vector<FileStamp> stamps;  // one for each entry of the tree, in its order; zero for an empty folder
};

struct CaptureProgress {
  std::uint64_t files_done = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes = 0;
};

struct CaptureOptions {
  // Where the bytes go; none to learn the digests only. The caller syncs it.
  ObjectStore* objects = nullptr;
  // False for a path that does not belong to the content; a folder is asked for before it is entered.
  std::function<bool(const RelPath&)> wanted;
  // Called now and then in the calling thread, as is `cancelled`: true ends the capture with the error `cancelled`.
  std::function<void(const CaptureProgress&)> progress;
  std::function<bool()> cancelled;
  unsigned threads = 0;  // 0: as many as serve the machine
};

// Reads every file below `folder` once and yields its tree. Regular files and folders only: a link, socket, fifo or
// device is `invalid` and named, and so is a file that changes or vanishes while it is read. Never follows a link below
// `folder`.
Result<CapturedFolder> capture(const Path& folder, const CaptureOptions& options);

// A sentence about the first file that is not as it was captured (changed, added or removed), or none. Looks at names
// and stamps only.
Result<std::optional<std::string>> change_since(const Path& folder, const CapturedFolder& captured);

// The tree itself is an object too: its canonical bytes.
Result<TreeSummary> store_tree(const Tree& tree, ObjectStore& objects);
// `corrupt` when the object is no tree.
Result<Tree> load_tree(const Digest& digest, ObjectStore& objects);

}  // namespace trainyard
