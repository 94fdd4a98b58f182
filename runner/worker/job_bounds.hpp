// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/core/job_spec.hpp"
#include "runner/jobs/job_folder.hpp"
#include "runner/worker/job_cgroup.hpp"
#include "runner/worker/usage_watch.hpp"

namespace trainyard {

// Whether there is something for control groups to keep: a limit that somebody has set on memory, processors or processes,
// or the wish for every layer. For nothing they would cost a run more than all other layers together: to move the first
// process in a while the kernel waits until every processor has passed by (an RCU grace period), ten milliseconds and more.
bool wants_control_groups(const JobSpec& job);

// Keeps one job within its limits: by control groups where this machine has them, by looking from time to time where not.
class JobBounds {
 public:
  // REQUIRES: the job has not begun; what its folders hold by now does not count. `job` outlives this.
  static Result<JobBounds> begin(const JobSpec& job, const JobFolder& folder);

  JobBounds(JobBounds&&) = default;
  JobBounds& operator=(JobBounds&&) = delete;
  ~JobBounds() { remove(); }

  // For the job to join; null without.
  [[nodiscard]] const JobCgroup* cgroup() const { return cgroup_ ? &*cgroup_ : nullptr; }
  // Why the limits are not all kept by control groups; empty when they are.
  [[nodiscard]] const std::string& cgroup_why_not() const { return why_not_; }

  [[nodiscard]] SteadyTime next_look() const { return watch_.next_look(); }
  // The limit that the job is above. `told` bytes have it printed and reported. REQUIRES: this process is the reaper of
  // all of the job's.
  std::optional<LimitHit> look(std::int64_t told);
  // The same when the job has ended: what it used since the last look counts too.
  std::optional<LimitHit> look_at_end(std::int64_t told);

  // The most memory that it had, where control groups have counted.
  [[nodiscard]] std::optional<std::int64_t> peak_bytes() const;

  // Kills what the control groups still hold.
  void kill_all() const;
  // Removes the control groups with what is in them; they tell nothing any more.
  void remove();

 private:
  JobBounds(const JobSpec& job, std::optional<JobCgroup> cgroup, std::string why_not, std::int64_t disk_before);
  std::optional<LimitHit> look_at(const std::vector<pid_t>& processes, std::int64_t told);
  [[nodiscard]] std::optional<LimitHit> refused_by_cgroup() const;

  const JobSpec* job_;
  std::optional<JobCgroup> cgroup_;
  std::string why_not_;
  std::int64_t disk_before_;
  UsageWatch watch_;
};

}  // namespace trainyard
