// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace trainyard {

enum class ArchiveKind { tar, gzip, zstandard, zip };

inline constexpr std::size_t kArchiveKindBytes = 512;

// Pure: what a file is by its first kArchiveKindBytes, or all of it where it has fewer. A tar begins with the name of its
// first entry, which may look like the beginning of anything else; the checksum of its header tells it from the rest. What
// is none of the others is a tar.
ArchiveKind archive_kind(std::string_view begin);

}  // namespace trainyard
