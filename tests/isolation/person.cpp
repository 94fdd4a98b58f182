// SPDX-License-Identifier: Apache-2.0
#include "tests/isolation/person.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>

namespace trainyard {

namespace {

constexpr uid_t kNobody = 65534;
constexpr std::chrono::seconds kLongest{180};

template <class T>
T required(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

}  // namespace

std::string PersonsRun::message() const {
  const Json& message = results.at("traceability").at("message");
  return message.is_null() ? std::string() : message.get<std::string>();
}

bool Person::can_be(Kind kind) { return kind == Kind::myself || ::geteuid() == 0; }

std::unique_ptr<Person> Person::with_small_store(const std::string& options) {
  std::unique_ptr<Person> person(new Person(Kind::myself, options));
  return person->mounted_ ? std::move(person) : nullptr;
}

Person::~Person() {
  if (mounted_) ::umount2(store().c_str(), MNT_DETACH);
}

Person::Person(Kind kind, const std::string& mounted) : kind_(kind) {
  give_away(temp_.path());
  for (const char* const name : {"bin", "home", "data"}) give_away(temp_.folder(name));
  // Where the build is may be nobody else's to enter.
  for (const char* const program : {TRAINYARD_PROGRAM, TRAINYARD_WORKER_PROGRAM}) {
    const Path copy = temp_.path() / "bin" / Path(program).filename();
    boost::filesystem::copy_file(program, copy);
    boost::filesystem::permissions(copy, boost::filesystem::perms(0755));
  }
  own_file("data/data.csv", "1,2\n3,4\n");
  if (!mounted.empty()) {
    temp_.folder("store");
    mounted_ = ::mount("tmpfs", store().c_str(), "tmpfs", 0, mounted.c_str()) == 0;
  }
  must({"init"});
  must({"store", "config", "slots", "100"});
}

void Person::give_away(const Path& path) const {
  if (kind_ == Kind::ordinary && ::chown(path.c_str(), kNobody, kNobody) != 0)
    throw std::runtime_error("cannot give '" + path.string() + "' away");
}

Path Person::own_file(const std::string& relative, const std::string& text) const {
  const Path path = temp_.write(relative, text);
  give_away(path);
  if (::chmod(path.c_str(), 0600) != 0) throw std::runtime_error("cannot keep '" + path.string() + "' private");
  return path;
}

SpawnOptions Person::spawning(std::vector<std::string> argv) const {
  SpawnOptions options;
  if (kind_ == Kind::ordinary) {
    options.argv = {"/usr/bin/setpriv",      "--reuid",       std::to_string(kNobody), "--regid",
                    std::to_string(kNobody), "--clear-groups"};
  }
  options.argv.insert(options.argv.end(), argv.begin(), argv.end());
  options.environment = {{"TRAINYARD_STORE", store().string()}, {"HOME", home().string()}, {"PATH", "/usr/bin:/bin"}};
  options.working_directory = temp_.path().string();
  return options;
}

ProgramOutput Person::trainyard(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {(temp_.path() / "bin" / "trainyard").string()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const SpawnOptions options = spawning(std::move(argv));
  return required(run_program(options.argv, options.environment, options.working_directory, "",
                              std::chrono::duration_cast<std::chrono::milliseconds>(kLongest)));
}

void Person::must(const std::vector<std::string>& arguments) const {
  const ProgramOutput output = trainyard(arguments);
  if (output.status.code != 0) throw std::runtime_error("trainyard " + arguments.at(0) + ": " + output.err);
}

PersonsRun Person::train(const std::string& package, const std::vector<std::string>& more) {
  const Path zip = temp_.path() / (package + ".zip");
  if (!is_there(zip)) {
    boost::filesystem::copy_file(std::string(TRAINYARD_TEST_PACKAGES_DIR) + "/" + package + ".zip", zip);
    boost::filesystem::permissions(zip, boost::filesystem::perms(0644));
    must({"package", "add", zip.string()});
  }
  const std::string name = "r" + std::to_string(++runs_);
  std::vector<std::string> arguments = {"run", "training", package, "--dataset", data().string(), "--name", name};
  arguments.insert(arguments.end(), more.begin(), more.end());
  PersonsRun run{trainyard(arguments), {}, {}};
  for (const std::string& id : required(list_folder(store() / "runs"))) {
    const Path folder = store() / "runs" / id;
    const auto results = read_file(folder / "_results.json", SIZE_MAX / 4);
    if (!results.ok()) continue;
    Json json = required(parse_json(*results, "the results"));
    if (json.at("parameters").at("pipeline") != name) continue;
    run.folder = folder;
    run.results = std::move(json);
  }
  if (run.results.is_null()) throw std::runtime_error("the run left no results: " + run.output.err);
  return run;
}

}  // namespace trainyard
