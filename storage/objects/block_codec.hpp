// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// Zstandard (RFC 8878) over blocks of at most a few megabytes, and the cheap question that comes before it.

// True when a sample of the bytes is spread as evenly as random bytes are: compressed and encrypted data, mostly.
// Costs about a microsecond. Few bytes tell nothing, and are never called so.
bool looks_incompressible(std::string_view bytes);

// One frame that states its size. The view is into a buffer of the calling thread, until its next call; empty when the
// frame would be no shorter than the bytes by a few percent.
std::string_view compress_block(std::string_view bytes);

// Exactly raw.size() bytes, or `corrupt`.
Result<void> decompress_block(std::string_view frame, char* raw, std::size_t raw_bytes);

}  // namespace trainyard
