// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/files/files.hpp"
#include "storage/values/tree.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// Packs the files of `tree`, which lie in `folder`, into a new zip with the one root folder `root`. Yields the digest
// and size of the zip.
//
// The bytes depend on `root` and `tree` alone: on no clock, time zone, umask, owner, order of creation or version of a
// compressor.
//   entries:    "root/" first, then those of the tree in its order; a folder has an entry only when it is empty
//   data:       stored without compression; mostly it is model weights, and identity is the tree, not the zip
//   time:       1980-01-01 00:00, the first that a zip can hold
//   attributes: Unix, 0100644, 0100755 for executables, 040755 for folders
//   extra:      none, but the 64-bit sizes of what needs them
//
// What unpack_zip would refuse by its name is refused here: `invalid`, with the name. A file whose bytes are no longer
// those that the tree states is `invalid` too, and named. An existing `zip` is `exists`. While it works there is a
// second file beside `zip`, with a longer name; after an error neither is there. Nothing is synced.
Result<ZipSummary> pack_folder(const Path& folder, const std::string& root, const Tree& tree, const Path& zip);

}  // namespace trainyard
