// SPDX-License-Identifier: Apache-2.0
#include "runner/core/slurm_job.hpp"

#include <algorithm>
#include <array>

#include "storage/values/number.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kIdPrefix = "slurm:";

std::vector<std::string_view> split(std::string_view text, char separator, std::size_t most) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < most) {
    const std::size_t end = text.find(separator);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  parts.push_back(text);
  return parts;
}

std::string option(const char* name, const std::string& value) { return std::string("--") + name + "=" + value; }

// Slurm keeps time by the minute, and looks every half of one.
std::int64_t minutes_for(const JobSpec& job) {
  constexpr std::int64_t kMinute = 60'000;
  constexpr std::int64_t kSpare = 2;
  return (*job.max_runtime_ms + job.grace_ms + kMinute - 1) / kMinute + kSpare;
}

// For the supervisor and what it reads and writes.
std::int64_t mebibytes_for(std::int64_t memory_bytes) {
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  constexpr std::int64_t kSpare = 64;
  return (memory_bytes + kMebibyte - 1) / kMebibyte + kSpare;
}

bool any_in(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return text.find(part) != std::string::npos; });
}

}  // namespace

Result<SlurmJobId> SlurmJobId::parse(const JobId& job) {
  const std::string_view text = job.text;
  if (text.starts_with(kIdPrefix)) {
    const auto parts = split(text.substr(kIdPrefix.size()), '_', 2);
    const auto number = number_in<std::uint64_t>(parts[0]);
    const auto index = parts.size() == 2 ? number_in<std::uint64_t>(parts[1]) : std::nullopt;
    // Each job has one text: "slurm:017" is none.
    if (number && *number > 0 && SlurmJobId{*number, index}.job() == job) return SlurmJobId{*number, index};
  }
  return fail(Errc::invalid, "'" + job.text + "' is no job of Slurm");
}

Result<SlurmClaim> SlurmClaim::parse(std::string_view text) {
  const auto parts = split(text, ':', 4);
  if (parts.size() == 4 && parts[0] == "slurm") {
    const auto job = SlurmJobId::parse({"slurm:" + std::string(parts[1])});
    const auto restart = number_in<std::uint64_t>(parts[2]);
    if (job.ok() && restart) return SlurmClaim{*job, *restart, std::string(parts[3])};
  }
  return fail(Errc::invalid, "'" + std::string(text) + "' is no claim of a job of Slurm");
}

std::string SlurmClaim::text() const { return job.job().text + ":" + std::to_string(restart) + ":" + node; }

std::string slurm_job_name(const std::string& job_folder) {
  return "trainyard-" + sha256(job_folder).hex().substr(0, 24);
}

std::vector<std::string> sbatch_options(const JobSpec& job, const std::string& name, const std::string& log,
                                        std::optional<std::size_t> array) {
  const Placement& placement = job.placement;
  std::vector<std::string> options = placement.arguments;
  const auto set = [&](const char* key, const std::string& value) { options.push_back(option(key, value)); };
  if (placement.partition) set("partition", *placement.partition);
  if (job.limits.cpu_thousandths) set("cpus-per-task", std::to_string((*job.limits.cpu_thousandths + 999) / 1000));
  if (job.limits.memory_bytes) set("mem", std::to_string(mebibytes_for(*job.limits.memory_bytes)) + "M");
  if (job.gpus > 0) set("gres", "gpu:" + std::to_string(job.gpus));
  if (job.max_runtime_ms) set("time", std::to_string(minutes_for(job)));
  set("nodes", std::to_string(placement.nodes.value_or(1)));
  set("ntasks-per-node", "1");
  set("job-name", name);
  set("comment", job.package + " " + job.run.text());
  set("output", log);
  set("open-mode", "append");
  set("input", "/dev/null");
  set("chdir", "/");
  set("export", "ALL");
  if (array) set("array", "0-" + std::to_string(*array - 1));
  options.insert(options.end(), {"--no-requeue", "--parsable"});
  return options;
}

Result<SlurmJobId> submitted_job(const std::string& printed) {
  const auto number = number_in<std::uint64_t>(std::string_view(printed).substr(0, printed.find_first_of(";\n")));
  if (number && *number > 0) return SlurmJobId{*number};
  return fail(Errc::io, "sbatch printed '" + std::string(utf8_prefix(utf8_cleaned(printed), 100)) +
                            "' where the number of a job was expected");
}

std::string slurm_message(const std::string& complained) {
  std::string message;
  for (std::string_view rest = complained; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    for (const std::string_view prefix : {"sbatch: ", "squeue: ", "scancel: ", "slurm_load_jobs ", "error: "})
      if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
    if (!line.empty()) message += (message.empty() ? "" : "; ") + std::string(line);
  }
  return message.empty() ? "it said nothing" : std::string(utf8_prefix(utf8_cleaned(message), 1000));
}

bool slurm_may_answer_later(const std::string& complained) {
  return any_in(complained, {"Socket timed out", "Zero Bytes were transmitted", "Unexpected message received",
                             "Communication connection failure", "Unable to contact slurm controller",
                             "Slurm temporarily unable to accept job", "Resource temporarily unavailable",
                             "Slurm controller not responding", "Connection refused", "job submit limit",
                             "MaxSubmitJob", "Unable to establish controller machine", "backup controller",
                             "in standby mode", "Transport endpoint is not connected"});
}

Result<SlurmQueueEntry> parse_queue_line(std::string_view line) {
  const auto parts = split(line, '|', 6);
  const auto number = number_in<std::uint64_t>(parts.front());
  if (parts.size() != 6 || !number) return fail(Errc::io, "squeue printed '" + std::string(line) + "'");
  return SlurmQueueEntry{{*number, number_in<std::uint64_t>(parts[1])},
                         std::string(parts[2]),
                         std::string(parts[3]),
                         std::string(parts[4]),
                         std::string(parts[5])};
}

std::string queue_line(const SlurmQueueEntry& entry) {
  const std::string index = entry.job.index ? std::to_string(*entry.job.index) : "N/A";
  return std::to_string(entry.job.number) + "|" + index + "|" + entry.state + "|" + entry.reason + "|" + entry.start +
         "|" + entry.name;
}

SlurmPhase phase_of(const SlurmQueueEntry& entry) {
  constexpr std::array<std::string_view, 5> kWaiting = {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD",
                                                        "SPECIAL_EXIT"};
  constexpr std::array<std::string_view, 10> kEnded = {"BOOT_FAIL", "CANCELLED", "COMPLETED",     "DEADLINE",
                                                       "FAILED",    "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED",
                                                       "REVOKED",   "TIMEOUT"};
  const auto is_in = [&](const auto& states) {
    return std::find(states.begin(), states.end(), entry.state) != states.end();
  };
  if (is_in(kWaiting)) return SlurmPhase::waiting;
  return is_in(kEnded) ? SlurmPhase::ended : SlurmPhase::running;
}

Outcome lost_in_slurm(const SlurmJobId& job, const std::optional<SlurmQueueEntry>& entry, const std::string& words) {
  const std::string said = words.empty() ? "" : "; slurm.log says: " + words;
  const auto because = [&](RunReason reason, const std::string& why) { return outcome(reason, why + said); };
  if (!entry) {
    return because(RunReason::lost,
                   "Slurm does not know its job " + job.text() + " any more, and it left no word of its end");
  }
  const std::string state = "Slurm says of its job " + job.text() + ": " + entry->state;
  if (entry->state == "OUT_OF_MEMORY" ||
      any_in(words, {"Exceeded job memory limit", "exceeded memory limit", "oom-kill"}))
    return because(RunReason::out_of_memory, state + ", and it was killed for its memory");
  if (entry->state == "TIMEOUT" || entry->state == "DEADLINE")
    return because(RunReason::max_runtime, state + ", so the cluster's limit of time ended it");
  if (entry->state == "CANCELLED") return because(RunReason::stopped, state + ", so somebody ended it there");
  if (phase_of(*entry) == SlurmPhase::waiting) {
    return because(RunReason::lost, state + " after it had begun, so its node was lost and Slurm would begin it anew");
  }
  return because(RunReason::lost, state + " (" + entry->reason + "), and it left no word of its end");
}

std::string slurm_wait(const SlurmQueueEntry& entry, std::optional<std::size_t> before) {
  std::string text = "it waits in Slurm as job " + entry.job.text() + " (" + entry.reason + ")";
  if (before) text += ", " + std::to_string(*before) + " before it";
  if (entry.start != "N/A" && !entry.start.empty()) text += ", expected to begin at " + entry.start;
  return text;
}

}  // namespace trainyard
