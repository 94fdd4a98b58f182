// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/mounted_store.hpp"

#include <sys/mount.h>
#include <sys/statvfs.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <cstring>
#include <iostream>

#include "runner/processes/run_program.hpp"

namespace trainyard {

namespace {

constexpr const char* kPlenty = "size=256m,nr_inodes=100000";

void mount_here(const Path& from, const Path& place, const char* type, unsigned long flags,
                const std::string& options) {
  if (::mount(from.c_str(), place.c_str(), type, flags, options.c_str()) != 0)
    throw std::runtime_error("cannot mount '" + place.string() + "': " + std::strerror(errno));
}

struct statvfs usage_of(const Path& place) {
  struct statvfs usage {};
  if (::statvfs(place.c_str(), &usage) != 0) throw std::runtime_error("cannot look at '" + place.string() + "'");
  return usage;
}

}  // namespace

bool can_mount() {
  const TempFolder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") == 0)
    return ::umount2(folder.path().c_str(), MNT_DETACH) == 0;
  std::cout << "skipped: no file system can be mounted here (" << std::strerror(errno) << ")" << std::endl;
  return false;
}

MountedStore::MountedStore(const FaultStore& content) {
  boost::filesystem::create_directory(store_.root());
  mount_here("tmpfs", store_.root(), "tmpfs", 0, kPlenty);
  // Boost copies within one file system only.
  const auto copied = run_program({"/bin/cp", "-a", content.root().string() + "/.", store_.root().string()}, {}, "/",
                                  "", std::chrono::seconds(60));
  if (!copied.ok() || copied->status.code != 0)
    throw std::runtime_error("cannot copy '" + content.root().string() + "'");
}

MountedStore::~MountedStore() {
  for (const pid_t pid : store_.processes()) ::kill(pid, SIGKILL);
  ::umount2(store_.root().c_str(), MNT_DETACH);
}

void MountedStore::leave_bytes(std::uint64_t bytes) const {
  const auto usage = usage_of(store_.root());
  const std::uint64_t used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize;
  mount_here("tmpfs", store_.root(), "tmpfs", MS_REMOUNT, "size=" + std::to_string(used + bytes));
}

void MountedStore::leave_files(std::uint64_t files) const {
  const auto usage = usage_of(store_.root());
  mount_here("tmpfs", store_.root(), "tmpfs", MS_REMOUNT,
             "nr_inodes=" + std::to_string(usage.f_files - usage.f_ffree + files));
}

void MountedStore::leave_plenty() const { mount_here("tmpfs", store_.root(), "tmpfs", MS_REMOUNT, kPlenty); }

void MountedStore::make_read_only() const { mount_here("tmpfs", store_.root(), "tmpfs", MS_REMOUNT | MS_RDONLY, ""); }

void MountedStore::make_writable() const { mount_here("tmpfs", store_.root(), "tmpfs", MS_REMOUNT, ""); }

ReadOnlyView::ReadOnlyView(const Path& root) : root_(root) {
  mount_here(root, root, nullptr, MS_BIND, "");
  mount_here(root, root, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, "");
}

ReadOnlyView::~ReadOnlyView() { ::umount2(root_.c_str(), MNT_DETACH); }

}  // namespace trainyard
