// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/isolation_probe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "runner/worker/job_cgroup.hpp"
#include "runner/worker/job_process.hpp"
#include "runner/worker/landlock_rules.hpp"
#include "runner/worker/system_call_filter.hpp"

namespace trainyard {

namespace {

// A job that ends at once: its worker finds no job in job.json.
JobSpec probe_job(const Path& scratch) {
  constexpr std::array<std::uint8_t, 10> kNobody{};
  JobSpec job{RunId::from({}, kNobody), {}, {}, {}, scratch.string(), {}, {}, {}, {}, {}, {}, {}, 0, {}, {}, {}};
  job.sandbox.writable = {scratch.string()};
  return job;
}

Result<IsolationFacts> probe(const Path& scratch) {
  sigset_t blocked;
  ::sigemptyset(&blocked);
  for (const int number : {SIGCHLD, SIGTERM}) ::sigaddset(&blocked, number);
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
  const JobFolder folder(scratch);
  const Path work = scratch / "work";
  for (const Path& made : {folder.root(), folder.channel(), work}) TRY(make_folder(made));
  TRY(open_file(folder.channel_job(), O_WRONLY | O_CREAT | O_EXCL, 0444));
  if (::mkfifo(folder.channel_events().c_str(), 0600) != 0) return system_error("make", folder.channel_events(), errno);
  const UniqueFd null = TRY(open_file("/dev/null", O_WRONLY));
  const JobSpec job = probe_job(work);
  IsolationFacts facts = facts_at_hand();
  auto cgroup = JobCgroup::make("probe-" + std::to_string(::getpid()), {});
  if (!cgroup.ok()) facts.missing[Layer::cgroup] = cgroup.error().message;
  if (cgroup.ok() && !cgroup->facts().why_not.empty()) facts.missing[Layer::cgroup] = cgroup->facts().why_not;
  StartedJob started =
      TRY(start_in_layers({job, folder, {}, job.environment, null.get(), null.get(), cgroup.ok() ? &*cgroup : nullptr},
                          IsolationWish(), facts));
  TRY(started.process.status());
  if (cgroup.ok()) TRY(cgroup->remove());
  return facts;
}

}  // namespace

IsolationFacts facts_at_hand() {
  IsolationFacts facts;
  facts.root = is_privileged();
  if (landlock_version() == 0) facts.missing[Layer::landlock] = "this kernel has no Landlock, or it is switched off";
  if (!has_system_call_filters()) facts.missing[Layer::seccomp] = "this kernel has no seccomp filters";
  return facts;
}

int run_isolation_probe(const Path& scratch) {
  const auto facts = probe(scratch);
  if (!facts.ok()) {
    std::fprintf(stderr, "%s\n", facts.error().message.c_str());
    return 1;
  }
  const std::string text = readable(to_json(*facts));
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace trainyard
