// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_enclosure.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runner/worker/landlock_rules.hpp"
#include "runner/worker/private_overlay.hpp"
#include "runner/worker/private_root.hpp"
#include "runner/worker/system_call_filter.hpp"
#include "runner/worker/system_refusal.hpp"

namespace trainyard {

namespace {

// Where the supervisor watches over a limit, the kernel's own bound lies so much higher that it is not met first.
constexpr rlim_t kSlack = 64;
// Of the privileges of root, those without which it could not read and change files of other users in its own folders.
constexpr std::uint64_t kKeptByRoot =
    (std::uint64_t{1} << CAP_CHOWN) | (std::uint64_t{1} << CAP_DAC_OVERRIDE) | (std::uint64_t{1} << CAP_FOWNER);

StartFailure missing(Layer layer, const Result<void>& result) { return {layer, result.error()}; }

Result<void> set_capabilities(std::uint64_t kept) {
  for (int number = 0; ::prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; ++number) {
    if ((kept >> number & 1U) != 0) continue;
    // Without the privilege for that there is nothing to give up either.
    if (::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0 && errno != EPERM)
      return refused_by_system("give up privileges");
  }
  static_cast<void>(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return refused_by_system("look at privileges");
  for (unsigned i = 0; i < 2; ++i) {
    const auto allowed = static_cast<std::uint32_t>(kept >> (32 * i));
    data[i].permitted &= allowed;
    data[i].effective &= allowed;
    data[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, data) != 0) return refused_by_system("give up privileges");
  return {};
}

Result<void> bring_loopback_up() {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof(request.ifr_name) - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0)
    return refused_by_system("start the loopback device");
  return {};
}

Result<void> limit(__rlimit_resource resource, rlim_t most) {
  rlimit now{};
  if (::getrlimit(resource, &now) != 0) return refused_by_system("look at the limits of the process");
  // Raising one is not ours to do.
  const rlim_t value = now.rlim_max == RLIM_INFINITY ? most : std::min(most, now.rlim_max);
  const rlimit wanted{value, value};
  if (::setrlimit(resource, &wanted) != 0) return refused_by_system("limit the process");
  return {};
}

Result<void> set_limits(const JobStart& start) {
  const JobLimits& limits = start.job.limits;
  if (limits.open_files) TRY(limit(RLIMIT_NOFILE, static_cast<rlim_t>(*limits.open_files) + kSlack));
  // A single file is cut short at once; what all take together is the supervisor's to see.
  if (limits.disk_bytes) TRY(limit(RLIMIT_FSIZE, static_cast<rlim_t>(*limits.disk_bytes) + (rlim_t{1} << 20U)));
  if (limits.memory_bytes && !start.isolation.has(Layer::cgroup)) {
    // Private memory of one process, which can be more than it ever touches. It keeps one that grows by leaps from taking
    // the machine's before somebody looks.
    const auto most = static_cast<rlim_t>(*limits.memory_bytes);
    TRY(limit(RLIMIT_DATA, most + std::max(most, rlim_t{1} << 30U)));
  }
  // Counted for the user as a whole, but within the user namespace.
  if (limits.processes && start.isolation.has(Layer::user) && !start.isolation.has(Layer::cgroup))
    TRY(limit(RLIMIT_NPROC, static_cast<rlim_t>(*limits.processes) + kSlack));
  return {};
}

Result<void> limit_processors(const JobStart& start) {
  const auto& thousandths = start.job.limits.cpu_thousandths;
  if (!thousandths || start.isolation.has(Layer::cgroup)) return {};
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
    return refused_by_system("look at the processors of the process");
  auto left = static_cast<int>((*thousandths + 999) / 1000);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed) && left-- <= 0) CPU_CLR(cpu, &allowed);
  }
  if (::sched_setaffinity(0, sizeof(allowed), &allowed) != 0)
    return refused_by_system("limit the processors of the process");
  return {};
}

LandlockRules rules_for(const JobStart& start, int program) {
  const Sandbox& sandbox = start.job.sandbox;
  LandlockRules rules{readable_of_the_system(), {}, sandbox.writable, plain_devices(), {program}};
  rules.readable.insert(rules.readable.end(), sandbox.readable.begin(), sandbox.readable.end());
  rules.readable.emplace_back("/proc");
  rules.readable.push_back(start.folder.channel_job().string());
  rules.devices.push_back(start.folder.channel_events().string());
  rules.devices.insert(rules.devices.end(), sandbox.devices.begin(), sandbox.devices.end());
  if (!sandbox.devices.empty()) rules.readable.emplace_back("/sys");
  // Processes share semaphores and memory by names in there.
  rules.writable.emplace_back("/dev/shm");
  if (start.isolation.has(Layer::mount)) {
    rules.writable.emplace_back("/tmp");
    rules.listable.emplace_back("/");
  }
  return rules;
}

}  // namespace

unsigned long namespaces_of(const Isolation& isolation) {
  constexpr std::pair<Layer, unsigned long> kFlags[] = {{Layer::user, CLONE_NEWUSER},
                                                        {Layer::mount, CLONE_NEWNS},
                                                        {Layer::pid, CLONE_NEWPID},
                                                        {Layer::ipc, CLONE_NEWIPC},
                                                        {Layer::network, CLONE_NEWNET}};
  unsigned long flags = 0;
  for (const auto& [layer, flag] : kFlags) {
    if (isolation.has(layer)) flags |= flag;
  }
  return flags;
}

namespace {

std::optional<StartFailure> furnish_namespaces(const JobStart& start, const UserIds& ids) {
  const Isolation& isolation = start.isolation;
  const std::vector<OverlayMount>& overlays = start.job.overlays;
  if (isolation.has(Layer::user)) {
    if (const auto mapped = map_own_ids(ids.user, ids.group); !mapped.ok()) return missing(Layer::user, mapped);
  }
  if (isolation.has(Layer::network)) {
    if (const auto up = bring_loopback_up(); !up.ok()) return missing(Layer::network, up);
  }
  if (isolation.has(Layer::mount)) {
    if (const auto apart = make_mounts_private(); !apart.ok()) return missing(Layer::mount, apart);
  }
  const auto mounted = isolation.has(Layer::mount)
                           ? mount_overlays(overlays, isolation.has(Layer::user) ? MappedIds::own : mapped_ids())
                           : enter_private_overlays(overlays);
  if (!mounted.ok()) return StartFailure{std::nullopt, mounted.error()};
  for (const std::string& folder : start.job.folders) {
    if (const auto made = make_folders(folder); !made.ok()) return StartFailure{std::nullopt, made.error()};
  }
  if (!isolation.has(Layer::mount)) return std::nullopt;
  const bool pid = isolation.has(Layer::pid);
  const auto entered =
      enter_private_root(start.job.sandbox, start.job.limits, start.folder, pid ? Proc::fresh : Proc::shared);
  if (entered.ok()) return std::nullopt;
  return missing(entered.error().code == Errc::incompatible ? Layer::pid : Layer::mount, entered);
}

}  // namespace

std::optional<StartFailure> furnish(const JobStart& start, const UserIds& ids) {
  if (auto failure = furnish_namespaces(start, ids)) return failure;
  if (start.cgroup == nullptr) return std::nullopt;
  // Groups that do not make a whole layer are of some use, and no condition.
  const auto joined = start.cgroup->join();
  if (joined.ok() || !start.isolation.has(Layer::cgroup)) return std::nullopt;
  return missing(Layer::cgroup, joined);
}

std::optional<StartFailure> restrict(const JobStart& start, int program) {
  const Isolation& isolation = start.isolation;
  auto done = set_limits(start);
  if (done.ok()) done = limit_processors(start);
  if (done.ok() && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) done = refused_by_system("give up new privileges");
  if (done.ok() && isolation.wish.mode != IsolationMode::none)
    done = set_capabilities(isolation.has(Layer::user) ? 0 : kKeptByRoot);
  if (!done.ok()) return StartFailure{std::nullopt, done.error()};
  if (isolation.has(Layer::landlock)) {
    if (const auto held = hold_to(rules_for(start, program)); !held.ok()) return missing(Layer::landlock, held);
  }
  if (isolation.has(Layer::seccomp)) {
    // A network of the job's own reaches nobody; without one, the calls are all that can be refused_by_system.
    const bool internet = isolation.wish.network == NetworkAccess::host || isolation.has(Layer::network);
    const auto filtered = filter_system_calls(internet ? InternetSockets::allowed : InternetSockets::refused);
    if (!filtered.ok()) return missing(Layer::seccomp, filtered);
  }
  return std::nullopt;
}

void give_up_privileges() {
  static_cast<void>(set_capabilities(0));
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

}  // namespace trainyard
