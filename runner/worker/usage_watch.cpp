// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/usage_watch.hpp"

#include <sys/statvfs.h>

#include <algorithm>

#include "runner/worker/process_usage.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenLooks{100};
constexpr milliseconds kBetweenWalks{250};
constexpr milliseconds kWalkAtOnce{20};
constexpr int kRest = 50;           // for each time that a look or a walk takes: 2% of a core
constexpr int kRestWithCause = 10;  // somebody else may fill the disk, all the time
constexpr std::int64_t kMostKeptFree = std::int64_t{512} << 20U;

}  // namespace

UsageWatch::UsageWatch(const JobLimits& limits, std::vector<Path> folders, KeptElsewhere kept)
    : limits_(limits), folders_(std::move(folders)), kept_(kept), next_look_(steady_clock::now()) {}

std::optional<LimitHit> UsageWatch::look(const std::vector<pid_t>& job_processes, std::int64_t written_log_bytes) {
  std::optional<LimitHit> hit = look_at_memory(job_processes);
  if (!hit) hit = look_at_processes(job_processes);
  if (!hit) hit = look_at_free_space();
  if (!hit) hit = look_at_disk();
  if (!hit && limits_.log_bytes && written_log_bytes > *limits_.log_bytes)
    hit = LimitHit{JobLimit::log, *limits_.log_bytes, written_log_bytes};
  next_look_ = walk_ ? steady_clock::now() : after(kBetweenLooks);
  return hit;
}

std::optional<LimitHit> UsageWatch::look_at_memory(const std::vector<pid_t>& processes) {
  const SteadyTime begin = steady_clock::now();
  if (!limits_.memory_bytes || kept_.memory || begin < next_memory_look_) return std::nullopt;
  std::int64_t most = 0;
  for (const pid_t pid : processes) most += use_of_process(pid).most_memory_bytes;
  int rest = kRest;
  std::optional<LimitHit> hit;
  // Workers that were forked have most of it in common: only the slow figure may end a job.
  if (most > *limits_.memory_bytes) {
    std::int64_t bytes = 0;
    for (const pid_t pid : processes) bytes += shared_out_memory_of(pid);
    rest = kRestWithCause;
    if (bytes > *limits_.memory_bytes) hit = LimitHit{JobLimit::memory, *limits_.memory_bytes, bytes};
  }
  const SteadyTime end = steady_clock::now();
  next_memory_look_ = end + std::max<steady_clock::duration>((end - begin) * rest, kBetweenLooks);
  return hit;
}

std::optional<LimitHit> UsageWatch::look_at_processes(const std::vector<pid_t>& processes) {
  const SteadyTime begin = steady_clock::now();
  if (begin < next_process_look_) return std::nullopt;
  std::optional<LimitHit> hit;
  if (limits_.processes && !kept_.processes) {
    std::int64_t threads = 0;
    for (const pid_t pid : processes) threads += use_of_process(pid).threads;
    if (threads > *limits_.processes) hit = LimitHit{JobLimit::processes, *limits_.processes, threads};
  }
  if (!hit && limits_.open_files && !kept_.open_files) {
    for (const pid_t pid : processes) {
      const std::int64_t files = open_files_of(pid);
      if (files > *limits_.open_files) hit = LimitHit{JobLimit::open_files, *limits_.open_files, files};
    }
  }
  const SteadyTime end = steady_clock::now();
  next_process_look_ = end + std::max<steady_clock::duration>((end - begin) * kRest, kBetweenLooks);
  return hit;
}

std::optional<LimitHit> UsageWatch::look_at_free_space() {
  free_.clear();
  for (const Path& folder : folders_) {
    struct statvfs space {};
    const auto status = status_of(folder);
    if (!status.ok() || !*status || ::statvfs(folder.c_str(), &space) != 0) continue;
    const dev_t device = (*status)->st_dev;
    const auto known = [&](const FreeSpace& other) { return other.device == device; };
    if (std::any_of(free_.begin(), free_.end(), known)) continue;
    const auto block = static_cast<std::int64_t>(space.f_frsize);
    const auto free_bytes = static_cast<std::int64_t>(space.f_bavail) * block;
    free_.push_back({device, free_bytes});
    const std::int64_t kept_free = std::min(kMostKeptFree, static_cast<std::int64_t>(space.f_blocks) * block / 50);
    if (free_bytes < kept_free) return LimitHit{JobLimit::free_disk, kept_free, free_bytes};
    // File systems that make room for files as they come say 0.
    const auto kept_files = static_cast<std::int64_t>(space.f_files / 100);
    const auto free_files = static_cast<std::int64_t>(space.f_favail);
    if (free_files < kept_files) return LimitHit{JobLimit::free_files, kept_files, free_files};
  }
  return std::nullopt;
}

bool UsageWatch::walk_is_due() const {
  const SteadyTime time = steady_clock::now();
  if (time >= next_walk_) return true;
  if (time < earliest_walk_) return false;
  const std::int64_t left = *limits_.disk_bytes - disk_bytes_;
  return std::any_of(free_.begin(), free_.end(), [&](const FreeSpace& free) {
    const auto before = std::find_if(free_at_walk_.begin(), free_at_walk_.end(),
                                     [&](const FreeSpace& other) { return other.device == free.device; });
    return before != free_at_walk_.end() && before->bytes - free.bytes > left;
  });
}

std::optional<LimitHit> UsageWatch::look_at_disk() {
  if (!limits_.disk_bytes) return std::nullopt;
  if (!walk_) {
    if (!walk_is_due()) return std::nullopt;
    walk_.emplace(folders_);
    walked_ = {};
    free_at_walk_ = free_;
  }
  const SteadyTime begin = steady_clock::now();
  const bool done = walk_->go_on(kWalkAtOnce);
  const SteadyTime end = steady_clock::now();
  walked_ += end - begin;
  const std::int64_t bytes = walk_->bytes();
  if (done) {
    disk_bytes_ = bytes;
    walk_.reset();
    next_walk_ = end + std::max<steady_clock::duration>(walked_ * kRest, kBetweenWalks);
    earliest_walk_ = end + walked_ * kRestWithCause;
  }
  // What has been counted is there, whatever the rest of a walk will find.
  if (bytes > *limits_.disk_bytes) return LimitHit{JobLimit::disk, *limits_.disk_bytes, bytes};
  return std::nullopt;
}

}  // namespace trainyard
