// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/capsule_folder.hpp"

#include <fcntl.h>

#include <memory>

namespace trainyard {

namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 20U;

Result<TreeEntry> entry_of(const Path& folder, const std::string& name) {
  const ZipSummary content = TRY(bytes_of(folder / name));
  RelPath path = TRY(RelPath::parse(name));
  return TreeEntry{std::move(path), TreeEntry::Kind::file, content.bytes, false, content.digest};
}

// Calls `each` with all of a file, piece by piece.
template <class Each>
Result<void> read_through(const Path& file, Each each) {
  const UniqueFd fd = TRY(open_file(file, O_RDONLY));
  const std::unique_ptr<std::byte[]> memory(new std::byte[kBuffer]);
  const std::span<std::byte> buffer(memory.get(), kBuffer);
  for (;;) {
    const std::size_t got = TRY(read_some(fd.get(), buffer, file));
    TRY(each(buffer.first(got)));
    if (got < buffer.size()) return {};
  }
}

}  // namespace

Result<ZipSummary> bytes_of(const Path& file) {
  Sha256 hash;
  std::uint64_t bytes = 0;
  TRY(read_through(file, [&](std::span<const std::byte> piece) {
    hash.update(piece);
    bytes += piece.size();
    return Result<void>();
  }));
  return ZipSummary{hash.finish(), bytes};
}

Result<CapsuleFolder> CapsuleFolder::make(const Path& scratch) {
  CapsuleFolder folder(scratch_name(scratch, "capsule"));
  TRY(make_folder(folder.path_));
  return folder;
}

Result<Path> CapsuleFolder::place(const std::string& name) const {
  Path file = path_ / name;
  TRY(make_folders(file.parent_path()));
  return file;
}

Result<void> CapsuleFolder::add(const std::string& name, const std::string& what, std::string_view bytes) {
  const Path file = TRY(place(name));
  const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0666));
  TRY(write_all(fd.get(), bytes, file));
  added(name, what);
  return {};
}

Result<void> CapsuleFolder::copy(const std::string& name, const std::string& what, const Path& source) {
  const Path file = TRY(place(name));
  const UniqueFd fd = TRY(open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0666));
  TRY(read_through(source, [&](std::span<const std::byte> piece) {
    return write_all(fd.get(), {reinterpret_cast<const char*>(piece.data()), piece.size()}, file);
  }));
  added(name, what);
  return {};
}

Result<Tree> CapsuleFolder::seal() {
  std::vector<TreeEntry> entries;
  for (const CapsuleFile& file : files_) entries.push_back(TRY(entry_of(path_, file.path)));
  const Tree tree = TRY(Tree::of(entries));
  std::string sums;
  for (const TreeEntry& entry : tree.entries()) sums += entry.digest->hex() + "  " + entry.path.bytes() + "\n";
  TRY(add("SHA256SUMS", "the SHA-256 of every other file", sums));
  entries.push_back(TRY(entry_of(path_, "SHA256SUMS")));
  return Tree::of(std::move(entries));
}

}  // namespace trainyard
