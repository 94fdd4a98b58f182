// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/folder_reader.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>

#include "storage/trees/open_below.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kNamesBuffer = std::size_t{1} << 17U;  // of names, at a time
constexpr std::size_t kSlice = 256;                          // names, some 0.2 ms of looking

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISFIFO(mode)) return "a fifo";
  return "a device";
}

std::uint64_t head_of(std::string_view name, bool folder) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof(head); ++i) {
    const char next = i < name.size() ? name[i] : i == name.size() && folder ? '/' : '\0';
    head = (head << 8U) | static_cast<std::uint8_t>(next);
  }
  return head;
}

}  // namespace

Path FolderReader::shown(const std::string& folder, std::string_view name) const {
  Path path = folder.empty() ? root_ : root_ / folder;
  if (!name.empty()) path /= std::string(name);
  return path;
}

Result<std::shared_ptr<StatJob>> FolderReader::begin(const FolderWalk::Folder& folder) {
  auto opened = open_folder_below(root_fd_, folder.path, shown(folder.path, ""));
  if (!opened.ok()) {
    if (opened.error().code != Errc::not_found) return opened.error();
    return fail(Errc::invalid, "'" + shown(folder.path, "").string() + "' vanished while its folder was read");
  }
  fd_ = std::move(*opened);
  buffer_.resize(kNamesBuffer);
  names_.clear();
  items_.clear();
  for (;;) {
    const ssize_t got = ::getdents64(fd_.get(), buffer_.data(), buffer_.size());
    if (got < 0) return system_error("read the folder", shown(folder.path, ""), errno);
    if (got == 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer_.data() + at);
      at += entry->d_reclen;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") TRY(add_name(folder, name, entry->d_type));
    }
  }
  auto job = std::make_shared<StatJob>();
  job->fd = fd_.get();
  job->path = &folder.path;
  job->names = names_.data();
  job->items = items_;
  return job;
}

Result<void> FolderReader::add_name(const FolderWalk::Folder& folder, std::string_view name, unsigned char type) {
  const std::size_t above = folder.path.empty() ? 0 : folder.path.size() + 1;
  if (wanted_ || name.size() > RelPath::kMaxNameBytes || above + name.size() > RelPath::kMaxBytes) {
    const RelPath path =
        TRY(RelPath::parse(folder.path.empty() ? std::string(name) : folder.path + '/' + std::string(name)));
    if (wanted_ && !wanted_(path)) return {};
  }
  FolderWalk::Item item;
  item.name_begin = static_cast<std::uint32_t>(names_.size());
  item.name_bytes = static_cast<std::uint8_t>(name.size());
  // What a folder is will be seen when it is opened.
  if (type == DT_DIR) item.kind = FolderWalk::Kind::folder;
  items_.push_back(item);
  names_ += name;
  names_ += '\0';
  if (names_.size() > UINT32_MAX)
    return fail(Errc::invalid, "'" + shown(folder.path, "").string() + "' holds more than 4 GiB of names");
  return {};
}

Result<void> FolderReader::look(StatJob& job) {
  Result<void> looked;
  for (std::size_t begin = job.next.fetch_add(kSlice); begin < job.items.size(); begin = job.next.fetch_add(kSlice)) {
    const auto slice = job.items.subspan(begin, std::min(kSlice, job.items.size() - begin));
    if (cancelled_ != nullptr && *cancelled_ && (*cancelled_)()) looked = fail(Errc::cancelled, "stopped by a user");
    for (auto item = slice.begin(); looked.ok() && !stopped_ && item != slice.end(); ++item) {
      looked = look_at(job, *item);
    }
    // Taken and counted even after an error, because the job's owner waits for all of them.
    job.done.fetch_add(slice.size());
    job.done.notify_one();
  }
  return looked;
}

Result<void> FolderReader::look_at(const StatJob& job, FolderWalk::Item& item) const {
  if (item.kind == FolderWalk::Kind::folder) return {};
  const char* const name = job.names + item.name_begin;
  struct stat status {};
  if (::fstatat(job.fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return system_error("look at", shown(*job.path, name), errno);
    return fail(Errc::invalid, "'" + shown(*job.path, name).string() + "' vanished while its folder was read");
  }
  if (S_ISDIR(status.st_mode)) {
    item.kind = FolderWalk::Kind::folder;
    return {};
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::invalid, "'" + shown(*job.path, name).string() + "' is " + kind_of(status.st_mode) +
                                   "; only regular files and folders can be kept");
  }
  item.kind = (status.st_mode & S_IXUSR) != 0 ? FolderWalk::Kind::executable : FolderWalk::Kind::file;
  item.size = static_cast<std::uint64_t>(status.st_size);
  item.stamp = FileStamp::of(status);
  return {};
}

void FolderReader::finish(const StatJob& job, FolderWalk::Folder& folder) {
  const auto name = [&](const FolderWalk::Item& item) {
    return std::string_view(job.names + item.name_begin, item.name_bytes);
  };
  // Names of one folder often begin alike; what they share is left out, so that most pairs differ in one number.
  std::string_view shared = items_.empty() ? std::string_view() : name(items_.front());
  for (const FolderWalk::Item& item : items_) {
    const std::string_view other = name(item);
    const auto differ = std::mismatch(shared.begin(), shared.end(), other.begin(), other.end()).first;
    shared = shared.substr(0, static_cast<std::size_t>(differ - shared.begin()));
  }
  keys_.clear();
  keys_.reserve(items_.size());
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    const bool is_folder = items_[i].kind == FolderWalk::Kind::folder;
    keys_.push_back({head_of(name(items_[i]).substr(shared.size()), is_folder), i});
  }
  std::sort(keys_.begin(), keys_.end(), [&](const Key& a, const Key& b) {
    if (a.head != b.head) return a.head < b.head;
    return FolderWalk::before(name(items_[a.item]), items_[a.item].kind, name(items_[b.item]), items_[b.item].kind);
  });
  folder.names.reserve(names_.size() - items_.size());
  folder.items.reserve(items_.size());
  for (const Key& key : keys_) {
    FolderWalk::Item item = items_[key.item];
    const std::string_view text = name(item);
    item.name_begin = static_cast<std::uint32_t>(folder.names.size());
    folder.names += text;
    folder.items.push_back(item);
  }
  fd_.reset();
}

}  // namespace trainyard
