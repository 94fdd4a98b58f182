// SPDX-License-Identifier: Apache-2.0
#include "runner/core/ranks.hpp"

#include <algorithm>

namespace trainyard {

namespace {

constexpr int kAddressesOfBlock = 250;
// Between the end of a worker and what another one says because of it, with clocks that do not quite agree.
constexpr std::int64_t kEchoMicroseconds = 2'000'000;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// What nobody asked it to do.
bool is_own_failure(const RankEnd& end) {
  if (end.ok) return false;
  return !end.exit || end.exit->limit || end.exit->failure || end.exit->stop == StopCause::none;
}

bool is_death(const RankEnd& end) {
  return !end.exit || end.exit->limit || end.exit->failure || end.exit->signal || end.exit->code != 0;
}

std::int64_t ended_at(const RankEnd& end) {
  return end.exit ? end.exit->ended_at.microseconds : end.seen_at.microseconds;
}

const RankEnd& decisive(const std::vector<RankEnd>& ends) {
  std::vector<const RankEnd*> own;
  for (const RankEnd& end : ends) {
    if (is_own_failure(end)) own.push_back(&end);
  }
  const auto earlier = [](const RankEnd* a, const RankEnd* b) { return ended_at(*a) < ended_at(*b); };
  if (!own.empty()) {
    const RankEnd* const first = *std::min_element(own.begin(), own.end(), earlier);
    std::erase_if(own, [&](const RankEnd* end) {
      return !is_death(*end) || ended_at(*end) > ended_at(*first) + kEchoMicroseconds;
    });
    return own.empty() ? *first : **std::min_element(own.begin(), own.end(), earlier);
  }
  for (const RankEnd& end : ends) {
    if (!end.ok && end.exit->stop == StopCause::max_runtime) return end;
  }
  for (const RankEnd& end : ends) {
    if (!end.ok) return end;
  }
  return ends.front();
}

JobExit exit_of(const RankEnd& end) {
  if (end.exit) return *end.exit;
  JobExit exit;
  exit.failure = "the process that supervised it is gone and left no word about its end";
  exit.lost = true;
  exit.started_at = exit.ended_at = end.seen_at;
  return exit;
}

}  // namespace

std::vector<std::string> local_hosts(int workers) {
  std::vector<std::string> hosts;
  for (int rank = 0; rank < workers; ++rank) {
    hosts.push_back("127.0." + std::to_string(rank / kAddressesOfBlock) + "." +
                    std::to_string(rank % kAddressesOfBlock + 1));
  }
  return hosts;
}

std::map<std::string, std::string> rank_environment(int rank, const WorkerMeeting& meeting) {
  const std::string number = std::to_string(rank);
  const std::string size = std::to_string(meeting.hosts.size());
  const std::string port = std::to_string(meeting.port);
  const std::string& first = meeting.hosts.front();
  const std::string& own = meeting.hosts[static_cast<std::size_t>(rank)];
  return {{"TRAINYARD_RANK", number},
          {"TRAINYARD_WORLD_SIZE", size},
          {"TRAINYARD_HOSTS", joined(meeting.hosts)},
          {"TRAINYARD_RENDEZVOUS", first + ":" + port},
          {"TRAINYARD_RENDEZVOUS_DIRECTORY", meeting.directory},
          {"TRAINYARD_DATA_SHARDING", std::string(name_of(meeting.sharding))},
          {"MASTER_ADDR", first},
          {"MASTER_PORT", port},
          {"RANK", number},
          {"WORLD_SIZE", size},
          {"LOCAL_RANK", "0"},
          {"MA_NUM_HOSTS", size},
          {"VC_TASK_INDEX", number},
          {"VC_WORKER_HOSTS", joined(meeting.hosts)},
          {"SM_HOSTS", canonical(Json(meeting.hosts))},
          {"SM_CURRENT_HOST", own}};
}

bool Pulse::is_felt(const std::string& text, Time now) {
  constexpr std::chrono::seconds kLongestSilence{60};
  constexpr std::chrono::seconds kLongestGap{10};
  // Who did not look for a while, because the job was suspended or the disk did not answer, knows nothing of that while.
  const bool was_away = now - looked_at_ > kLongestGap;
  looked_at_ = now;
  if (was_away || (!text.empty() && text != last_)) changed_at_ = now;
  if (!text.empty()) last_ = text;
  return now - changed_at_ < kLongestSilence;
}

JobExit combined_exit(const std::vector<RankEnd>& ends) {
  const RankEnd& cause = decisive(ends);
  JobExit whole = exit_of(cause);
  whole.rank = cause.rank;
  whole.user_us = whole.system_us = whole.read_bytes = whole.written_bytes = whole.peak_bytes = 0;
  for (const RankEnd& end : ends) {
    const JobExit one = exit_of(end);
    whole.started_at.microseconds = std::min(whole.started_at.microseconds, one.started_at.microseconds);
    whole.ended_at.microseconds = std::max(whole.ended_at.microseconds, one.ended_at.microseconds);
    whole.user_us += one.user_us;
    whole.system_us += one.system_us;
    whole.read_bytes += one.read_bytes;
    whole.written_bytes += one.written_bytes;
    whole.peak_bytes = std::max(whole.peak_bytes, one.peak_bytes);
  }
  return whole;
}

}  // namespace trainyard
