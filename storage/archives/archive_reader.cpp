// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/archive_reader.hpp"

#include <algorithm>
#include <thread>

#include "storage/archives/archive_content.hpp"
#include "storage/archives/archive_file.hpp"
#include "storage/archives/archive_kind.hpp"
#include "storage/archives/byte_stream.hpp"
#include "storage/archives/tar_reader.hpp"
#include "storage/archives/zip_content.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<Tree> read(const Path& archive, ObjectStore& objects, const ArchiveOptions& options) {
  ArchiveFile file = TRY(ArchiveFile::open(archive, options));
  const ArchiveKind kind = archive_kind(TRY(file.read(0, kArchiveKindBytes)));
  const bool zip = kind == ArchiveKind::zip;
  const unsigned threads = options.threads != 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1U);
  ArchiveContent content(objects, zip ? ArchiveNames::zip : ArchiveNames::tar, file.size(), threads - 1);
  if (zip) {
    TRY(read_zip(file, content));
  } else {
    const auto stream = open_stream(file, kind);
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
