// SPDX-License-Identifier: Apache-2.0
#include "storage/files/folder_look.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdint>

namespace trainyard {

namespace {

// A folder's time can be as coarse as this; what changes within it after we looked may leave the same time.
constexpr std::int64_t kRacyMicroseconds = 2'000'000;

std::int64_t now_microseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace

Result<std::string> folder_look(const Path& folder) {
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) return system_error("look at", folder, errno);
  const std::int64_t changed = std::int64_t{status.st_mtim.tv_sec} * 1'000'000 + status.st_mtim.tv_nsec / 1000;
  if (now_microseconds() - changed < kRacyMicroseconds) return std::string();
  return std::to_string(status.st_dev) + " " + std::to_string(status.st_ino) + " " + std::to_string(changed) + " " +
         std::to_string(status.st_ctim.tv_sec) + "." + std::to_string(status.st_ctim.tv_nsec);
}

}  // namespace trainyard
