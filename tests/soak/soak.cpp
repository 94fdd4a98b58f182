// SPDX-License-Identifier: Apache-2.0
#include "tests/soak/soak.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <stdexcept>
#include <thread>

namespace trainyard {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kRunsAtOnce = 64;
constexpr std::size_t kCommandsAtOnce = 3;
constexpr std::size_t kEndedRemembered = 300;
constexpr const char* kSlots = "8";
constexpr milliseconds kBetweenTurns{20};
constexpr std::chrono::seconds kLongestEnd{300};

const std::vector<std::string> kPackages = {"counts", "splits", "slow", "tries", "faulty", "forks", "digits"};
constexpr const char* kPythonPackage = "tries_python";

// Answers to a question that came too late or too early, and not trouble.
const char* const kRefusals[] = {"is not over", "and is not over", "is over already", "another command is writing",
                                 "there is no", "has no version",  "keeps it",        "once it is over",
                                 "is labelled", "is approved",     "fits ",           "has no journal yet"};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool is_refusal(const std::string& text) {
  return std::any_of(std::begin(kRefusals), std::end(kRefusals), [&](const char* part) { return has(text, part); });
}

std::string joined(const Arguments& words) {
  std::string text = "trainyard";
  for (const std::string& word : words) text += " " + word;
  return text;
}

std::string text_of(const Path& file) {
  const auto text = read_file(file, std::size_t{1} << 20U);
  return text.ok() ? *text : std::string();
}

}  // namespace

Soak::Soak() {
  store_.must({"store", "config", "slots", kSlots});
  store_.temp().write("data/one.csv", "1,2\n3,4\n");
  store_.temp().write("data/deeper/two.csv", std::string(20'000, '7'));
  for (int i = 0; i < 20; ++i) store_.temp().write("other/" + std::to_string(i), std::to_string(i * i));
  for (const std::string& name : kPackages) store_.add(name);
  store_.must({"package", "add", std::string(TRAINYARD_PYTHON_PACKAGES_DIR) + "/" + kPythonPackage});
}

std::vector<pid_t> Soak::processes(const std::string& named) const {
  std::vector<pid_t> found;
  const auto names = list_folder("/proc");
  if (!names.ok()) throw std::runtime_error(names.error().message);
  for (const std::string& name : *names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const Path process = Path("/proc") / name;
    if (!named.empty() && text_of(process / "comm") != named + "\n") continue;
    boost::system::error_code gone;
    const std::string place = boost::filesystem::read_symlink(process / "cwd", gone).string();
    if (has(text_of(process / "cmdline"), store_.root().string()) || place.starts_with(store_.root().string() + "/"))
      found.push_back(std::stoi(name));
  }
  return found;
}

std::string Soak::any_version() {
  const std::string package = below(9) == 0 ? std::string(kPythonPackage) : kPackages[below(kPackages.size())];
  const auto files = list_folder(store_.root() / "packages" / package);
  std::vector<std::string> versions;
  for (const std::string& file : files.ok() ? *files : std::vector<std::string>()) {
    if (file.ends_with(".json")) versions.push_back(file.substr(0, file.size() - 5));
  }
  return versions.empty() ? package : package + "@" + versions[below(versions.size())];
}

std::string Soak::any_ended_run() { return ended_.empty() ? "none" : ended_[below(ended_.size())]; }

Arguments Soak::arguments_of_run(const std::string& name) {
  // The newest, mostly: versions descend from each other.
  std::string version = any_version();
  const std::string package = version.substr(0, version.find('@'));
  if (below(3) != 0) version = package;
  const bool full = package == "counts" || package == "splits" || package == "faulty";
  const std::size_t chance = below(6);
  const char* type = "training";
  if (package == "splits" || (full && chance == 0)) type = "full";
  if ((full && chance == 1) || (package == "digits" && chance == 1)) type = "evaluation";
  const bool digits = package == "digits";
  Arguments words = {"run",
                     type,
                     version,
                     "--dataset",
                     digits ? (Path(DIGITS_DATA) / (chance == 1 ? "test" : "training")).string()
                            : (store_.temp().path() / (below(2) == 0 ? "data" : "other")).string(),
                     "--name",
                     name,
                     "--json",
                     "--grace",
                     "1s",
                     "--priority",
                     std::to_string(below(3))};
  if (std::string(type) != "evaluation") words.emplace_back("--allow-repeat");
  const auto set = [&](const std::string& variable) { words.insert(words.end(), {"--env", variable}); };
  if (package == "splits") set("split=same");
  if (package == "slow") set("seconds=" + std::to_string(0.1 + 0.2 * static_cast<double>(below(10))));
  if (digits && chance != 1)
    words.insert(words.end(), {"--env", "epochs=1", "--env", "seed=" + std::to_string(below(4))});
  if (package == "tries" || package == kPythonPackage)
    words.insert(words.end(), {"--retries", std::to_string(below(3))});
  if (package == "faulty") {
    const char* const faults[] = {
        "", "", "train throws", "train crashes", "save exits", "train hangs", "train blames", "evaluate throws"};
    const std::string fault = faults[below(std::size(faults))];
    if (!fault.empty()) set("fault=" + fault);
    words.insert(words.end(), {"--max-runtime", "2s"});
  }
  if (std::string(type) != "evaluation" && below(4) == 0) words.emplace_back("--save-training-data");
  if (below(12) == 0) words.emplace_back("--detach");
  return words;
}

void Soak::start_run() {
  const std::string name = "soak-" + std::to_string(++number_);
  const Arguments words = arguments_of_run(name);
  runs_.push_back({joined(words), name, std::make_unique<RunningProgram>(store_.start(words)), false});
  ++done_["runs"];
}

Arguments Soak::command() {
  const std::string run = runs_.empty() ? "none" : runs_[below(runs_.size())].name;
  switch (below(16)) {
    case 0:
    case 1: return {"runs", "stop", run, "--no-wait"};
    case 2: return {"runs", "stop", run, "--now", "--no-wait"};
    case 3: return {"runs", "stop", run};
    case 4:
    case 5: return {"runs", "delete", any_ended_run()};
    case 6:
    case 7: return {"package", "delete", any_version(), "--why", "a soak"};
    case 8: return {"store", "gc", "--apply-now"};
    case 9: return {"store", "gc", "--apply-now", "--no-wait"};
    case 10: {
      const auto files = list_folder(store_.root() / "snapshots");
      if (!files.ok() || files->empty()) break;
      const std::string& file = (*files)[below(files->size())];
      return {"snapshot", "remove", file.substr(0, file.find('.')), "--despite-versions"};
    }
    case 11: {
      store_.temp().write("uploaded/file-" + std::to_string(below(5)), std::string(1000 + below(50'000), 'u'));
      return {"snapshot", "create", (store_.temp().path() / "uploaded").string()};
    }
    case 12:
      // Majors are few: most versions come from runs.
      if (below(4) == 0) return {"package", "add", test_package(kPackages[below(6)] + ".zip").string()};
      break;
    case 13: return {"store", "fsck"};
    case 14: return {"runs", "show", run};
    default: break;
  }
  return {"runs", "list", "--json"};
}

void Soak::start_command() {
  const Arguments words = command();
  commands_.push_back({joined(words), "", std::make_unique<RunningProgram>(store_.start(words)), false});
  ++done_[words[0] + " " + words[1]];
}

void Soak::kill_somebody() {
  switch (below(4)) {
    case 0: {
      if (runs_.empty()) return;
      Running& victim = runs_[below(runs_.size())];
      victim.killed = true;
      victim.program->signal(SIGKILL);
      ++done_["killed runners"];
      return;
    }
    case 1: {
      if (commands_.empty()) return;
      Running& victim = commands_[below(commands_.size())];
      victim.killed = true;
      victim.program->signal(SIGKILL);
      ++done_["killed commands"];
      return;
    }
    default: {
      const bool inner = below(2) == 0;
      const auto found = processes(inner ? "trainyard-inner" : "trainyard-super");
      if (found.empty()) return;
      ::kill(found[below(found.size())], SIGKILL);
      ++done_[inner ? "killed jobs" : "killed supervisors"];
    }
  }
}

void Soak::judge(const Running& ended, const ProgramOutput& output) {
  const auto complain = [&](const std::string& why) {
    wrong_.push_back(ended.what + ": " + why + "; stdout: " + output.out.substr(0, 300) + "; stderr: " + output.err);
  };
  if (has(output.err, "mistake of Trainyard itself")) return complain("a mistake");
  if (has(output.err, "cannot be ended")) return complain("a run that cannot be ended");
  if (output.status.signal) {
    if (!ended.killed) complain("ended by signal " + std::to_string(*output.status.signal));
    return;
  }
  const int code = *output.status.code;
  if (ended.name.empty()) {
    if (code != 0 && !is_refusal(output.err)) complain("exit code " + std::to_string(code));
    return;
  }
  if (code == 3 || (code == 2 && !is_refusal(output.err))) return complain("exit code " + std::to_string(code));
  if (code != 0) return;
  const Json told = Json::parse(output.out, nullptr, false);
  if (told.is_discarded()) return complain("its output is no JSON");
  if (!told.contains("run_summary")) return;
  const Json& outputs = told.at("run_summary").at("outputs");
  if (!outputs.contains("version")) return;
  const std::string made = outputs.at("package").get<std::string>() + "@" + outputs.at("version").get<std::string>();
  if (!told_.insert(made).second) complain("the version " + made + " was made before");
}

void Soak::reap(std::deque<Running>& running) {
  for (auto one = running.begin(); one != running.end();) {
    if (!one->program->has_ended()) {
      ++one;
      continue;
    }
    judge(*one, one->program->wait());
    if (!one->name.empty()) ended_.push_back(one->name);
    if (ended_.size() > kEndedRemembered) ended_.pop_front();
    one = running.erase(one);
  }
}

void Soak::go(std::chrono::seconds time) {
  const auto end = steady_clock::now() + time;
  while (steady_clock::now() < end) {
    for (int i = 0; i < 4 && runs_.size() < kRunsAtOnce; ++i) start_run();
    if (commands_.size() < kCommandsAtOnce && below(3) == 0) start_command();
    if (below(12) == 0) kill_somebody();
    std::this_thread::sleep_for(kBetweenTurns);
    reap(runs_);
    reap(commands_);
  }
  come_to_an_end();
}

void Soak::come_to_an_end() {
  const auto give_up = steady_clock::now() + kLongestEnd;
  const auto some_are_active = [&] {
    const auto active = list_folder(store_.root() / "active");
    return !active.ok() || !active->empty();
  };
  while (!runs_.empty() || !commands_.empty() || some_are_active() || !processes().empty()) {
    if (steady_clock::now() > give_up) {
      wrong_.emplace_back("something does not come to its end");
      return;
    }
    reap(runs_);
    reap(commands_);
    // Those whose runner was killed while they waited have to be gone on with, or they would be the last command's.
    if (runs_.empty() && commands_.empty()) {
      const ProgramOutput looked = store_.run({"runs", "list", "--json"});
      judge({"trainyard runs list at the end", "", nullptr, false}, looked);
    }
    std::this_thread::sleep_for(milliseconds(200));
  }
}

std::string Soak::tally() const {
  std::string text;
  for (const auto& [what, count] : done_) text += (text.empty() ? "" : ", ") + what + ": " + std::to_string(count);
  return text;
}

}  // namespace trainyard
