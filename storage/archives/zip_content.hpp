// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/archives/archive_content.hpp"
#include "storage/archives/archive_file.hpp"

namespace trainyard {

// Reads the files of a zip in the order in which they lie. The zip's directory and headers are judged as those of a
// package are (zip_directory.hpp), and each file's length and checksum while it is unpacked. Errors leave it to the
// caller to name the archive.
Result<void> read_zip(ArchiveFile& file, ArchiveContent& content);

}  // namespace trainyard
