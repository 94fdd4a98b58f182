// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fingerprint.hpp"

#include <functional>
#include <stdexcept>

#include "storage/values/sha256.hpp"
#include "tests/support/required.hpp"

namespace trainyard {

namespace {

void walk(const Path& folder, const std::string& relative,
          const std::function<void(const std::string&, const Path&, const struct stat&)>& see) {
  const auto status = required(status_of(folder));
  if (!status) throw std::runtime_error("'" + folder.string() + "' is gone");
  see(relative.empty() ? "." : relative, folder, *status);
  if (!S_ISDIR(status->st_mode)) return;
  for (const std::string& name : required(list_folder(folder)))
    walk(folder / name, relative.empty() ? name : relative + "/" + name, see);
}

std::string bytes_of(const Path& file) { return required(read_file(file, SIZE_MAX / 4)); }

}  // namespace

Fingerprint fingerprint(const Path& folder) {
  Fingerprint seen;
  walk(folder, "", [&](const std::string& name, const Path& path, const struct stat& status) {
    seen[name] = "mode " + std::to_string(status.st_mode) + " owner " + std::to_string(status.st_uid) + ":" +
                 std::to_string(status.st_gid) + " changed " + std::to_string(status.st_mtim.tv_sec) + "." +
                 std::to_string(status.st_mtim.tv_nsec);
    if (S_ISREG(status.st_mode)) seen[name] += " bytes " + sha256(bytes_of(path)).hex();
  });
  return seen;
}

std::string difference(const Fingerprint& before, const Fingerprint& after) {
  std::string lines;
  for (const auto& [name, print] : before) {
    const auto now = after.find(name);
    if (now == after.end()) {
      lines += "gone: " + name + "\n";
    } else if (now->second != print) {
      lines += "changed: " + name + "\n  from " + print + "\n  to   " + now->second + "\n";
    }
  }
  for (const auto& [name, print] : after) {
    if (before.count(name) == 0) lines += "new: " + name + "\n";
  }
  return lines;
}

std::map<std::string, std::string> contents(const Path& folder) {
  std::map<std::string, std::string> files;
  walk(folder, "", [&](const std::string& name, const Path& path, const struct stat& status) {
    if (!S_ISDIR(status.st_mode)) files[name] = bytes_of(path);
  });
  return files;
}

}  // namespace trainyard
