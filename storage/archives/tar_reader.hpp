// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/archives/archive_content.hpp"
#include "storage/archives/archive_file.hpp"
#include "storage/archives/byte_stream.hpp"

namespace trainyard {

// Reads the one tar that a stream holds, by libarchive, which knows every dialect of it. libarchive is lenient where a
// hostile or damaged file must be refused, so the bytes are watched on their way in: a tar ends with two blocks of
// zeros (POSIX), nothing but zeros follows, and no header is longer than a few megabytes. `file` is asked whether to go
// on. Errors leave it to the caller to name the archive.
Result<void> read_tar(ByteStream& stream, ArchiveFile& file, ArchiveContent& content);

}  // namespace trainyard
