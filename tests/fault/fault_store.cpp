// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/fault_store.hpp"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "runner/processes/run_program.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestCommand = std::chrono::seconds(60);
constexpr milliseconds kLongestJob = std::chrono::seconds(20);
constexpr const char* kModes[] = {"kill", "kill_after", "tear", "fail", "fail_on"};

template <class T>
T require(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

const std::map<std::string, std::string> kEnvironment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}};

std::vector<std::string> argv_of(const Path& root, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {TRAINYARD_PROGRAM};
  argv.insert(argv.end(), words.begin(), words.end());
  argv.insert(argv.end(), {"--store", root.string()});
  return argv;
}

// Empty for a process that has ended, and for one of the kernel.
std::string command_line(const Path& process) {
  for (;;) {
    const auto text = read_file(process / "cmdline", std::size_t{1} << 20U);
    if (!text.ok() || !text->empty()) return text.ok() ? *text : std::string();
    // A program that is just being started has its name for a moment before it has its arguments.
    boost::system::error_code gone;
    const Path program = boost::filesystem::read_symlink(process / "exe", gone);
    if (gone || program.filename() != "trainyard-worker") return {};
  }
}

void make_fresh(const FaultStore& store) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"init"},
                                                {"package", "add", FaultStore::package("counts").string()},
                                                {"package", "add", FaultStore::package("slow").string()}}) {
    const CommandEnd made = store.run(words);
    if (made.code != 0) throw std::runtime_error("cannot prepare a store: " + made.story());
  }
}

}  // namespace

bool CommandEnd::reached(std::size_t at) const {
  return std::any_of(calls.begin(), calls.end(), [at](const std::string& call) { return std::stoul(call) >= at; });
}

std::string CommandEnd::story() const {
  std::string text = code ? "exit code " + std::to_string(*code) : "signal " + std::to_string(signal.value_or(0));
  if (!calls.empty()) text += "\nlast call: " + calls.back();
  return text + "\nstdout: " + out + "\nstderr: " + err;
}

FaultStore::FaultStore(const FaultStore& other) {
  boost::filesystem::copy(other.root_, root_, boost::filesystem::copy_options::recursive);
}

FaultStore::~FaultStore() {
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
}

const FaultStore& FaultStore::fresh() {
  static const FaultStore store;
  static const bool made = (make_fresh(store), true);
  static_cast<void>(made);
  return store;
}

const Path& FaultStore::dataset() {
  static const TempFolder folder;
  static const Path path = [] {
    folder.write("data/a.txt", "one\n");
    folder.write("data/deeper/b.txt", "two\n");
    folder.write("data/empty", "");
    folder.folder("data/hollow");
    return folder.path() / "data";
  }();
  return path;
}

Path FaultStore::package(const std::string& name) { return Path(TRAINYARD_TEST_PACKAGES_DIR) / (name + ".zip"); }

CommandEnd FaultStore::run(const std::vector<std::string>& words, const std::optional<Fault>& fault) const {
  std::map<std::string, std::string> environment = kEnvironment;
  const Path report = folder_.path() / "calls.txt";
  if (fault) {
    static_cast<void>(remove_file(report));
    environment["LD_PRELOAD"] = TRAINYARD_FAULT_POINT;
    environment["FAULT_AT"] = std::to_string(fault->at);
    environment["FAULT_MODE"] = kModes[static_cast<std::size_t>(fault->mode)];
    environment["FAULT_ERRNO"] = std::to_string(fault->error_number);
    environment["FAULT_REPORT"] = report.string();
  }
  const ProgramOutput output = require(run_program(argv_of(root_, words), environment, "/", "", kLongestCommand));
  CommandEnd end{output.status.code, output.status.signal, output.out, output.err, {}};
  if (fault) end.calls = require(RunFolder::lines(report));
  return end;
}

Process FaultStore::start(const std::vector<std::string>& words, const Path& told) const {
  const UniqueFd out = require(open_file(told, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  SpawnOptions options;
  options.argv = argv_of(root_, words);
  options.environment = kEnvironment;
  options.out = out.get();
  options.err = out.get();
  return require(Process::spawn(options));
}

CommandEnd FaultStore::train(const std::optional<Fault>& fault) const {
  return run({"run", "training", "counts", "--dataset", dataset().string(), "--save-training-data"}, fault);
}

Json FaultStore::list_runs() const {
  const CommandEnd listed = run({"runs", "list", "--json"});
  if (listed.code != 0) throw std::runtime_error("cannot list the runs: " + listed.story());
  return require(parse_json(listed.out, "the list of runs"));
}

std::vector<pid_t> FaultStore::processes() const {
  std::vector<pid_t> found;
  for (const std::string& name : require(list_folder("/proc"))) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (command_line(Path("/proc") / name).find(root_.string()) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

void FaultStore::wait_until_quiet() const {
  const auto give_up = std::chrono::steady_clock::now() + kLongestJob;
  while (!processes().empty()) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("a job does not end");
    std::this_thread::sleep_for(milliseconds(2));
  }
}

std::string FaultStore::last_state() const {
  const RunFolders folders(root_ / "runs", root_ / "active");
  const auto runs = require(folders.list());
  if (runs.empty()) return "none";
  const auto lines = require(RunFolder::lines(folders.folder(runs.back()).journal()));
  if (lines.empty()) return "none";
  return require(parse_json(lines.back(), "the journal")).at("state").get<std::string>();
}

}  // namespace trainyard
