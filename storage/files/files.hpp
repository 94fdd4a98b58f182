// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <boost/filesystem/path.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/unique_fd.hpp"
#include "storage/values/result.hpp"

// The operating system's files, with errors that name the path. What needs `openat`, `link`, `fsync` of a folder or a
// refusal to follow links is done by system call, because Boost.Filesystem has none of them; the rest is Boost's. No
// rule of the product lives here.
namespace trainyard {

using Path = boost::filesystem::path;

// "cannot open '/x': Permission denied". ENOENT becomes not_found, EEXIST exists, ENOSPC and EDQUOT unavailable,
// anything else io.
Error system_error(std::string_view action, const Path& path, int error_number);

Result<UniqueFd> open_file(const Path& path, int flags, unsigned mode = 0);
// Opens relative to a folder; never follows a link in the last name. `shown` is the path for errors.
Result<UniqueFd> open_at(int folder, const char* name, int flags, const Path& shown, unsigned mode = 0);

// All of the file. `invalid` when it is larger than `most` bytes.
Result<std::string> read_file(const Path& path, std::size_t most);
Result<void> write_all(int fd, std::string_view bytes, const Path& shown);
// Up to bytes.size() bytes; fewer only at the end of the file.
Result<std::size_t> read_some(int fd, std::span<std::byte> bytes, const Path& shown);
// What one call of the system gives; of a regular file, fewer bytes than asked for mean its end.
Result<std::size_t> read_once(int fd, std::span<std::byte> bytes, const Path& shown);

// Creates the folder and those above it; one that exists is fine.
Result<void> make_folders(const Path& path);
// Creates one folder that must not exist.
Result<void> make_folder(const Path& path, unsigned mode = 0777);
// Removes the tree at `path` without following links, read-only folders included; nothing there is fine.
Result<void> remove_tree(const Path& path);
Result<void> remove_file(const Path& path);
// The names in a folder, sorted by bytes, without "." and "..".
Result<std::vector<std::string>> list_folder(const Path& path);
// What is at the path itself (a link is a link), or none.
Result<std::optional<struct stat>> status_of(const Path& path);
bool is_there(const Path& path);
bool is_folder(const Path& path);
// The same place without '.', '..' and links, and beginning with '/'. `not_found` when it is not there.
Result<Path> real_path(const Path& path);
// Beginning with '/'; the path need not exist.
Result<Path> absolute_path(const Path& path);

Result<void> sync_file(int fd, const Path& shown);
Result<void> sync_folder(const Path& path);

enum class Durable { no, yes };

// Writes `bytes` to a temporary file in `scratch` (same file system) and links it to `path`: the file appears whole or
// not at all, and never replaces another, which is `exists`. With Durable::yes it survives a power cut once this
// returns.
Result<void> publish_file(const Path& scratch, const Path& path, std::string_view bytes, unsigned mode,
                          Durable durable);
// The same, but an existing file is replaced.
Result<void> replace_file(const Path& scratch, const Path& path, std::string_view bytes, unsigned mode,
                          Durable durable);
// One writer at a time. What a full disk or a power cut left of a line before is cut off first, so that lines never run
// together. With Durable::yes all of the file survives a power cut once this returns.
Result<void> append_line(const Path& path, std::string_view line, Durable durable);
Result<void> rename_path(const Path& from, const Path& to);

// A fresh name in `folder`, unique on this machine over processes and threads and across restarts.
Path scratch_name(const Path& folder, std::string_view prefix);

// Fills with bytes of the kernel's random source.
void fill_random(std::span<std::uint8_t> bytes);

// Holds an exclusive flock on a file for as long as it lives; the kernel releases it when the process ends in any way.
class FileLock {
 public:
  // None when somebody else holds it. Creates the file if it is not there.
  static Result<std::optional<FileLock>> try_lock(const Path& path);
  // Waits until nobody else holds it. The file is never removed.
  static Result<FileLock> wait(const Path& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace trainyard
