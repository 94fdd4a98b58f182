// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/tree_writer.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace trainyard {

namespace {

constexpr std::size_t kCopy = std::size_t{1} << 20U;

// What two paths have in common at their beginning, in whole names.
std::size_t shared_folders(std::string_view a, std::string_view b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto at = static_cast<std::size_t>(differ.first - a.begin());
  const auto ends = [&](std::string_view path) { return at == path.size() || path[at] == '/'; };
  if (ends(a) && ends(b)) return at;
  const std::size_t slash = a.substr(0, at).rfind('/');
  return slash == std::string_view::npos ? 0 : slash;
}

// Shares the blocks where the file system can.
Result<void> copy_file(int from, std::uint64_t bytes, int to, const Path& shown) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  SparseWriter writer(to);
  std::string buffer(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kCopy)), '\0');
  while (writer.bytes() < bytes) {
    const ssize_t got = ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(writer.bytes()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error("copy to", shown, got < 0 ? errno : EIO);
    TRY(writer.write(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)), shown));
  }
  return writer.finish(shown);
}

}  // namespace

TreeWriter::TreeWriter(const Tree& tree, const Path& folder, const TreeProgress& progress)
    : tree_(tree), files_(tree.files()), progress_(progress), folders_(folder) {}

void TreeWriter::expect(const TreeObjects& wanted) {
  wanted_ = &wanted;
  sizes_.assign(wanted.digests().size(), 0);
}

Result<void> TreeWriter::make_folders() {
  std::string last;
  const auto make = [&](std::string_view path) -> Result<void> {
    // In the order of a tree everything in a folder comes in one go, so only what is not above the last one is new.
    std::size_t end = shared_folders(last, path);
    while (end < path.size()) {
      end = std::min(path.find('/', end == 0 ? 0 : end + 1), path.size());
      TRY(make_folder(path.substr(0, end)));
    }
    last = path;
    return {};
  };
  for (std::size_t i = 0; i < tree_.size(); ++i) {
    const Tree::View entry = tree_.view(i);
    if (entry.folder != last) TRY(make(entry.folder));
    if (entry.kind != TreeEntry::Kind::empty_folder) continue;
    std::string path(entry.folder);
    if (!path.empty()) path += '/';
    TRY(make(path += entry.name));
  }
  return {};
}

Result<void> TreeWriter::make_folder(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view above = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  const std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  const auto folder = TRY(folders_.open(above));
  if (::mkdirat(folder->get(), name.c_str(), 0777) != 0)
    return system_error("create the folder", folders_.shown(above, name), errno);
  return {};
}

Result<void> TreeWriter::piece(std::size_t which, std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto files = wanted_->files_of(which);
  const bool whole = sizes_[which] == 0 && bytes.size() == tree_.view(files.front()).size;
  sizes_[which] += bytes.size();
  if (whole) {
    for (const std::uint32_t file : files) TRY(write_whole(tree_.view(file), bytes));
    return {};
  }
  // More than the tree says is only counted: it ends in an error.
  if (sizes_[which] > tree_.view(files.front()).size) return {};
  Growing* const growing = TRY(this->growing(which));
  return growing->writer.write(bytes, growing->shown);
}

Result<void> TreeWriter::end(std::size_t which, const Result<void>& verdict) {
  TRY(verdict);
  const auto files = wanted_->files_of(which);
  for (const std::uint32_t file : files) {
    if (tree_.view(file).size == sizes_[which]) continue;
    return fail(Errc::corrupt, "the tree says that '" + tree_.entry(file).path.text() + "' has " +
                                   std::to_string(tree_.view(file).size) + " bytes but its object has " +
                                   std::to_string(sizes_[which]));
  }
  std::unique_ptr<Growing> growing;
  {
    const std::lock_guard lock(mutex_);
    if (auto found = growing_.extract(which)) growing = std::move(found.mapped());
  }
  if (growing) TRY(finish(which, std::move(growing)));
  if (sizes_[which] == 0) {
    for (const std::uint32_t file : files) TRY(create(tree_.view(file), O_WRONLY));
  }
  if (!progress_) return {};
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < files.size(); ++i) progress_(++done_, files_);
  return {};
}

Result<UniqueFd> TreeWriter::create(const Tree::View& file, int flags) {
  const auto folder = TRY(folders_.open(file.folder));
  std::array<char, RelPath::kMaxNameBytes + 1> name{};
  std::copy(file.name.begin(), file.name.end(), name.begin());
  const int all = flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  for (;;) {
    UniqueFd fd(::openat(folder->get(), name.data(), all, file.executable ? 0755 : 0644));
    if (fd) return fd;
    if (errno != EINTR) return system_error("create", folders_.shown(file.folder, file.name), errno);
  }
}

Result<void> TreeWriter::write_whole(const Tree::View& file, std::string_view bytes) {
  const UniqueFd fd = TRY(create(file, O_WRONLY));
  if (bytes.size() < SparseWriter::kHole) {
    // The path is made for the error alone.
    if (::write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size())) return {};
    if (::lseek(fd.get(), 0, SEEK_SET) != 0)
      return system_error("write", folders_.shown(file.folder, file.name), errno);
    return write_all(fd.get(), bytes, folders_.shown(file.folder, file.name));
  }
  const Path shown = folders_.shown(file.folder, file.name);
  SparseWriter writer(fd.get());
  TRY(writer.write(bytes, shown));
  return writer.finish(shown);
}

Result<TreeWriter::Growing*> TreeWriter::growing(std::size_t which) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = growing_.find(which);
    if (found != growing_.end()) return found->second.get();
  }
  const Tree::View file = tree_.view(wanted_->files_of(which).front());
  UniqueFd fd = TRY(create(file, O_RDWR));
  const int number = fd.get();
  auto made =
      std::make_unique<Growing>(Growing{std::move(fd), SparseWriter(number), folders_.shown(file.folder, file.name)});
  const std::lock_guard lock(mutex_);
  return growing_.emplace(which, std::move(made)).first->second.get();
}

Result<void> TreeWriter::finish(std::size_t which, std::unique_ptr<Growing> growing) {
  TRY(growing->writer.finish(growing->shown));
  for (const std::uint32_t file : wanted_->files_of(which).subspan(1)) {
    const Tree::View entry = tree_.view(file);
    const UniqueFd copy = TRY(create(entry, O_WRONLY));
    TRY(copy_file(growing->fd.get(), sizes_[which], copy.get(), folders_.shown(entry.folder, entry.name)));
  }
  return {};
}

}  // namespace trainyard
