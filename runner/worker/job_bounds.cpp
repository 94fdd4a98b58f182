// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/job_bounds.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "runner/worker/descendants.hpp"
#include "runner/worker/disk_walk.hpp"

namespace trainyard {

namespace {

// Where the job writes: its own folders, and the layers over its data.
std::vector<Path> folders_of(const JobSpec& job) {
  std::vector<Path> folders(job.sandbox.writable.begin(), job.sandbox.writable.end());
  for (const OverlayMount& overlay : job.overlays) folders.emplace_back(overlay.upper);
  return folders;
}

std::int64_t bytes_below(const std::vector<Path>& folders) {
  DiskWalk walk(folders);
  while (!walk.go_on(std::chrono::seconds(1))) {
  }
  return walk.bytes();
}

JobLimits with_more_disk(JobLimits limits, std::int64_t more) {
  if (limits.disk_bytes) *limits.disk_bytes += more;
  return limits;
}

KeptElsewhere kept_by(const std::optional<JobCgroup>& cgroup) {
  if (!cgroup) return {};
  return {cgroup->facts().memory, cgroup->facts().processes, false};
}

}  // namespace

bool wants_control_groups(const JobSpec& job) {
  const IsolationWish& wish = job.sandbox.wish;
  if (wish.mode == IsolationMode::none || wish.without.contains(Layer::cgroup)) return false;
  const JobLimits& limits = job.limits;
  return wish.mode == IsolationMode::strict || limits.memory_bytes || limits.cpu_thousandths ||
         limits.processes != RunRequest::default_limits().processes;
}

JobBounds::JobBounds(const JobSpec& job, std::optional<JobCgroup> cgroup, std::string why_not, std::int64_t disk_before)
    : job_(&job),
      cgroup_(std::move(cgroup)),
      why_not_(std::move(why_not)),
      disk_before_(disk_before),
      watch_(with_more_disk(job.limits, disk_before), folders_of(job), kept_by(cgroup_)) {}

Result<JobBounds> JobBounds::begin(const JobSpec& job, const JobFolder& folder) {
  const std::int64_t disk_before = job.limits.disk_bytes ? bytes_below(folders_of(job)) : 0;
  if (!wants_control_groups(job)) return JobBounds(job, std::nullopt, "", disk_before);
  auto made = JobCgroup::make(job.run.text() + "-" + std::to_string(::getpid()), job.limits);
  if (!made.ok()) return JobBounds(job, std::nullopt, made.error().message, disk_before);
  // For whoever cleans up when this process cannot.
  std::string lines;
  for (const Path& group : made->folders()) lines += group.string() + "\n";
  const UniqueFd file = TRY(open_file(folder.cgroups(), O_WRONLY | O_CREAT | O_TRUNC, 0644));
  TRY(write_all(file.get(), lines, folder.cgroups()));
  std::string why_not = made->facts().why_not;
  return JobBounds(job, std::move(*made), std::move(why_not), disk_before);
}

std::optional<LimitHit> JobBounds::look(std::int64_t told) { return look_at(descendants(), told); }

std::optional<LimitHit> JobBounds::look_at(const std::vector<pid_t>& processes, std::int64_t told) {
  if (auto hit = refused_by_cgroup()) return hit;
  auto hit = watch_.look(processes, told);
  if (hit && hit->limit == JobLimit::disk) {
    hit->bound -= disk_before_;
    hit->reached -= disk_before_;
  }
  return hit;
}

std::optional<LimitHit> JobBounds::look_at_end(std::int64_t told) {
  if (const auto hit = look_at({}, told)) return hit;
  const JobLimits& limits = job_->limits;
  if (!limits.disk_bytes) return std::nullopt;
  const std::int64_t used = bytes_below(folders_of(*job_)) - disk_before_;
  if (used <= *limits.disk_bytes) return std::nullopt;
  return LimitHit{JobLimit::disk, *limits.disk_bytes, used};
}

std::optional<LimitHit> JobBounds::refused_by_cgroup() const {
  if (!cgroup_) return std::nullopt;
  const JobCgroup::Usage usage = cgroup_->usage();
  const JobLimits& limits = job_->limits;
  if (usage.oom_kills > 0 && limits.memory_bytes)
    return LimitHit{JobLimit::memory, *limits.memory_bytes, usage.peak_bytes.value_or(*limits.memory_bytes)};
  if (usage.refused_processes > 0 && limits.processes)
    return LimitHit{JobLimit::processes, *limits.processes, *limits.processes};
  return std::nullopt;
}

std::optional<std::int64_t> JobBounds::peak_bytes() const {
  return cgroup_ ? cgroup_->usage().peak_bytes : std::nullopt;
}

void JobBounds::kill_all() const {
  if (cgroup_) cgroup_->kill_all();
}

void JobBounds::remove() {
  // What cannot be removed now is empty, and in nobody's way.
  if (cgroup_) static_cast<void>(cgroup_->remove());
  cgroup_.reset();
}

}  // namespace trainyard
