// SPDX-License-Identifier: Apache-2.0
#include "runner/executors/slurm_commands.hpp"

#include <array>
#include <sstream>

#include "runner/jobs/sealed_secrets.hpp"
#include "runner/processes/own_environment.hpp"
#include "runner/processes/run_program.hpp"

namespace trainyard {

namespace {

// Those by which people choose once for all their jobs; the others would change what Trainyard relies on.
constexpr std::array<const char*, 18> kPassedOn = {"PATH",
                                                   "HOME",
                                                   "USER",
                                                   "LOGNAME",
                                                   "TZ",
                                                   "SLURM_CONF",
                                                   "SLURM_CONF_SERVER",
                                                   "SLURM_JWT",
                                                   "SBATCH_ACCOUNT",
                                                   "SBATCH_PARTITION",
                                                   "SBATCH_QOS",
                                                   "SBATCH_RESERVATION",
                                                   "SBATCH_CONSTRAINT",
                                                   "SBATCH_TIMELIMIT",
                                                   "SBATCH_GRES",
                                                   "SBATCH_WCKEY",
                                                   "SBATCH_POWER",
                                                   "SBATCH_NETWORK"};

Result<std::string> program_of_slurm(const char* name, const std::string& path) {
  auto program = find_program(name, path);
  if (program.ok()) return program;
  return fail(program.error().code, program.error().message +
                                        "; install Slurm's client programs (Debian: slurm-client), or run with "
                                        "--executor local");
}

bool is_unknown_job(const std::string& complained) {
  // Of a job that it does not list "scancel --signal" says nothing at all.
  return complained.ends_with(": " + slurm_message("")) || complained.find("Invalid job id") != std::string::npos ||
         complained.find("already completing or completed") != std::string::npos ||
         complained.find("Job/step already") != std::string::npos;
}

}  // namespace

SlurmCommands::SlurmCommands(const std::map<std::string, std::string>& environment, std::chrono::milliseconds patience)
    : patience_(patience) {
  for (const char* const name : kPassedOn) {
    if (const auto found = environment.find(name); found != environment.end()) environment_.insert(*found);
  }
  environment_.try_emplace("PATH", kUsualPath);
  // What is read must not be translated.
  environment_["LC_ALL"] = "C";
}

Result<std::string> SlurmCommands::call(const char* program, const std::vector<std::string>& arguments,
                                        const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> argv = {TRY(program_of_slurm(program, environment_.at("PATH")))};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto output = run_program(argv, environment, "/", "", patience_);
  if (!output.ok() && output.error().code == Errc::timed_out)
    return fail(Errc::unavailable, "Slurm does not answer, or takes no more jobs now: " + output.error().message);
  if (!output.ok()) return output.error();
  if (output->status.code == 0) return output->out;
  const std::string words = std::string(program) + " says: " + slurm_message(output->err);
  return fail(slurm_may_answer_later(output->err) ? Errc::unavailable : Errc::invalid, words);
}

Result<SlurmJobId> SlurmCommands::submit(const std::vector<std::string>& options, const Path& script,
                                         const std::vector<std::string>& argv, const std::string& secrets_key) const {
  std::vector<std::string> arguments = options;
  arguments.push_back(script.string());
  arguments.insert(arguments.end(), argv.begin(), argv.end());
  std::map<std::string, std::string> environment = environment_;
  if (!secrets_key.empty()) environment[kSecretsKey] = secrets_key;
  return submitted_job(TRY(call("sbatch", arguments, environment)));
}

Result<std::vector<SlurmQueueEntry>> SlurmCommands::queue() const { return ask_queue({}); }

Result<std::vector<SlurmQueueEntry>> SlurmCommands::jobs_named(const std::string& name) const {
  return ask_queue({"--states=all", "--name=" + name});
}

Result<std::vector<SlurmQueueEntry>> SlurmCommands::ask_queue(const std::vector<std::string>& which) const {
  std::vector<std::string> arguments = {"--me", "--array", "--noheader", std::string("--format=") + kSqueueFormat};
  arguments.insert(arguments.end(), which.begin(), which.end());
  std::istringstream lines(TRY(call("squeue", arguments, environment_)));
  std::vector<SlurmQueueEntry> entries;
  for (std::string line; std::getline(lines, line);) entries.push_back(TRY(parse_queue_line(line)));
  return entries;
}

Result<std::vector<std::string>> SlurmCommands::waiting() const {
  std::istringstream lines(
      TRY(call("squeue", {"--states=PENDING", "--array", "--noheader", "--sort=-p,i", "--format=%i"}, environment_)));
  std::vector<std::string> jobs;
  for (std::string line; std::getline(lines, line);) jobs.push_back(line);
  return jobs;
}

Result<void> SlurmCommands::cancel(const SlurmJobId& job) const {
  const auto done = call("scancel", {job.text()}, environment_);
  if (done.ok() || is_unknown_job(done.error().message)) return {};
  return done.error();
}

Result<void> SlurmCommands::signal(const SlurmJobId& job, const char* name) const {
  const auto done = call("scancel", {"--batch", std::string("--signal=") + name, job.text()}, environment_);
  if (done.ok() || is_unknown_job(done.error().message)) return {};
  return done.error();
}

}  // namespace trainyard
