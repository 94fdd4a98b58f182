// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/dataset_folder.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace trainyard {

namespace {

constexpr std::size_t kMountTableBytes = std::size_t{64} << 20U;

// The kernel writes space, tab, newline and backslash in its mount table as three octal digits.
std::string unescaped(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      bytes += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      bytes += text[i];
    }
  }
  return bytes;
}

// The fifth field of a line of /proc/self/mountinfo (proc(5)).
std::string mount_point_of(std::string_view line) {
  for (int field = 0; field < 4; ++field) {
    line.remove_prefix(std::min(line.size(), std::min(line.size(), line.find(' ')) + 1));
  }
  return unescaped(line.substr(0, line.find(' ')));
}

}  // namespace

Result<Path> resolve_dataset(const Path& dataset) {
  struct stat status {};
  if (::stat(dataset.c_str(), &status) != 0) {
    if (errno == ENOENT) return fail(Errc::not_found, "there is no dataset '" + dataset.string() + "'");
    if (errno != ENOTDIR) return system_error("look at the dataset", dataset, errno);
    status.st_mode = S_IFREG;  // a file where the path has a folder
  }
  if (!S_ISDIR(status.st_mode)) return fail(Errc::invalid, "the dataset '" + dataset.string() + "' is not a folder");
  Path resolved = TRY(real_path(dataset));
  TRY(open_file(resolved, O_RDONLY | O_DIRECTORY));
  return resolved;
}

Result<void> require_outside(const Path& dataset, const Path& folder) {
  struct stat outer {};
  if (::stat(dataset.c_str(), &outer) != 0) return system_error("look at", dataset, errno);
  const Path resolved = TRY(real_path(folder));
  // By identity, not by name: the same folder can have two paths.
  for (Path above = resolved; !above.empty(); above = above.parent_path()) {
    struct stat status {};
    if (::stat(above.c_str(), &status) != 0) return system_error("look at", above, errno);
    if (status.st_dev == outer.st_dev && status.st_ino == outer.st_ino) {
      return fail(Errc::invalid, "the dataset '" + dataset.string() + "' contains the run's own folder '" +
                                     resolved.string() + "'; choose a dataset outside of the store");
    }
  }
  return {};
}

Result<std::optional<Path>> mounted_below(const Path& folder) {
  const std::string table = TRY(read_file("/proc/self/mountinfo", kMountTableBytes));
  const std::string prefix = folder == "/" ? "/" : folder.string() + "/";
  std::string_view rest = table;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string point = mount_point_of(line);
    if (point.size() > prefix.size() && point.starts_with(prefix)) return std::optional<Path>(point);
  }
  return std::optional<Path>();
}

}  // namespace trainyard
