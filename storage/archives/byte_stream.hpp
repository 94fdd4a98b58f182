// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "storage/archives/archive_file.hpp"
#include "storage/archives/archive_kind.hpp"

namespace trainyard {

// The bytes inside an archive's compression, from the first to the last. Every checksum that gzip (RFC 1952) and
// Zstandard (RFC 8878) carry is compared; several gzip members or Zstandard frames in a row are one stream, as the
// programs of those names have it. Anything else after them is refused, and so is what ends too early or unpacks to
// more than the limits allow. Errors leave it to the caller to name the archive.
class ByteStream {
 public:
  ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
  virtual ~ByteStream() = default;

  // The next bytes, empty at the end. Valid until the next call.
  virtual Result<std::string_view> next() = 0;
};

// What is not compressed is itself. `file` outlives the stream.
std::unique_ptr<ByteStream> open_stream(ArchiveFile& file, ArchiveKind kind);

}  // namespace trainyard
