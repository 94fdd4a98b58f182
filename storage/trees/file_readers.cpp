// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/file_readers.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "storage/trees/add_thread.hpp"
#include "storage/trees/open_below.hpp"
#include "storage/values/sha256_lanes.hpp"

namespace trainyard {

namespace {

// Below this a second thread costs more than it brings.
constexpr std::size_t kFewFiles = 24;
constexpr std::uint64_t kFewBytes = std::uint64_t{4} << 20U;
// Cold small files are latency, so there are more readers than cores.
constexpr unsigned kMostReaders = 16;
// Files up to this size are hashed and put several at a time.
constexpr std::uint64_t kSmall = std::uint64_t{64} << 10U;
constexpr std::size_t kMemory = std::size_t{256} << 10U;
constexpr std::size_t kRunFiles = 32;
constexpr std::uint64_t kRunBytes = std::uint64_t{4} << 20U;

}  // namespace

FileReaders::FileReaders(const Path& root, int root_fd, TreeBuilder& tree, const std::vector<FileStamp>& stamps,
                         const CaptureOptions& options, const CaptureProgress& known)
    : root_(root),
      root_fd_(root_fd),
      tree_(tree),
      stamps_(stamps),
      options_(options),
      known_(known),
      files_done_(known.files_done),
      bytes_done_(known.bytes_done) {}

Result<void> FileReaders::run(const std::vector<std::uint32_t>& files) {
  cut(files);
  const std::uint64_t bytes = known_.bytes - known_.bytes_done;
  unsigned threads = options_.threads != 0 ? options_.threads : kMostReaders;
  if (options_.threads == 0 && files.size() < kFewFiles && bytes < kFewBytes) threads = 1;
  threads = static_cast<unsigned>(std::clamp<std::size_t>(runs_.size() - 1, 1, threads));
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < threads; ++i) add_thread(others, [&] { work(Thread::other, files); });
    work(Thread::calling, files);
  }
  if (error_) return *std::move(error_);
  // The last files may have been another thread's.
  if (options_.progress) options_.progress({files_done_, known_.files, bytes_done_, known_.bytes});
  return {};
}

void FileReaders::cut(const std::vector<std::uint32_t>& files) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t size = tree_.view(files[i]).size;
    if (i == 0 || i - runs_.back() >= kRunFiles || bytes + size > kRunBytes) {
      runs_.push_back(static_cast<std::uint32_t>(i));
      bytes = 0;
    }
    bytes += size;
  }
  runs_.push_back(static_cast<std::uint32_t>(files.size()));
}

void FileReaders::work(Thread thread, const std::vector<std::uint32_t>& files) {
  Desk desk;
  for (std::size_t run = next_++; run + 1 < runs_.size() && !failed_; run = next_++) {
    for (std::uint32_t i = runs_[run]; i < runs_[run + 1] && !failed_; ++i) {
      if (auto read = read_one(files[i], desk); !read.ok()) end_with(std::move(read).error());
      ++files_done_;
      bytes_done_ += tree_.view(files[i]).size;
      if (thread == Thread::other) continue;
      if (options_.progress) options_.progress({files_done_, known_.files, bytes_done_, known_.bytes});
      if (options_.cancelled && options_.cancelled()) end_with(fail(Errc::cancelled, "stopped by a user"));
    }
    if (failed_) return;
    if (auto put = put_small(desk); !put.ok()) end_with(std::move(put).error());
  }
}

Result<void> FileReaders::read_one(std::uint32_t index, Desk& desk) {
  const Tree::View entry = tree_.view(index);
  desk.shown = root_;
  if (!entry.folder.empty()) desk.shown.append(entry.folder.begin(), entry.folder.end());
  desk.shown.append(entry.name.begin(), entry.name.end());
  const auto changed = [&] { return fail(Errc::invalid, "'" + desk.shown.string() + "' changed while it was read"); };

  auto opened = open_folder(entry.folder, desk);
  if (!opened.ok()) return opened.error().code == Errc::not_found ? changed() : opened.error();
  std::array<char, RelPath::kMaxNameBytes + 1> name{};
  std::copy(entry.name.begin(), entry.name.end(), name.begin());
  // A fifo that took the file's name must not stop the reader.
  const auto fd = open_at(desk.folder.get(), name.data(), O_RDONLY | O_NONBLOCK, desk.shown);
  if (!fd.ok()) return fd.error().code == Errc::not_found ? changed() : fd.error();

  struct stat status {};
  const auto is_as_seen = [&] {
    return FileStamp::of(status) == stamps_[index] && static_cast<std::uint64_t>(status.st_size) == entry.size;
  };
  if (::fstat(fd->get(), &status) != 0) return system_error("look at", desk.shown, errno);
  if (!is_as_seen()) return changed();
  const auto stored = TRY(read_open(fd->get(), index, desk));
  if (::fstat(fd->get(), &status) != 0) return system_error("look at", desk.shown, errno);
  if (!is_as_seen() || (stored && stored->bytes != entry.size)) return changed();
  if (stored) tree_.set_digest(index, stored->digest);
  return {};
}

Result<std::optional<StoredObject>> FileReaders::read_open(int fd, std::uint32_t index, Desk& desk) {
  const std::uint64_t size = tree_.view(index).size;
  if (size > kSmall) {
    return std::optional(TRY(options_.objects != nullptr ? options_.objects->put_file(fd, size, desk.shown)
                                                         : hash_file(fd, desk.shown)));
  }
  if (!desk.memory) desk.memory = std::make_unique_for_overwrite<char[]>(kMemory);
  if (desk.used + size + 1 > kMemory) TRY(put_small(desk));
  char* const bytes = desk.memory.get() + desk.used;
  // One byte more, so that one reading tells that this was all.
  const auto room = std::as_writable_bytes(std::span(bytes, size + 1));
  std::size_t got = TRY(read_once(fd, room, desk.shown));
  if (got < size) got += TRY(read_some(fd, room.subspan(got), desk.shown));
  // Then it changed, as its next look will tell.
  if (got != size) return std::optional(StoredObject{Digest({}), got});
  desk.small.push_back(index);
  desk.contents.emplace_back(bytes, got);
  desk.used += got;
  return std::optional<StoredObject>();
}

Result<void> FileReaders::put_small(Desk& desk) {
  if (desk.small.empty()) return {};
  const std::vector<Digest> digests =
      options_.objects != nullptr ? TRY(options_.objects->put_each(desk.contents)) : sha256_each(desk.contents);
  for (std::size_t i = 0; i < digests.size(); ++i) tree_.set_digest(desk.small[i], digests[i]);
  desk.small.clear();
  desk.contents.clear();
  desk.used = 0;
  return {};
}

Result<void> FileReaders::open_folder(std::string_view path, Desk& desk) const {
  if (desk.folder && desk.folder_path == path) return {};
  desk.folder.reset();
  desk.folder = TRY(open_folder_below(root_fd_, std::string(path), desk.shown));
  desk.folder_path = path;
  return {};
}

void FileReaders::end_with(Error error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
  failed_ = true;
}

}  // namespace trainyard
