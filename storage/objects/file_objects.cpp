// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/file_objects.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <set>
#include <vector>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// Files up to this size are hashed in memory and written only when they are new.
constexpr std::size_t kBuffer = std::size_t{1} << 20U;
// From this many new objects on, one sync of the file system is cheaper than one of each file.
constexpr std::size_t kManyFiles = 64;

// One buffer per thread: a fresh megabyte for every small file would cost more than hashing it.
std::span<std::byte> buffer() {
  thread_local std::vector<std::byte> bytes(kBuffer);
  return bytes;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<Path> write_temporary(const Path& scratch, std::string_view bytes, int rest, const Path& shown, Sha256& hash,
                             std::uint64_t& size) {
  const Path temporary = scratch_name(scratch, "object");
  const UniqueFd out = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0444));
  auto written = write_all(out.get(), bytes, temporary);
  hash.update(bytes);
  size = bytes.size();
  while (written.ok() && rest >= 0) {
    const auto got = read_some(rest, buffer(), shown);
    if (!got.ok()) written = got.error();
    if (!got.ok() || *got == 0) break;
    const std::string_view part = text_of(buffer().first(*got));
    hash.update(part);
    size += *got;
    written = write_all(out.get(), part, temporary);
  }
  if (written.ok()) return temporary;
  static_cast<void>(remove_file(temporary));
  return written.error();
}

Error corrupt_object(const Digest& digest, const Path& path) {
  return fail(Errc::corrupt,
              "the object " + digest.hex() + " is corrupt: the bytes of '" + path.string() + "' have another digest");
}

}  // namespace

Result<StoredObject> hash_file(int fd, const Path& shown) {
  thread_local Sha256 hash;
  std::uint64_t size = 0;
  for (;;) {
    const auto got = read_some(fd, buffer(), shown);
    if (!got.ok()) {
      static_cast<void>(hash.finish());
      return got.error();
    }
    hash.update(buffer().first(*got));
    size += *got;
    if (*got < buffer().size()) return StoredObject{hash.finish(), size};
  }
}

FileObjects::~FileObjects() {
  for (const auto& [digest, temporary] : waiting_) static_cast<void>(remove_file(temporary));
}

Path FileObjects::path_of(const Digest& digest) const {
  const std::string hex = digest.hex();
  return root_ / hex.substr(0, 2) / hex.substr(2);
}

Result<bool> FileObjects::has(const Digest& digest) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.contains(digest)) return true;
  }
  return is_there(path_of(digest));
}

Result<void> FileObjects::keep(const Digest& digest, const Path& temporary) {
  const std::lock_guard lock(mutex_);
  if (!waiting_.emplace(digest, temporary).second) return remove_file(temporary);
  return {};
}

Result<Digest> FileObjects::put(std::string_view bytes) {
  const Digest digest = sha256(bytes);
  if (TRY(has(digest))) return digest;
  Sha256 hash;
  std::uint64_t size = 0;
  TRY(keep(digest, TRY(write_temporary(scratch_, bytes, -1, root_, hash, size))));
  return digest;
}

Result<StoredObject> FileObjects::put_file(int fd, const Path& shown) {
  const std::size_t got = TRY(read_some(fd, buffer(), shown));
  const std::string_view head = text_of(buffer().first(got));
  if (got < kBuffer) return StoredObject{TRY(put(head)), got};
  return put_large(fd, shown, std::string(head));
}

Result<StoredObject> FileObjects::put_large(int fd, const Path& shown, std::string_view head) {
  Sha256 hash;
  std::uint64_t size = 0;
  const Path temporary = TRY(write_temporary(scratch_, head, fd, shown, hash, size));
  const Digest digest = hash.finish();
  if (is_there(path_of(digest))) {
    TRY(remove_file(temporary));
  } else {
    TRY(keep(digest, temporary));
  }
  return StoredObject{digest, size};
}

Result<UniqueFd> FileObjects::open(const Digest& digest) {
  Path path = path_of(digest);
  {
    const std::lock_guard lock(mutex_);
    const auto waiting = waiting_.find(digest);
    if (waiting != waiting_.end()) path = waiting->second;
  }
  auto fd = open_file(path, O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) {
    return fail(Errc::not_found, "the store has no object " + digest.hex());
  }
  return fd;
}

Result<std::string> FileObjects::read(const Digest& digest, std::size_t most) {
  const UniqueFd fd = TRY(open(digest));
  std::string bytes;
  for (;;) {
    const std::size_t got = TRY(read_some(fd.get(), buffer(), path_of(digest)));
    if (got > most - bytes.size())
      return fail(Errc::invalid, "the object " + digest.hex() + " is larger than " + std::to_string(most) + " bytes");
    bytes += text_of(buffer().first(got));
    if (got < kBuffer) break;
  }
  if (sha256(bytes) != digest) return corrupt_object(digest, path_of(digest));
  return bytes;
}

Result<std::uint64_t> FileObjects::copy_to(const Digest& digest, int fd, const Path& shown) {
  const UniqueFd from = TRY(open(digest));
  Sha256 hash;
  std::uint64_t size = 0;
  for (;;) {
    const std::size_t got = TRY(read_some(from.get(), buffer(), path_of(digest)));
    const std::string_view part = text_of(buffer().first(got));
    hash.update(part);
    size += got;
    TRY(write_all(fd, part, shown));
    if (got < kBuffer) break;
  }
  if (hash.finish() != digest) return corrupt_object(digest, path_of(digest));
  return size;
}

Result<void> FileObjects::sync() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return {};
  if (waiting_.size() >= kManyFiles) {
    const UniqueFd folder = TRY(open_file(scratch_, O_RDONLY | O_DIRECTORY));
    if (::syncfs(folder.get()) != 0) return system_error("sync the file system of", scratch_, errno);
  } else {
    for (const auto& [digest, temporary] : waiting_) {
      const UniqueFd fd = TRY(open_file(temporary, O_RDONLY));
      if (::fdatasync(fd.get()) != 0) return system_error("sync", temporary, errno);
    }
  }
  std::set<Path> folders;
  while (!waiting_.empty()) {
    const auto& [digest, temporary] = *waiting_.begin();
    const Path path = path_of(digest);
    if (!is_there(path.parent_path())) {
      const auto made = make_folder(path.parent_path());
      if (!made.ok() && made.error().code != Errc::exists) return made.error();
      folders.insert(root_);
    }
    TRY(rename_path(temporary, path));
    folders.insert(path.parent_path());
    waiting_.erase(waiting_.begin());
  }
  if (folders.size() >= kManyFiles) {
    const UniqueFd folder = TRY(open_file(root_, O_RDONLY | O_DIRECTORY));
    if (::syncfs(folder.get()) != 0) return system_error("sync the file system of", root_, errno);
    return {};
  }
  for (const Path& folder : folders) TRY(sync_folder(folder));
  return {};
}

}  // namespace trainyard
