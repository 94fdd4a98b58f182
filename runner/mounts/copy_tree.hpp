// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "storage/files/files.hpp"

namespace trainyard {

// How the content of one regular file gets over. `from` is open for reading at its begin, `to` is open for writing and
// empty; the paths are for errors.
using CopyContent = std::function<Result<void>(int from, const Path& source, int to, const Path& copy)>;

// Copies the files and folders in `from` into the folder `to`, in the order of their names, empty folders included.
// Files become 0644, or 0755 when their owner may execute them, less the umask, and folders 0777 less the umask, so
// that a read-only source gives a copy that can be changed. Owners, times and extended attributes stay behind.
//
// The source is only read, and links are never followed. An error names its path: `invalid` for a link, socket, fifo or
// device, for anything deeper than limits::kFolderDepth, and for a file or folder that changed while it was being
// copied; otherwise what the operating system said. `to` may then hold a part.
Result<void> copy_tree(const Path& from, const Path& to, const CopyContent& copy_content);

}  // namespace trainyard
