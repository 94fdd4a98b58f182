// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/trees/file_stamp.hpp"
#include "storage/trees/stat_cache.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// A folder as it was at one moment.
struct CapturedFolder {
  Tree tree;
  std::vector<FileStamp> stamps;  // one for each entry of the tree, in its order; the default one for an empty folder
  std::optional<TreeSummary> summary;  // once it is known: from the cache, or from store_tree()
  std::uint64_t files_read = 0;        // the others were known by their stamps

  // What keep_cache() writes.
  struct NextCache {
    Path path;
    FileClock began;
    std::uint64_t generation = 0;
    bool tree_is_stored = false;
    bool differs = false;  // from what is there
  };
  std::optional<NextCache> cache;  // none without a path for it, or where no file can be made
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
  // The folder's stat cache: files that it knows are not read, nor looked for in `objects` as long as their generation is
  // that of the cache. A capture does not change it; see keep_cache(). One for each pair of folder and store, in a folder
  // that exists. Not together with `wanted`: a cache is of a whole folder.
  std::optional<Path> cache;
  // False for a path that does not belong to the content; a folder is asked for before it is entered.
  std::function<bool(const RelPath&)> wanted;
  // Called now and then in the calling thread, as are `wanted` and `cancelled`: true ends the capture with the error
  // `cancelled`.
  std::function<void(const CaptureProgress&)> progress;
  std::function<bool()> cancelled;
  unsigned threads = 0;  // 0: as many as serve the machine
};

// Reads every file below `folder` once, unless the cache knows it, and yields the folder's tree. Regular files and
// folders only: a link, socket, fifo or device is `invalid` and named, and so is a file that changes or vanishes while it
// is read. Never follows a link below `folder`. Holes are read as zeros; a file with two names is two files.
Result<CapturedFolder> capture(const Path& folder, const CaptureOptions& options);

// As for a tree, but nothing is formatted or put when the folder is the one that the cache knows and `objects` has its
// tree. Notes the summary in `captured`.
Result<TreeSummary> store_tree(CapturedFolder& captured, ObjectStore& objects);

// Writes the cache for the next capture of the folder, if there is anything new to write. Only once all that was put is
// durable: what the cache says to be stored is not looked for again. A failure costs the next capture time, nothing else.
Result<void> keep_cache(const CapturedFolder& captured);

// A sentence about the first file that is not as it was captured (changed, added or removed), or none. Looks at names
// and stamps only.
Result<std::optional<std::string>> change_since(const Path& folder, const CapturedFolder& captured);

}  // namespace trainyard
