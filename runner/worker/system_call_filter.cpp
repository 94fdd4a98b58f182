// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/system_call_filter.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace trainyard {

namespace {

constexpr std::uint32_t kRefused = SCMP_ACT_ERRNO(EPERM);
constexpr std::uint32_t kUnknown = SCMP_ACT_ERRNO(ENOSYS);

// By name, because libseccomp knows more calls than the headers of the system's C library.
constexpr const char* kRefusedCalls[] = {
    // The machine: its clock, name, kernel, disks, accounting.
    "acct", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "delete_module", "finit_module", "init_module",
    "ioperm", "iopl", "kexec_file_load", "kexec_load", "nfsservctl", "perf_event_open", "quotactl", "quotactl_fd",
    "reboot", "setdomainname", "sethostname", "settimeofday", "swapoff", "swapon", "syslog", "vhangup",
    // Namespaces and mounts.
    "chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount", "open_tree",
    "pivot_root", "setns", "umount", "umount2", "unshare",
    // Other processes, and files past their names.
    "kcmp", "lookup_dcookie", "name_to_handle_at", "open_by_handle_at", "process_madvise", "process_vm_readv",
    "process_vm_writev", "pidfd_getfd", "ptrace", "userfaultfd",
    // Keys of the user's session.
    "add_key", "keyctl", "request_key",
    // Does by a ring what is refused as a call.
    "io_uring_enter", "io_uring_register", "io_uring_setup"};

constexpr int kNamespaces =
    CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP;

class Filter {
 public:
  Filter() : filter_(::seccomp_init(SCMP_ACT_ALLOW), &::seccomp_release) {
    if (!filter_) {
      note(-ENOMEM);
      return;
    }
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_NNP, 0));
    // Binary search: the filter is run at every call of the job.
    note(::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }

  // Where all the conditions hold.
  void refuse(const char* call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    add(kRefused, call, conditions);
  }
  void pretend_unknown(const char* call) { add(kUnknown, call, {}); }

  [[nodiscard]] int load() { return error_ != 0 ? error_ : ::seccomp_load(filter_.get()); }

 private:
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = result;
  }
  void add(std::uint32_t action, const char* call, std::initializer_list<scmp_arg_cmp> conditions) {
    const int number = ::seccomp_syscall_resolve_name(call);
    // This processor has no such call, or libseccomp is older than it.
    if (number == __NR_SCMP_ERROR || number < 0 || !filter_) return;
    note(::seccomp_rule_add_array(filter_.get(), action, number, static_cast<unsigned>(conditions.size()),
                                  conditions.begin()));
  }

  std::unique_ptr<void, decltype(&::seccomp_release)> filter_;
  int error_ = 0;
};

scmp_arg_cmp has_bits(unsigned argument, std::uint64_t bits) { return {argument, SCMP_CMP_MASKED_EQ, bits, bits}; }

void refuse_namespaces(Filter& filter) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((static_cast<unsigned>(kNamespaces) >> bit & 1U) != 0)
      filter.refuse("clone", {has_bits(0, std::uint64_t{1} << bit)});
  }
  filter.pretend_unknown("clone3");
}

// A file that is setuid would carry the user of the run to whoever starts it, long after the run.
void refuse_setuid_files(Filter& filter) {
  for (const std::uint64_t bit : {std::uint64_t{S_ISUID}, std::uint64_t{S_ISGID}}) {
    filter.refuse("chmod", {has_bits(1, bit)});
    filter.refuse("fchmod", {has_bits(1, bit)});
    filter.refuse("fchmodat", {has_bits(2, bit)});
    filter.refuse("creat", {has_bits(1, bit)});
    filter.refuse("mknod", {has_bits(1, bit)});
    filter.refuse("mknodat", {has_bits(2, bit)});
    filter.refuse("mkdir", {has_bits(1, bit)});
    filter.refuse("mkdirat", {has_bits(2, bit)});
    // Without O_CREAT the mode is whatever lay in the register.
    filter.refuse("open", {has_bits(1, O_CREAT), has_bits(2, bit)});
    filter.refuse("openat", {has_bits(2, O_CREAT), has_bits(3, bit)});
  }
  filter.pretend_unknown("fchmodat2");
  filter.pretend_unknown("openat2");
}

void refuse_devices(Filter& filter) {
  for (const std::uint64_t kind : {std::uint64_t{S_IFBLK}, std::uint64_t{S_IFCHR}}) {
    filter.refuse("mknod", {{1, SCMP_CMP_MASKED_EQ, S_IFMT, kind}});
    filter.refuse("mknodat", {{2, SCMP_CMP_MASKED_EQ, S_IFMT, kind}});
  }
  // Types into somebody else's terminal.
  filter.refuse("ioctl", {{1, SCMP_CMP_MASKED_EQ, 0xFFFFFFFFU, TIOCSTI}});
}

void refuse_sockets(Filter& filter, InternetSockets sockets) {
  // Of the families that the kernel has, these serve a training: local, internet, and netlink to list the devices.
  for (std::uint64_t family = 0; family < AF_NETLINK; ++family) {
    const bool internet = family == AF_INET || family == AF_INET6;
    if (family == AF_UNIX || (internet && sockets == InternetSockets::allowed)) continue;
    filter.refuse("socket", {{0, SCMP_CMP_EQ, family, 0}});
  }
  filter.refuse("socket", {{0, SCMP_CMP_GT, AF_NETLINK, 0}});
}

}  // namespace

bool has_system_call_filters() { return ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0; }

Result<void> filter_system_calls(InternetSockets sockets) {
  Filter filter;
  for (const char* const call : kRefusedCalls) filter.refuse(call);
  refuse_namespaces(filter);
  refuse_setuid_files(filter);
  refuse_devices(filter);
  refuse_sockets(filter, sockets);
  const int error = filter.load();
  if (error == 0) return {};
  return fail(Errc::io, std::string("cannot filter the system calls of the job: ") + std::strerror(-error));
}

}  // namespace trainyard
