// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/private_root.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <set>

#include "runner/worker/system_refusal.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

namespace {

constexpr const char* kPrograms[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt"};
// Names and keys that are nobody's secret. With a network of the host, those that find other machines are of use.
constexpr const char* kEtc[] = {"/etc/alternatives", "/etc/ca-certificates", "/etc/fonts",     "/etc/group",
                                "/etc/gai.conf",     "/etc/hostname",        "/etc/hosts",     "/etc/ld.so.cache",
                                "/etc/ld.so.conf",   "/etc/ld.so.conf.d",    "/etc/localtime", "/etc/magic",
                                "/etc/mime.types",   "/etc/nsswitch.conf",   "/etc/OpenCL",    "/etc/passwd",
                                "/etc/pki",          "/etc/protocols",       "/etc/python3",   "/etc/python3.11",
                                "/etc/resolv.conf",  "/etc/services",        "/etc/ssl/certs", "/etc/ssl/openssl.cnf",
                                "/etc/timezone",     "/etc/vulkan"};
constexpr const char* kProcessors = "/sys/devices/system";
// What root could change of the kernel by files that belong to it, whatever its privileges, and read of it.
constexpr const char* kSettings[] = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus",
                                     "/proc/fs",  "/proc/mtrr"};
constexpr const char* kHidden[] = {"/proc/kcore", "/proc/keys", "/proc/kmsg", "/proc/timer_list", "/proc/sched_debug"};
constexpr const char* kDevices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

enum class Access : std::uint64_t { read = MOUNT_ATTR_RDONLY, write = 0 };

class PrivateRoot {
 public:
  explicit PrivateRoot(Path root) : root_(std::move(root)) {}

  Result<void> begin() const {
    // Small: it holds folders, links and the places of mounts.
    if (::mount("tmpfs", root_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=16m") != 0)
      return refused_by_system("mount a file system in memory");
    return {};
  }

  // The same path inside as outside, unless another one is given. What is not there is left out.
  Result<void> show(const std::string& path, Access access, std::uint64_t more = MOUNT_ATTR_NODEV) const {
    return show_as(path, path, access, more);
  }

  Result<void> show_as(const std::string& source, const std::string& shown, Access access,
                       std::uint64_t more = MOUNT_ATTR_NODEV) const {
    struct stat status {};
    if (::stat(source.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) return {};
      return system_error("look at", source, errno);
    }
    const Path target = inside(shown);
    TRY(make_folders(target.parent_path()));
    if (S_ISDIR(status.st_mode)) {
      TRY(make_folders(target));
    } else if (!is_there(target)) {
      TRY(open_file(target, O_WRONLY | O_CREAT, 0444));
    }
    // With all that is mounted below: the kernel does not let an ordinary user look behind a mount.
    if (::mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
      return refused_by_system("show '" + source + "' to the job");
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_NOSUID | static_cast<std::uint64_t>(access) | more;
    if (::mount_setattr(AT_FDCWD, target.c_str(), AT_RECURSIVE, &attributes, sizeof(attributes)) != 0)
      return refused_by_system("show '" + source + "' to the job read-only");
    return {};
  }

  // In its place there is an empty file.
  Result<void> hide(const std::string& path) const {
    if (!is_there(inside(path))) return {};
    return show_as("/dev/null", path, Access::read, 0);
  }

  // A folder of the system, or the link that it is on systems where all of them lie in /usr.
  Result<void> show_program_folder(const std::string& path) const {
    std::array<char, PATH_MAX> link{};
    if (::readlink(path.c_str(), link.data(), link.size() - 1) < 0) return show(path, Access::read);
    return link_to(link.data(), path);
  }

  Result<void> link_to(const std::string& target, const std::string& shown) const {
    const Path place = inside(shown);
    TRY(make_folders(place.parent_path()));
    if (::symlink(target.c_str(), place.c_str()) != 0) return system_error("make the link", shown, errno);
    return {};
  }

  Result<void> mount_new(const char* kind, const std::string& shown, unsigned long flags,
                         const std::string& options) const {
    const Path target = inside(shown);
    TRY(make_folders(target));
    if (::mount(kind, target.c_str(), kind, MS_NOSUID | flags, options.c_str()) != 0)
      return refused_by_system("mount " + shown + " for the job");
    return {};
  }

  // Nothing more is made in what is mounted there; what is mounted below stays as it is.
  Result<void> close(const std::string& shown) const {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::mount_setattr(AT_FDCWD, inside(shown).c_str(), 0, &attributes, sizeof(attributes)) != 0)
      return refused_by_system("make '" + shown + "' read-only for the job");
    return {};
  }

  // What is there already stays, and is not written to any more.
  Result<void> close_below(const std::string& path) const {
    const std::string there = inside(path).string();
    return is_there(there) ? show_as(there, path, Access::read) : Result<void>();
  }

  Result<void> enter() const {
    if (::chdir(root_.c_str()) != 0) return refused_by_system("enter the job's file system");
    // Both names may be the same: the old root then lies on top of the new one, and is taken off.
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return refused_by_system("make the job's file system the only one");
    if (::umount2(".", MNT_DETACH) != 0) return refused_by_system("leave the machine's file system");
    if (::chdir("/") != 0) return refused_by_system("enter the job's file system");
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::mount_setattr(AT_FDCWD, "/", 0, &attributes, sizeof(attributes)) != 0)
      return refused_by_system("make the job's file system read-only");
    return {};
  }

 private:
  [[nodiscard]] Path inside(const std::string& shown) const { return Path(root_.string() + shown); }

  Path root_;
};

// The folders directly in /tmp below which something has to be shown.
std::set<std::string> needed_below_tmp(const Sandbox& sandbox, const JobFolder& folder) {
  constexpr std::string_view kTmp = "/tmp/";
  std::set<std::string> folders;
  std::vector<std::string> shown = sandbox.readable;
  shown.insert(shown.end(), sandbox.writable.begin(), sandbox.writable.end());
  shown.push_back(folder.channel_job().string());
  for (const std::string& path : shown) {
    if (path.starts_with(kTmp)) folders.insert(path.substr(0, path.find('/', kTmp.size())));
  }
  return folders;
}

Result<void> make_devices(const PrivateRoot& root, const Sandbox& sandbox, const JobLimits& limits) {
  // Read-only: a device is written to all the same, but its modes and its owner are the machine's.
  for (const char* const device : kDevices) TRY(root.show(device, Access::read, 0));
  for (const std::string& device : sandbox.devices) TRY(root.show(device, Access::read, 0));
  TRY(root.link_to("/proc/self/fd", "/dev/fd"));
  TRY(root.link_to("/proc/self/fd/0", "/dev/stdin"));
  TRY(root.link_to("/proc/self/fd/1", "/dev/stdout"));
  TRY(root.link_to("/proc/self/fd/2", "/dev/stderr"));
  // Shared memory is memory.
  const std::string size = limits.memory_bytes ? std::to_string(*limits.memory_bytes) : "25%";
  return root.mount_new("tmpfs", "/dev/shm", MS_NODEV | MS_NOEXEC, "mode=1777,size=" + size);
}

}  // namespace

std::vector<std::string> readable_of_the_system() {
  std::vector<std::string> paths(std::begin(kPrograms), std::end(kPrograms));
  paths.insert(paths.end(), std::begin(kEtc), std::end(kEtc));
  paths.emplace_back(kProcessors);
  return paths;
}

std::vector<std::string> plain_devices() { return {std::begin(kDevices), std::end(kDevices)}; }

Result<void> enter_private_root(const Sandbox& sandbox, const JobLimits& limits, const JobFolder& folder, Proc proc) {
  const PrivateRoot root(folder.root());
  TRY(root.begin());
  for (const char* const path : kPrograms) TRY(root.show_program_folder(path));
  for (const char* const path : kEtc) TRY(root.show(path, Access::read));
  // What tells of devices is needed where there are any.
  TRY(root.show(sandbox.devices.empty() ? kProcessors : "/sys", Access::read));
  TRY(make_devices(root, sandbox, limits));
  if (proc == Proc::fresh) {
    const auto mounted = root.mount_new("proc", "/proc", MS_NODEV | MS_NOEXEC, "");
    if (!mounted.ok()) return fail(Errc::incompatible, mounted.error().message);
  } else {
    TRY(root.show("/proc", Access::write));
  }
  for (const char* const path : kSettings) TRY(root.close_below(path));
  for (const char* const path : kHidden) TRY(root.hide(path));
  const std::set<std::string> below = needed_below_tmp(sandbox, folder);
  if (!sandbox.temporary.empty()) {
    TRY(root.show_as(sandbox.temporary, "/tmp", Access::write));
    TRY(root.link_to("/tmp", "/var/tmp"));
    // A store in /tmp would leave the folders above a run in the temporary folder, and there to be written to.
    for (const std::string& path : below) TRY(root.mount_new("tmpfs", path, MS_NODEV, "mode=0755,size=1m"));
  }
  std::vector<std::string> readable = sandbox.readable;
  std::sort(readable.begin(), readable.end());
  for (const std::string& path : readable) TRY(root.show(path, Access::read));
  TRY(root.show(folder.channel_job().string(), Access::read));
  // A fifo is no less written to for that, but stays what and where it is.
  TRY(root.show(folder.channel_events().string(), Access::read));
  for (const std::string& path : sandbox.writable) TRY(root.show(path, Access::write));
  if (!sandbox.temporary.empty()) {
    for (const std::string& path : below) TRY(root.close(path));
  }
  return root.enter();
}

}  // namespace trainyard
