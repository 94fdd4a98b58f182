// SPDX-License-Identifier: Apache-2.0
#include "tests/support/test_store.hpp"
#include "tests/support/required.hpp"

#include <fcntl.h>
#include <sstream>

#include <csignal>
#include <stdexcept>
#include <thread>

namespace trainyard {

namespace {

constexpr auto kLongest = std::chrono::seconds(120);
constexpr auto kBetweenLooks = std::chrono::milliseconds(5);

Arguments program(const Arguments& arguments) {
  Arguments argv = {TRAINYARD_PROGRAM};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Arguments words_of(const std::string& type, const std::string& name, const std::string& package, const Path& dataset,
                   const Arguments& more) {
  Arguments arguments = {"run", type, package, "--dataset", dataset.string(), "--name", name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

std::string read_text(const Path& file) { return required(read_file(file, SIZE_MAX / 4)); }

Json read_json(const Path& file) { return required(parse_json(read_text(file), "the file '" + file.string() + "'")); }

std::vector<Json> read_json_lines(const Path& file) {
  std::vector<Json> lines;
  if (!is_there(file)) return lines;
  const std::string text = read_text(file);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(
        required(parse_json(std::string_view(text).substr(begin, end - begin), "a line of '" + file.string() + "'")));
    begin = end + 1;
  }
  return lines;
}

bool wait_until(const std::function<bool()>& condition) {
  const auto last = std::chrono::steady_clock::now() + kLongest;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > last) return false;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return true;
}

RunningProgram::RunningProgram(const Path& scratch, const Arguments& argv, const Variables& environment)
    : out_(scratch_name(scratch, "stdout")), err_(scratch_name(scratch, "stderr")) {
  const UniqueFd out = required(open_file(out_, O_WRONLY | O_CREAT | O_EXCL, 0600));
  const UniqueFd err = required(open_file(err_, O_WRONLY | O_CREAT | O_EXCL, 0600));
  SpawnOptions options;
  options.argv = argv;
  options.environment = environment;
  options.out = out.get();
  options.err = err.get();
  options.group = SpawnOptions::Group::own;
  process_.emplace(required(Process::spawn(options)));
}

void RunningProgram::signal(int number) { required(process_->signal(number)); }

bool RunningProgram::has_ended() { return required(process_->wait(std::chrono::milliseconds(0))).has_value(); }

ProgramOutput RunningProgram::wait() {
  const auto status = required(process_->wait(std::chrono::duration_cast<std::chrono::milliseconds>(kLongest)));
  if (!status) throw std::runtime_error("the program does not end; it said: " + read_text(err_));
  return {*status, read_text(out_), read_text(err_)};
}

std::string EndedRun::message() const {
  const Json& message = traceability().at("message");
  return message.is_null() ? std::string() : message.get<std::string>();
}

std::string EndedRun::version() const {
  const Json& version = results.at("run_summary").at("outputs").at("version");
  return version.is_null() ? std::string() : version.get<std::string>();
}

TestStore::TestStore() : root_(temp_.path() / "store") {
  must({"init"});
  // Tests that let runs wait for one another say so; the others must not depend on how many cores there are.
  must({"store", "config", "slots", "100"});
}

Variables TestStore::environment(const Variables& variables) const {
  Variables all = {{"TRAINYARD_STORE", root_.string()}, {"HOME", temp_.path().string()}, {"PATH", "/usr/bin:/bin"}};
  for (const auto& [name, value] : variables) all[name] = value;
  return all;
}

ProgramOutput TestStore::run(const Arguments& arguments, const Variables& variables) const {
  return required(run_program(program(arguments), environment(variables), temp_.path().string(), "",
                              std::chrono::duration_cast<std::chrono::milliseconds>(kLongest)));
}

RunningProgram TestStore::start(const Arguments& arguments, const Variables& variables) const {
  return {temp_.path(), program(arguments), environment(variables)};
}

std::string TestStore::must(const Arguments& arguments) const {
  const ProgramOutput output = run(arguments);
  if (output.status.code != 0) throw std::runtime_error("trainyard " + arguments.at(0) + ": " + output.err);
  return output.out;
}

Json TestStore::json(Arguments arguments) const {
  arguments.emplace_back("--json");
  return required(parse_json(must(arguments), "the output of trainyard " + arguments.at(0)));
}

void TestStore::add(const std::string& name) const { must({"package", "add", test_package(name + ".zip").string()}); }

EndedRun TestStore::train(const std::string& package, const Path& dataset, const Arguments& more) {
  return carry_out("training", package, dataset, more);
}

EndedRun TestStore::carry_out(const std::string& type, const std::string& package, const Path& dataset,
                              const Arguments& more) {
  const std::string name = "run-" + std::to_string(++trained_);
  return end(name, run(words_of(type, name, package, dataset, more)));
}

RunningProgram TestStore::start_training(const std::string& name, const std::string& package, const Path& dataset,
                                         const Arguments& more) const {
  return start(words_of("training", name, package, dataset, more));
}

EndedRun TestStore::end(const std::string& name, ProgramOutput output) const {
  const auto folder = run_folder(name);
  if (!folder) throw std::runtime_error("there is no run '" + name + "'; it said: " + output.err);
  return {std::move(output), *folder, read_json(*folder / "_results.json")};
}

std::optional<Path> TestStore::run_folder(const std::string& name) const {
  for (const std::string& id : required(list_folder(root_ / "runs"))) {
    const Path folder = root_ / "runs" / id;
    if (is_there(folder / "plan.json") && read_json(folder / "plan.json").at("name") == name) return folder;
  }
  return std::nullopt;
}

void TestStore::wait_for_the_call(const std::string& name) const {
  const bool called = wait_until([&] {
    const auto folder = run_folder(name);
    if (!folder) return false;
    for (const Json& event : read_json_lines(*folder / "events.jsonl")) {
      if (event.at("event") == "called" && event.at("verb") == "train") return true;
    }
    return false;
  });
  if (!called) throw std::runtime_error("the run '" + name + "' never came to its package");
}

std::vector<std::string> TestStore::versions(const std::string& package) const {
  std::vector<std::string> versions;
  for (const Json& record : json({"package", "list"})) {
    if (record.at("package") == package) versions.push_back(record.at("version").get<std::string>());
  }
  return versions;
}

std::string TestStore::schema_mistakes() const {
  static const std::map<std::string, std::string> kDocuments = {
      {"results", "_results.json"}, {"plan", "plan.json"},        {"job", "job.json"},
      {"exit", "exit.json"},        {"journal", "journal.jsonl"}, {"event", "events.jsonl"}};
  std::map<std::string, Arguments> files;  // by schema
  for (const std::string& id : required(list_folder(root_ / "runs"))) {
    for (const auto& [schema, file] : kDocuments) {
      const Path folder = root_ / "runs" / id;
      std::vector<Path> folders = {folder};
      if (is_folder(folder / "attempts")) {
        for (const std::string& attempt : required(list_folder(folder / "attempts")))
          folders.push_back(folder / "attempts" / attempt);
      }
      for (const Path& place : folders) {
        if (is_there(place / file)) files[schema].push_back((place / file).string());
      }
    }
  }
  for (const std::string& name : required(list_folder(root_ / "datasets"))) {
    for (const std::string& file : required(list_folder(root_ / "datasets" / name)))
      files["dataset"].push_back((root_ / "datasets" / name / file).string());
  }
  std::string mistakes;
  for (const auto& [schema, paths] : files) {
    Arguments argv = {TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_SCHEMAS, "--schema", schema};
    argv.insert(argv.end(), paths.begin(), paths.end());
    const auto checked = required(run_program(argv, {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}}, "/", "",
                                              std::chrono::duration_cast<std::chrono::milliseconds>(kLongest)));
    if (checked.status.code != 0) mistakes += checked.err + checked.out;
  }
  return mistakes;
}

std::string TestStore::leftovers() const {
  std::string left;
  for (const char* const folder : {"active", "tmp"}) {
    for (const std::string& name : required(list_folder(root_ / folder))) {
      // How data can be mounted here is remembered for the next run.
      if (!(name.starts_with("mount-probe-") && name.ends_with(".json")))
        left += std::string(folder) + "/" + name + "\n";
    }
  }
  if (is_folder(root_ / "queue")) {
    for (const std::string& name : required(list_folder(root_ / "queue")))
      if (name != "lock") left += "queue/" + name + "\n";
  }
  for (const std::string& id : required(list_folder(root_ / "runs"))) {
    if (is_there(root_ / "runs" / id / "workspace")) left += "runs/" + id + "/workspace\n";
  }
  return left;
}

std::vector<Arguments> readme_commands(const Path& readme, const std::string& section, const std::string& data) {
  const std::string text = read_text(readme);
  const std::string fence = "```sh\n";
  const std::size_t heading = text.find("\n## " + section + "\n");
  const std::size_t begin = text.find(fence, heading);
  if (heading == std::string::npos || begin == std::string::npos)
    throw std::runtime_error("the README has no commands of '" + section + "'");
  std::istringstream block(text.substr(begin + fence.size(), text.find("\n```", begin) - begin - fence.size()));
  std::vector<Arguments> commands;
  for (std::string line; std::getline(block, line);) {
    std::istringstream said(line.substr(0, line.find("  ")));
    Arguments words;
    for (std::string word; said >> word;) words.push_back(word == "./data/training" ? data : word);
    if (words.empty() || words.front() != "trainyard") throw std::runtime_error("no command of ours: " + line);
    words.erase(words.begin());
    commands.push_back(std::move(words));
  }
  return commands;
}

Path test_package(const std::string& file) {
  for (const char* const folder : {TRAINYARD_TEST_PACKAGES_DIR, TRAINYARD_ABI_PACKAGES_DIR, DIGITS_DIR}) {
    if (is_there(Path(folder) / file)) return Path(folder) / file;
  }
  throw std::runtime_error("the build made no package '" + file + "'");
}

Arguments crash_plainly() {
#ifdef __SANITIZE_ADDRESS__
  return {"--env", "ASAN_OPTIONS=handle_segv=0:allocator_may_return_null=1:detect_leaks=0"};
#else
  return {};
#endif
}

}  // namespace trainyard
