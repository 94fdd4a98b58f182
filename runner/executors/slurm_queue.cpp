// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/slurm_queue.hpp"

#include <algorithm>
#include <sstream>

#include "runner/processes/clock.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kLargestAnswer = std::size_t{64} << 20U;

std::string line_of(const SlurmQueueView::Seen& seen) {
  return (seen.before ? std::to_string(*seen.before) : "-") + "|" + queue_line(seen.entry) + "\n";
}

}  // namespace

bool SlurmQueue::is_fresh(const SlurmQueueView& view) const {
  const std::int64_t age_ms = (now().microseconds - view.taken_at.microseconds) / 1000;
  // The clock of another machine may be ahead, or somebody may have set this one back.
  return age_ms >= -between_looks_.count() && age_ms < between_looks_.count();
}

std::optional<SlurmQueueView> SlurmQueue::known() const {
  const auto text = read_file(folder_ / "queue", kLargestAnswer);
  if (!text.ok()) return std::nullopt;
  std::istringstream lines(*text);
  std::string line;
  std::getline(lines, line);
  const auto taken_at = Instant::parse(line);
  if (!taken_at.ok()) return std::nullopt;
  SlurmQueueView view{*taken_at, {}};
  while (std::getline(lines, line)) {
    const std::size_t bar = std::min(line.find('|'), line.size());
    auto entry = parse_queue_line(std::string_view(line).substr(std::min(bar + 1, line.size())));
    if (!entry.ok()) return std::nullopt;
    const SlurmJobId job = entry->job;
    view.jobs.emplace(job, SlurmQueueView::Seen{std::move(*entry), number_in<std::size_t>(line.substr(0, bar))});
  }
  return view;
}

Result<SlurmQueueView> SlurmQueue::ask() const {
  // What changes while Slurm answers is not in the answer.
  SlurmQueueView view{now(), {}};
  bool any_waits = false;
  for (SlurmQueueEntry& entry : TRY(commands_->queue())) {
    any_waits = any_waits || phase_of(entry) == SlurmPhase::waiting;
    const SlurmJobId job = entry.job;
    view.jobs.emplace(job, SlurmQueueView::Seen{std::move(entry), std::nullopt});
  }
  if (any_waits) {
    const auto waiting = commands_->waiting();
    std::map<std::string, std::size_t> places;
    if (waiting.ok()) {
      for (const std::string& job : *waiting) places.emplace(job, places.size());
    }
    for (auto& [job, seen] : view.jobs) {
      if (const auto place = places.find(job.text()); place != places.end()) seen.before = place->second;
    }
  }
  std::string text = view.taken_at.text() + "\n";
  for (const auto& [job, seen] : view.jobs) text += line_of(seen);
  TRY(replace_file(folder_, folder_ / "queue", text, 0644, Durable::no));
  return view;
}

Result<SlurmQueueView> SlurmQueue::look() {
  const std::lock_guard one_at_a_time(mutex_);
  if (view_ && is_fresh(*view_)) return *view_;
  if (auto newest = known()) view_ = std::move(newest);
  if (view_ && is_fresh(*view_)) return *view_;
  const auto time = std::chrono::steady_clock::now();
  if (time < ask_at_ && silence_) return *silence_;
  TRY(make_folders(folder_));
  const auto lock = TRY(FileLock::try_lock(folder_ / "queue.lock"));
  // Somebody asks at this moment.
  if (!lock && view_) return *view_;
  if (!lock) return fail(Errc::unavailable, "Slurm has not answered yet");
  ask_at_ = time + between_looks_;
  auto asked = ask();
  silence_.reset();
  if (!asked.ok()) {
    // Slurm's programs wait for some seconds before they give up, and with them whoever looks.
    ask_at_ = std::chrono::steady_clock::now() + 10 * between_looks_;
    silence_ = asked.error();
    return asked;
  }
  view_ = std::move(*asked);
  return *view_;
}

}  // namespace trainyard
