// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "storage/http/rate_limit.hpp"
#include "storage/remotes/key_folder.hpp"
#include "storage/values/digest.hpp"

namespace trainyard {

// Copies a file of exactly `bytes` bytes into a fresh one and syncs it; by the file system where it can do so (reflink, or
// on the server). `corrupt` when the file is of another size.
Result<void> copy_file(const Path& file, std::uint64_t bytes, const KeyFolder& to, FreshFile& fresh, RateLimit& limit,
                       const std::function<void(std::uint64_t bytes)>& moved);

// Of the whole file, as the disk has it where the system can be told to forget what it holds in memory.
Result<Digest> digest_of(int fd, const Path& shown);

}  // namespace trainyard
