// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/archive_reader.hpp"

#include <algorithm>
#include <thread>

#include "storage/archives/archive_content.hpp"
#include "storage/archives/archive_file.hpp"
#include "storage/archives/byte_stream.hpp"
#include "storage/archives/tar_reader.hpp"
#include "storage/archives/zip_content.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// Of an entry, of the end of a zip without entries, and of a zip that was split.
bool is_zip(std::string_view begin) { return begin == "PK\x03\x04" || begin == "PK\x05\x06" || begin == "PK\x07\x08"; }

Result<Tree> read(const Path& archive, ObjectStore& objects, const ArchiveOptions& options) {
  ArchiveFile file = TRY(ArchiveFile::open(archive, options));
  constexpr std::uint64_t kMagicSize = 4;
  const bool zip = is_zip(TRY(file.read(0, kMagicSize)));
  const unsigned threads = options.threads != 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1U);
  ArchiveContent content(objects, zip ? ArchiveNames::zip : ArchiveNames::tar, file.size(), threads - 1);
  if (zip) {
    TRY(read_zip(file, content));
  } else {
    const auto stream = TRY(open_stream(file));
    TRY(read_tar(*stream, file, content));
  }
  Tree tree = TRY(std::move(content).tree());
  TRY(file.check_unchanged());
  return tree;
}

}  // namespace

Result<Tree> read_archive(const Path& archive, ObjectStore& objects, const ArchiveOptions& options) {
  auto tree = read(archive, objects, options);
  if (tree.ok() || tree.error().code != Errc::invalid) return tree;
  return within("the archive '" + utf8_cleaned(archive.string()) + "' is refused", tree.error());
}

}  // namespace trainyard
