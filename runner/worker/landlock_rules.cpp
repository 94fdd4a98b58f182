// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/landlock_rules.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runner/worker/system_refusal.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

namespace {

// Debian's header is that of Linux 6.1; these came later.
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14U;     // version 3
constexpr std::uint64_t kDeviceCalls = std::uint64_t{1} << 15U;  // version 5
constexpr std::uint64_t kScopes = 3;                             // version 6: abstract sockets, signals

struct RulesetAttributes {
  std::uint64_t file_rights = 0;
  std::uint64_t network_rights = 0;
  std::uint64_t scopes = 0;
};

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kUseFile =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate | kDeviceCalls;

std::uint64_t all_rights(int version) {
  std::uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;  // version 1
  if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rights |= kTruncate;
  if (version >= 5) rights |= kDeviceCalls;
  return rights;
}

class Ruleset {
 public:
  static Result<Ruleset> make(int version) {
    const RulesetAttributes attributes{all_rights(version), 0, version >= 6 ? kScopes : 0};
    const std::size_t size = version >= 6   ? sizeof(attributes)
                             : version >= 4 ? 2 * sizeof(std::uint64_t)
                                            : sizeof(std::uint64_t);
    UniqueFd fd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
    if (!fd) return refused_by_system("make Landlock rules");
    return Ruleset(std::move(fd), attributes.file_rights);
  }

  Result<void> allow(int fd, std::uint64_t rights) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return refused_by_system("look at what a Landlock rule is for");
    // A file has no entries; the kernel refuses rights that mean nothing.
    if (!S_ISDIR(status.st_mode)) rights &= kReadFile | kUseFile;
    const landlock_path_beneath_attr rule{rights & handled_, fd};
    if (::syscall(SYS_landlock_add_rule, fd_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
      return refused_by_system("add a Landlock rule");
    return {};
  }

  Result<void> allow(const std::vector<std::string>& paths, std::uint64_t rights) {
    for (const std::string& path : paths) {
      const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
      if (!fd && (errno == ENOENT || errno == ENOTDIR)) continue;
      if (!fd) return system_error("open", path, errno);
      TRY(allow(fd.get(), rights));
    }
    return {};
  }

  Result<void> enforce() {
    if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0) return refused_by_system("keep to Landlock rules");
    return {};
  }

 private:
  Ruleset(UniqueFd fd, std::uint64_t handled) : fd_(std::move(fd)), handled_(handled) {}

  UniqueFd fd_;
  std::uint64_t handled_;
};

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<void> hold_to(const LandlockRules& rules) {
  const int version = landlock_version();
  Ruleset ruleset = TRY(Ruleset::make(version));
  TRY(ruleset.allow(rules.readable, kRead));
  TRY(ruleset.allow(rules.listable, LANDLOCK_ACCESS_FS_READ_DIR));
  TRY(ruleset.allow(rules.writable, all_rights(version)));
  TRY(ruleset.allow(rules.devices, kUseFile));
  for (const int program : rules.executable) TRY(ruleset.allow(program, kReadFile));
  return ruleset.enforce();
}

}  // namespace trainyard
