// SPDX-License-Identifier: Apache-2.0
#include "storage/archives/archive_content.hpp"

#include <algorithm>
#include <utility>

#include "storage/archives/archive_file.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

// Up to here a file is collected and put at once, beyond it is written piece by piece.
constexpr std::uint64_t kSmallFile = std::uint64_t{1} << 20U;
constexpr std::size_t kZerosSize = std::size_t{64} << 10U;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string quoted(std::string_view name) {
  constexpr std::size_t kShownCharacters = 200;
  return "'" + printable(utf8_prefix(name, kShownCharacters)) + "'";
}

// `path` is the name without what does not count.
Result<void> check_parts(std::string_view name, std::string_view path) {
  std::size_t parts = 0;
  for (std::size_t begin = 0; begin <= path.size(); ++parts) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part.empty()) return refused_archive_entry(name, "has an empty part in its name");
    if (part == ".") return refused_archive_entry(name, "has '.' as a part of its name");
    if (part == "..") {
      return refused_archive_entry(name, "has '..' as a part of its name, so it could leave its folder");
    }
    if (part.size() > RelPath::kMaxNameBytes) {
      return refused_archive_entry(name, "has a part longer than 255 bytes in its name");
    }
    begin = end + 1;
  }
  if (path.size() > RelPath::kMaxBytes) return refused_archive_entry(name, "has a name longer than 4096 bytes");
  if (parts > limits::kFolderDepth) {
    return refused_archive_entry(name, "lies more than " + std::to_string(limits::kFolderDepth) + " folders deep");
  }
  return {};
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

Error refused_archive_entry(std::string_view name, std::string_view rule) {
  return fail(Errc::invalid, "the entry " + quoted(name) + " " + std::string(rule));
}

ArchiveContent::ArchiveContent(ObjectStore& objects, ArchiveNames names, std::uint64_t archive_bytes,
                               unsigned more_threads)
    : objects_(objects), style_(names), archive_bytes_(archive_bytes), pool_(more_threads), puts_(pool_) {}

ArchiveContent::~ArchiveContent() = default;

// Yields the path, which is empty for the folder that the archive was made in. A view into the name.
Result<std::string_view> ArchiveContent::judged(std::string_view name) const {
  if (name.empty()) return refused_archive_entry(name, "has an empty name");
  if (name.find('\0') != std::string_view::npos) return refused_archive_entry(name, "has a NUL byte in its name");
  if (name.front() == '/') return refused_archive_entry(name, "has an absolute name");
  if (style_ == ArchiveNames::zip) {
    if (name.find('\\') != std::string_view::npos) {
      return refused_archive_entry(name, "has a backslash in its name; folders are separated by '/'");
    }
    if (name.size() > 1 && name[1] == ':' && is_letter(name[0])) {
      return refused_archive_entry(name, "has a drive letter in its name");
    }
  }
  std::string_view path = name;
  if (path.starts_with("./")) path.remove_prefix(2);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty() || path == ".") return std::string_view();
  TRY(check_parts(name, path));
  return path;
}

Result<ArchiveContent::Entry*> ArchiveContent::add(std::string_view path, Kind kind) {
  if (const auto failed = failure()) return *failed;
  if (entries_.size() == limits::kArchiveEntries) {
    return refused_archive_entry(
        path, "is one too many: more than " + std::to_string(limits::kArchiveEntries) + " files and folders");
  }
  if (names_.size() + path.size() > limits::kArchiveNameBytes) {
    return refused_archive_entry(
        path, "has one name too many: more than " + std::to_string(limits::kArchiveNameBytes >> 30U) + " GiB of names");
  }
  Entry& entry = entries_.emplace_back();
  entry.kind = kind;
  entry.name_begin = names_.size();
  entry.name_bytes = static_cast<std::uint16_t>(path.size());
  names_ += path;
  return &entry;
}

Result<void> ArchiveContent::add_folder(std::string_view name) {
  const std::string_view path = TRY(judged(name));
  if (path.empty()) return {};
  TRY(add(path, Kind::folder));
  return {};
}

Result<void> ArchiveContent::begin_file(std::string_view name, std::uint64_t size, bool executable) {
  const std::string_view path = TRY(judged(name));
  if (path.empty() || name.ends_with('/')) return refused_archive_entry(name, "is a file with the name of a folder");
  if (size > limits::kArchiveTotalBytes) {
    return refused_archive_entry(
        name, "is larger than " + std::to_string(limits::kArchiveTotalBytes >> 40U) + " TiB by what it says");
  }
  TRY(check_unpacked(total_ + size, archive_bytes_));
  total_ += size;
  file_ = TRY(add(path, Kind::file));
  file_->size = size;
  file_->executable = executable;
  got_ = 0;
  if (size > kSmallFile) {
    large_ = objects_.writer(Cut::coarse);
  } else {
    small_.reserve(static_cast<std::size_t>(size));
  }
  return {};
}

Result<void> ArchiveContent::bytes(std::string_view piece) {
  if (piece.size() > file_->size - got_) {
    return refused_archive_entry(path_of(*file_), "holds more bytes than it says");
  }
  got_ += piece.size();
  if (large_) return large_->write(piece);
  small_ += piece;
  return {};
}

Result<void> ArchiveContent::hole(std::uint64_t count) {
  static constexpr char kZeros[kZerosSize] = {};
  while (count > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, kZerosSize));
    TRY(bytes(std::string_view(kZeros, part)));
    count -= part;
  }
  return {};
}

Result<void> ArchiveContent::end_file() {
  Entry& entry = *std::exchange(file_, nullptr);
  if (got_ < entry.size) return refused_archive_entry(path_of(entry), "holds fewer bytes than it says");
  if (!large_) return put_later(entry, std::exchange(small_, std::string()));
  const std::unique_ptr<ObjectWriter> writer = std::move(large_);
  entry.digest = TRY(writer->finish()).digest.bytes();
  return {};
}

Result<void> ArchiveContent::put_later(Entry& entry, std::string bytes) {
  puts_.give([this, &entry, bytes = std::move(bytes)] {
    const auto put = objects_.put(bytes);
    if (put.ok()) {
      entry.digest = put->bytes();
    } else {
      remember(put.error());
    }
  });
  return {};
}

void ArchiveContent::remember(Error error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
}

std::optional<Error> ArchiveContent::failure() {
  const std::lock_guard lock(mutex_);
  return error_;
}

Result<void> ArchiveContent::add_hard_link(std::string_view name, std::string_view target) {
  const std::string_view path = TRY(judged(name));
  const auto to = judged(target);
  if (path.empty() || !to.ok() || to->empty()) {
    return refused_archive_entry(name, "is a hard link to " + quoted(target) + ", which is no file before it");
  }
  Entry& link = *TRY(add(path, Kind::link));
  link.target_begin = names_.size();
  link.target_bytes = static_cast<std::uint16_t>(to->size());
  names_ += *to;
  return {};
}

std::size_t ArchiveContent::lower_bound(std::string_view path) const {
  const auto found = std::lower_bound(
      order_.begin(), order_.end(), path,
      [this](std::uint32_t index, std::string_view wanted) { return path_of(entries_[index]) < wanted; });
  return static_cast<std::size_t>(found - order_.begin());
}

const ArchiveContent::Entry* ArchiveContent::find(std::string_view path) const {
  const std::size_t at = lower_bound(path);
  if (at == order_.size()) return nullptr;
  const Entry& entry = entries_[order_[at]];
  return path_of(entry) == path ? &entry : nullptr;
}

Result<void> ArchiveContent::sort() {
  order_.resize(entries_.size());
  for (std::uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
  std::sort(order_.begin(), order_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int compared = path_of(entries_[a]).compare(path_of(entries_[b]));
    return compared != 0 ? compared < 0 : a < b;
  });
  std::size_t kept = 0;
  for (const std::uint32_t index : order_) {
    if (kept > 0) {
      const Entry& before = entries_[order_[kept - 1]];
      const Entry& entry = entries_[index];
      if (path_of(before) == path_of(entry)) {
        const bool folder = entry.kind == Kind::folder;
        if (folder != (before.kind == Kind::folder)) {
          return refused_archive_entry(path_of(entry), "is both a file and a folder");
        }
        if (!folder) return refused_archive_entry(path_of(entry), "occurs twice");
        continue;
      }
    }
    order_[kept++] = index;
  }
  order_.resize(kept);
  return {};
}

// REQUIRES: sorted
Result<void> ArchiveContent::check_folders() const {
  std::string_view checked;
  for (const std::uint32_t index : order_) {
    const std::string_view path = path_of(entries_[index]);
    for (std::string_view folder = folder_of(path); !folder.empty() && folder != checked; folder = folder_of(folder)) {
      const Entry* const above = find(folder);
      if (above != nullptr && above->kind != Kind::folder) {
        return refused_archive_entry(path, "lies in " + quoted(folder) + ", which is both a file and a folder");
      }
    }
    checked = folder_of(path);
  }
  return {};
}

// In the order of the archive, so that a link's target is known by then. REQUIRES: sorted
Result<void> ArchiveContent::resolve_links() {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& link = entries_[i];
    if (link.kind != Kind::link) continue;
    const std::string_view target = std::string_view(names_).substr(link.target_begin, link.target_bytes);
    const std::size_t at = lower_bound(target);
    const bool known = at < order_.size() && path_of(entries_[order_[at]]) == target;
    if (!known || order_[at] >= i || entries_[order_[at]].kind != Kind::file) {
      return refused_archive_entry(path_of(link),
                                   "is a hard link to " + quoted(target) + ", which is no file before it");
    }
    const Entry& file = entries_[order_[at]];
    TRY(check_unpacked(total_ + file.size, archive_bytes_));
    total_ += file.size;
    link.digest = file.digest;
    link.size = file.size;
    link.executable = file.executable;
    link.kind = Kind::file;
  }
  return {};
}

// REQUIRES: sorted, and no links are left
Result<Tree> ArchiveContent::build() const {
  TreeBuilder builder;
  builder.reserve(names_.size());
  std::string_view last;
  std::uint32_t number = builder.folder("");
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const Entry& entry = entries_[order_[i]];
    const std::string_view path = path_of(entry);
    if (entry.kind == Kind::folder) {
      const std::string inside = std::string(path) + "/";
      const std::size_t first = lower_bound(inside);
      if (first < order_.size() && path_of(entries_[order_[first]]).starts_with(inside)) continue;
    }
    const std::string_view folder = folder_of(path);
    if (folder != last) {
      number = builder.folder(folder);
      last = folder;
    }
    const std::string_view name = path.substr(folder.empty() ? 0 : folder.size() + 1);
    if (entry.kind == Kind::folder) {
      builder.add_empty_folder(number, name);
    } else {
      builder.set_digest(builder.add_file(number, name, entry.size, entry.executable), Digest(entry.digest));
    }
  }
  return std::move(builder).finish();
}

Result<Tree> ArchiveContent::tree() && {
  puts_.wait();
  if (auto failed = failure()) return std::move(*failed);
  TRY(sort());
  TRY(check_folders());
  TRY(resolve_links());
  return build();
}

}  // namespace trainyard
