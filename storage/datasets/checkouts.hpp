// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/files/files.hpp"
#include "storage/objects/object_store.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// A tree written out as a folder.
struct Checkout {
  Path folder;
  FileStamp stamp;  // of the folder itself, to tell it from one that takes its place
};

// Trees of the store written out as folders, each once, for runs that read the same data again and again:
// <folder>/<tree digest>. A cache: whatever is in it can be removed while no run uses it, and is made again. Nobody
// vouches for what is in it: who reads one compares what he read with the digest. Any number of processes may use it.
class Checkouts {
 public:
  // Both folders exist, on one file system.
  Checkouts(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // Written now if it is not there. The files can be written to, like those of any folder that a user has: a mount shows
  // them to code that may change its own view of them. `corrupt` when the store does not hold the whole tree.
  Result<Checkout> get(const Digest& tree, ObjectStore& objects, const TreeProgress& progress = {}) const;

  // Throws away a folder that was found not to hold its tree. One that somebody has made anew since is left alone.
  Result<void> discard(const Checkout& found) const;

 private:
  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
