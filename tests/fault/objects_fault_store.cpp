// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/objects_fault_store.hpp"

#include <boost/filesystem/operations.hpp>
#include <sstream>

#include "runner/processes/run_program.hpp"
#include "storage/objects/fsck.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::milliseconds kLongest = std::chrono::seconds(60);

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> command(const Path& root, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {TRAINYARD_OBJECTS_ACTOR, root.string()};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

}  // namespace

bool ActorEnd::told(const std::string& line) const {
  const auto lines = lines_of(out);
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

std::string ActorEnd::story() const {
  std::string text = code ? "exit code " + std::to_string(*code) : std::string("killed");
  if (!calls.empty()) text += "\nlast call: " + calls.back();
  return text + "\nstdout: " + out + "\nstderr: " + err;
}

ObjectsFaultStore::ObjectsFaultStore() { run({"make"}); }

ObjectsFaultStore::ObjectsFaultStore(const ObjectsFaultStore& other) {
  boost::filesystem::copy(other.root_, root_, boost::filesystem::copy_options::recursive);
}

std::unique_ptr<PackObjects> ObjectsFaultStore::open() const {
  return must(PackObjects::open(objects_folder(), root_ / "tmp", PackObjects::DamagedIndex::open));
}

ActorEnd ObjectsFaultStore::run(const std::vector<std::string>& words, const std::optional<ActorFault>& fault) const {
  std::map<std::string, std::string> environment;
  const Path report = file("calls.txt");
  if (fault) {
    static_cast<void>(remove_file(report));
    static_cast<void>(remove_tree(file("backups")));
    must(make_folder(file("backups")));
    environment = {{"LD_PRELOAD", TRAINYARD_FAULT_POINT},
                   {"FAULT_AT", std::to_string(fault->at)},
                   {"FAULT_MODE", fault->mode},
                   {"FAULT_ERRNO", std::to_string(fault->error_number)},
                   {"FAULT_LOST", std::to_string(fault->lost)},
                   {"FAULT_BACKUPS", file("backups").string()},
                   {"FAULT_REPORT", report.string()}};
  }
  const ProgramOutput output = must(run_program(command(root_, words), environment, "/", "", kLongest));
  ActorEnd end{output.status.code, output.out, output.err, {}};
  if (!fault && end.code != 0) throw std::runtime_error("the actor failed at " + words[0] + ": " + end.story());
  if (fault) end.calls = lines_of(must(read_file(report, std::size_t{1} << 24U)));
  return end;
}

Process ObjectsFaultStore::start(const std::vector<std::string>& words, const Path& told) const {
  const UniqueFd out = must(open_file(told, O_WRONLY | O_CREAT | O_APPEND, 0600));
  SpawnOptions options;
  options.argv = command(root_, words);
  options.out = out.get();
  options.err = out.get();
  return must(Process::spawn(options));
}

std::set<std::string> ObjectsFaultStore::records() const {
  const auto names = must(list_folder(root_ / "records"));
  return {names.begin(), names.end()};
}

std::vector<Digest> ObjectsFaultStore::objects_of(const std::string& record) const {
  std::vector<Digest> digests;
  for (const std::string& line : lines_of(must(read_file(root_ / "records" / record, std::size_t{1} << 20U))))
    digests.push_back(must(Digest::parse(line)));
  return digests;
}

std::string ObjectsFaultStore::lost_objects() const {
  const auto objects = open();
  for (const std::string& record : records()) {
    const auto digests = objects_of(record);
    if (digests.size() != 10) return "the record " + record + " has " + std::to_string(digests.size()) + " lines";
    for (const Digest& digest : digests) {
      const auto bytes = objects->read(digest, SIZE_MAX);
      if (!bytes.ok() && !objects->tombstone(digest)) return "the record " + record + ": " + bytes.error().message;
    }
  }
  return "";
}

std::string ObjectsFaultStore::damage() const {
  const ObjectDamage found = must(check_objects(*open(), Depth::every_byte, nullptr));
  if (found.sound()) return "";
  std::string text =
      std::to_string(found.corrupt.size()) + " corrupt, " + std::to_string(found.incomplete.size()) + " incomplete";
  for (const std::string& problem : found.problems) text += "\n" + problem;
  return text;
}

}  // namespace trainyard
