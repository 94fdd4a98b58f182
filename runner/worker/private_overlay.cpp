// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/private_overlay.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "storage/files/files.hpp"

namespace trainyard {

namespace {

Error refused_overlay(const std::string& action, int error_number) {
  return fail(error_number == ENOSPC ? Errc::unavailable : Errc::io,
              "cannot " + action + ": " + std::strerror(error_number));
}

Result<void> write_process_file(const Path& path, const std::string& text) {
  const UniqueFd fd = TRY(open_file(path, O_WRONLY));
  return write_all(fd.get(), text, path);
}

// How the options name a folder: free of the characters that overlay options treat as special (',', ':', '\'), whatever
// its path is.
std::string option_path(const UniqueFd& folder) { return "/proc/self/fd/" + std::to_string(folder.get()); }

Result<void> mount_overlay(const OverlayMount& overlay, MappedIds ids) {
  const UniqueFd lower = TRY(open_file(overlay.lower, O_PATH | O_DIRECTORY));
  const UniqueFd upper = TRY(open_file(overlay.upper, O_PATH | O_DIRECTORY));
  const UniqueFd work = TRY(open_file(overlay.work, O_PATH | O_DIRECTORY));
  std::string options =
      "lowerdir=" + option_path(lower) + ",upperdir=" + option_path(upper) + ",workdir=" + option_path(work);
  // The features of overlays that outlive their mount are off, and so is syncing: the layer is thrown away.
  options += ",volatile,index=off,xino=off,metacopy=off";
  // The overlay keeps its own marks in trusted attributes, without which folders cannot be renamed; a user namespace
  // has only the user's.
  options += ids == MappedIds::all ? ",redirect_dir=on" : ",userxattr";
  if (::mount("overlay", overlay.target.c_str(), "overlay", MS_NODEV | MS_NOSUID, options.c_str()) != 0) {
    const int error = errno;
    const std::string hint = error == EINVAL ? " (the file system of the run's folder may not carry one)" : "";
    return refused_overlay("mount it" + hint, error);
  }
  struct statvfs mounted {};
  if (::statvfs(overlay.target.c_str(), &mounted) != 0) return refused_overlay("look at the mount", errno);
  // The kernel says yes to a layer that it cannot write, and mounts it read-only.
  if ((mounted.f_flag & ST_RDONLY) != 0) {
    const auto tried = make_folder(overlay.upper + "/room");
    if (!tried.ok() && tried.error().code == Errc::unavailable) return tried;
    return fail(Errc::io, "this user cannot write the layer '" + overlay.upper + "'");
  }
  return {};
}

}  // namespace

Result<void> map_own_ids(uid_t user, gid_t group) {
  // The kernel wants setgroups given up before a group can be mapped without privilege.
  TRY(write_process_file("/proc/self/setgroups", "deny"));
  TRY(write_process_file("/proc/self/uid_map", std::to_string(user) + " " + std::to_string(user) + " 1"));
  return write_process_file("/proc/self/gid_map", std::to_string(group) + " " + std::to_string(group) + " 1");
}

Result<void> make_mounts_private() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0) return {};
  return refused_overlay("make the mounts private", errno);
}

std::string_view name_of(MappedIds ids) { return ids == MappedIds::all ? "all" : "own"; }

MappedIds mapped_ids() {
  if (::geteuid() != 0) return MappedIds::own;
  const auto map = read_file("/proc/self/uid_map", 4096);
  // The map of the first namespace: "0 0 4294967295".
  return map.ok() && map->find("4294967295") != std::string::npos ? MappedIds::all : MappedIds::own;
}

Result<void> mount_overlays(const std::vector<OverlayMount>& overlays, MappedIds ids) {
  for (const OverlayMount& overlay : overlays) {
    auto mounted = make_folders(overlay.target);
    if (mounted.ok()) mounted = mount_overlay(overlay, ids);
    if (!mounted.ok())
      return within("cannot present the dataset '" + overlay.lower + "' as an overlay", mounted.error());
  }
  return {};
}

Result<void> enter_private_overlays(const std::vector<OverlayMount>& overlays) {
  if (overlays.empty()) return {};
  const MappedIds ids = mapped_ids();
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) {
    return refused_overlay(user == 0 ? "make a private mount namespace"
                                     : "make a user namespace (this system may keep them from ordinary users)",
                           errno);
  }
  if (user != 0) TRY(map_own_ids(user, group));
  TRY(make_mounts_private());
  return mount_overlays(overlays, ids);
}

}  // namespace trainyard
