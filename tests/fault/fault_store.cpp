// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/fault_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <thread>

#include "runner/processes/run_program.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestCommand = std::chrono::seconds(60);
constexpr milliseconds kLongestJob = std::chrono::seconds(20);
constexpr unsigned kNobody = 65534;
constexpr const char* kModes[] = {"kill", "kill_after", "tear", "fail", "fail_on", "cut", "pause"};

template <class T>
T require(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

const std::map<std::string, std::string> kEnvironment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}};

void give_to(const Path& path, unsigned user) {
  if (::lchown(path.c_str(), user, user) != 0) throw std::runtime_error("cannot give away '" + path.string() + "'");
}

void give_all_to(const Path& root, unsigned user) {
  give_to(root, user);
  for (const auto& entry : boost::filesystem::recursive_directory_iterator(root)) give_to(entry.path(), user);
}

bool works_in(const Path& process, const Path& folder) {
  boost::system::error_code gone;
  const std::string place = boost::filesystem::read_symlink(process / "cwd", gone).string();
  return !gone && (place == folder.string() || place.starts_with(folder.string() + "/"));
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
                                                {"package", "add", FaultStore::package("slow").string()},
                                                {"package", "add", FaultStore::package("tries").string()},
                                                {"package", "add", FaultStore::package("faulty").string()}}) {
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
    boost::filesystem::permissions(folder.path(), boost::filesystem::perms(0755));
    return folder.path() / "data";
  }();
  return path;
}

Path FaultStore::package(const std::string& name) { return Path(TRAINYARD_TEST_PACKAGES_DIR) / (name + ".zip"); }

bool FaultStore::run_as_nobody() {
  prefix_ = {"/usr/bin/setpriv", "--reuid=" + std::to_string(kNobody), "--regid=" + std::to_string(kNobody),
             "--clear-groups", "--"};
  boost::filesystem::permissions(folder_.path(), boost::filesystem::perms(0755));
  std::vector<std::string> argv = prefix_;
  argv.insert(argv.end(), {TRAINYARD_PROGRAM, "--version"});
  const auto tried = run_program(argv, kEnvironment, "/", "", kLongestCommand);
  if (tried.ok() && tried->status.code == 0) return true;
  std::cout << "skipped: the programs cannot be run as another user here" << std::endl;
  return false;
}

void FaultStore::give_to_nobody() const {
  give_to(folder_.path(), kNobody);
  give_all_to(root_, kNobody);
}
void FaultStore::take_back() const { give_all_to(root_, ::geteuid()); }

std::vector<std::string> FaultStore::argv_of(const std::vector<std::string>& words) const {
  std::vector<std::string> argv = prefix_;
  argv.emplace_back(TRAINYARD_PROGRAM);
  argv.insert(argv.end(), words.begin(), words.end());
  argv.insert(argv.end(), {"--store", root_.string()});
  return argv;
}

std::map<std::string, std::string> FaultStore::environment(const std::optional<Fault>& fault) const {
  std::map<std::string, std::string> environment = kEnvironment;
  if (!fault) return environment;
  const Path report = folder_.path() / "calls.txt";
  const Path backups = folder_.path() / "backups";
  require(remove_file(report));
  require(remove_tree(backups));
  require(make_folder(backups));
  environment["LD_PRELOAD"] = TRAINYARD_FAULT_POINT;
  environment["FAULT_IN"] = fault->in == Fault::In::supervisor ? "supervisor" : "trainyard";
  environment["FAULT_AT"] = std::to_string(fault->at);
  environment["FAULT_MODE"] = kModes[static_cast<std::size_t>(fault->mode)];
  environment["FAULT_ERRNO"] = std::to_string(fault->error_number);
  environment["FAULT_VICTIMS"] = fault->victims;
  environment["FAULT_LOST"] = std::to_string(fault->lost);
  environment["FAULT_BACKUPS"] = backups.string();
  environment["FAULT_REPORT"] = report.string();
  environment["FAULT_CLOCK_FILE"] = fault->clock_file;
  environment["FAULT_CLOCK"] = std::to_string(fault->clock_seconds);
  return environment;
}

CommandEnd FaultStore::run(const std::vector<std::string>& words, const std::optional<Fault>& fault) const {
  const ProgramOutput output = require(run_program(argv_of(words), environment(fault), "/", "", kLongestCommand));
  CommandEnd end{output.status.code, output.status.signal, output.out, output.err, {}};
  if (fault) end.calls = require(RunFolder::lines(folder_.path() / "calls.txt"));
  return end;
}

Process FaultStore::start(const std::vector<std::string>& words, const Path& told,
                          const std::optional<Fault>& fault) const {
  const UniqueFd out = require(open_file(told, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  SpawnOptions options;
  options.argv = argv_of(words);
  options.environment = environment(fault);
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
    const Path process = Path("/proc") / name;
    if (command_line(process).find(root_.string()) != std::string::npos || works_in(process, root_))
      found.push_back(std::stoi(name));
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
