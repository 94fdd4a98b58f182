// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/files/files.hpp"
#include "storage/trees/folder_writer.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

struct UnpackedZip {
  std::string root;  // the name of the one root folder
  ZipSummary zip;    // of the zip file itself
};

// Writes what is in the one root folder of a zip below `into`, which is empty; the root folder's own name is left out.
// The zip is taken as hostile. What its directory, headers and names tell is judged before the first byte is written,
// what only the data tells (its length, its checksum) while it is read; the rules stand in zip_directory.hpp and
// zip_names.hpp. Entries become regular files and folders: of their modes only the owner's executable bit is taken, and
// only where Unix made it.
//
// A refusal is `invalid` and names the zip, the entry and the rule; a file that changes meanwhile is refused too. After
// any error `into` holds a part, and the caller removes it. Nothing is synced.
Result<UnpackedZip> unpack_zip(const Path& zip, FolderWriter& into);

}  // namespace trainyard
