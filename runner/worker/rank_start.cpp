// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/rank_start.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "runner/core/slurm_job.hpp"
#include "runner/jobs/sealed_secrets.hpp"
#include "runner/processes/own_environment.hpp"
#include "runner/processes/run_program.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr const char* kHosts = "TRAINYARD_HOSTS";
constexpr const char* kMeeting = "TRAINYARD_RENDEZVOUS";
constexpr std::chrono::seconds kLongestQuestion{10};

std::string text_of_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::vector<std::string> words_between(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

std::map<std::string, std::string> told_by(const WorkerMeeting& meeting, std::map<std::string, std::string> variables) {
  std::string& hosts = variables[kHosts];
  hosts.clear();
  for (const std::string& host : meeting.hosts) hosts += (hosts.empty() ? "" : ",") + host;
  variables[kMeeting] = meeting.hosts.front() + ":" + std::to_string(meeting.port);
  return variables;
}

Result<Process> start_rank(const Path& run_folder, int rank, const WorkerMeeting& meeting, int secrets,
                           std::map<std::string, std::string> variables) {
  SpawnOptions options;
  options.program = "/proc/self/exe";
  options.argv = {"trainyard-worker", "supervise-rank", run_folder.string(), std::to_string(rank),
                  std::to_string(::getpid())};
  options.environment = told_by(meeting, std::move(variables));
  options.in = secrets;
  // A signal to the group of this process must not reach it twice.
  options.group = SpawnOptions::Group::own;
  options.blocked_signals = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1};
  return Process::spawn(options);
}

class LocalRankStart final : public RankStart {
 public:
  Result<std::vector<std::string>> hosts(int workers) override { return local_hosts(workers); }

  Result<std::vector<StartedRanks>> start(const Path& run_folder, const WorkerMeeting& meeting, int secrets) override {
    std::vector<StartedRanks> started;
    for (int rank = 0; rank < static_cast<int>(meeting.hosts.size()); ++rank) {
      Process process = TRY(start_rank(run_folder, rank, meeting, secrets, {{"PATH", kUsualPath}}));
      started.push_back({std::move(process), {rank}});
    }
    return started;
  }
};

// Of a program of Slurm that this process starts, but for the key to the job's secrets.
std::map<std::string, std::string> environment_in_slurm() {
  auto variables = own_environment();
  variables.erase(kSecretsKey);
  return variables;
}

Result<std::string> program_of_node(const std::string& name) {
  const std::string path = text_of_variable("PATH");
  return find_program(name, path.empty() ? kUsualPath : path);
}

Result<std::string> ask_scontrol(std::vector<std::string> words) {
  const std::string scontrol = TRY(program_of_node("scontrol"));
  words.insert(words.begin(), scontrol);
  auto told = TRY(run_program(words, environment_in_slurm(), "/", "", kLongestQuestion));
  if (told.status.code == 0) return std::move(told.out);
  return fail(Errc::io, "scontrol says: " + slurm_message(told.err));
}

// By the nodes' names, which need not be names that the network knows: "NodeName=n1 ... NodeAddr=10.0.0.1 ...", a line each.
std::map<std::string, std::string> node_addresses(const std::string& nodes) {
  std::map<std::string, std::string> addresses;
  std::string name;
  std::istringstream words(nodes);
  for (std::string word; words >> word;) {
    if (word.starts_with("NodeName=")) name = word.substr(word.find('=') + 1);
    if (word.starts_with("NodeAddr=")) addresses[name] = word.substr(word.find('=') + 1);
  }
  return addresses;
}

class SlurmRankStart final : public RankStart {
 public:
  Result<std::vector<std::string>> hosts(int workers) override {
    const std::string list = text_of_variable("SLURM_JOB_NODELIST");
    const std::vector<std::string> names = words_between(TRY(ask_scontrol({"show", "hostnames", list})), '\n');
    if (static_cast<int>(names.size()) != workers) {
      return fail(Errc::invalid, "the run has " + std::to_string(workers) + " workers, and Slurm gave it the nodes '" +
                                     list + "', which are " + std::to_string(names.size()));
    }
    const auto addresses = node_addresses(TRY(ask_scontrol({"show", "nodes", "--oneliner", list})));
    std::vector<std::string> hosts;
    for (const std::string& name : names) {
      const auto address = addresses.find(name);
      hosts.push_back(address == addresses.end() ? name : address->second);
    }
    return hosts;
  }

  Result<std::vector<StartedRanks>> start(const Path& run_folder, const WorkerMeeting& meeting, int secrets) override {
    std::vector<StartedRanks> started;
    Process first = TRY(start_rank(run_folder, 0, meeting, secrets, environment_in_slurm()));
    started.push_back({std::move(first), {0}});
    const std::string others = std::to_string(meeting.hosts.size() - 1);
    boost::system::error_code error;
    const Path worker = boost::filesystem::read_symlink("/proc/self/exe", error);
    if (error) return fail(Errc::io, "cannot find out which program this is: " + error.message());
    SpawnOptions options;
    const std::string srun = TRY(program_of_node("srun"));
    options.argv = {srun,
                    "--ntasks=" + others,
                    "--nodes=" + others,
                    "--ntasks-per-node=1",
                    "--relative=1",
                    "--kill-on-bad-exit=0",
                    "--wait=0",
                    "--quiet",
                    worker.string(),
                    "supervise-rank",
                    run_folder.string()};
    options.environment = told_by(meeting, environment_in_slurm());
    options.in = secrets;
    options.group = SpawnOptions::Group::own;
    Process rest = TRY(Process::spawn(options));
    std::vector<int> ranks;
    for (int rank = 1; rank < static_cast<int>(meeting.hosts.size()); ++rank) ranks.push_back(rank);
    // The first step that this job begins, and the only one.
    started.push_back({std::move(rest), std::move(ranks), text_of_variable("SLURM_JOB_ID") + ".0"});
    return started;
  }
};

}  // namespace

std::unique_ptr<RankStart> ranks_on_this_machine() { return std::make_unique<LocalRankStart>(); }

std::unique_ptr<RankStart> ranks_of_slurm() { return std::make_unique<SlurmRankStart>(); }

Result<void> signal_ranks(StartedRanks& started, int number) {
  if (started.step.empty() || number != SIGTERM) return started.process.signal(number);
  const std::string scancel = TRY(program_of_node("scancel"));
  const auto told =
      run_program({scancel, "--signal=TERM", started.step}, environment_in_slurm(), "/", "", kLongestQuestion);
  if (told.ok() && told->status.code == 0) return {};
  return fail(Errc::unavailable,
              "Slurm cannot be asked to stop " + started.step + ": " + (told.ok() ? told->err : told.error().message));
}

Result<WorkerMeeting> meeting_of(const JobSpec& job) {
  WorkerMeeting meeting;
  meeting.hosts = words_between(text_of_variable(kHosts), ',');
  const std::string address = text_of_variable(kMeeting);
  const std::size_t colon = address.rfind(':');
  const auto port = number_in<int>(std::string_view(address).substr(colon == std::string::npos ? 0 : colon + 1));
  const auto directory = job.directories.find("rendezvous");
  if (meeting.hosts.empty() || !port || directory == job.directories.end())
    return fail(Errc::invalid, "nobody has told this worker where the others are");
  meeting.port = *port;
  meeting.directory = directory->second;
  meeting.sharding = job.placement.sharding;
  return meeting;
}

Result<int> free_port() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (!socket || ::bind(socket.get(), raw, size) != 0 || ::getsockname(socket.get(), raw, &size) != 0)
    return system_error("find", "a free port", errno);
  return int{ntohs(address.sin_port)};
}

}  // namespace trainyard
