// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

#include "storage/remotes/key_folder.hpp"
#include "storage/remotes/key_store.hpp"

namespace trainyard {

Instant modified_at(const struct stat& status);

// All keys below a folder that begin with `prefix`. What no key can be called, links, fresh files and what an NFS client
// keeps of removed files are not told of.
Result<void> list_keys(const KeyFolder& folder, const std::string& prefix,
                       const std::function<Result<void>(const KeyEntry&)>& each);

// How many fresh files of such keys were last written before `before`; removes them where that is asked for.
Result<std::uint64_t> fresh_files(const KeyFolder& folder, const std::string& prefix, Instant before,
                                  KeyStore::Unfinished what);

}  // namespace trainyard
