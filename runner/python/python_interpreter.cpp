// SPDX-License-Identifier: Apache-2.0
#include "runner/python/python_interpreter.hpp"

#include <unistd.h>

#include <chrono>
#include <sstream>

#include "runner/processes/own_environment.hpp"
#include "runner/processes/run_program.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::chrono::seconds kAnswerTime{60};

Result<Requirements::Missing> missing_from(const Json& json) {
  Requirements::Missing missing;
  Fields fields(json, "a missing requirement");
  missing.requirement = fields.text("requirement");
  missing.file = fields.text("file");
  missing.line = fields.integer("line", 1, INT64_MAX);
  TRY(fields.finish());
  return missing;
}

Result<Requirements::Different> different_from(const Json& json) {
  Requirements::Different different;
  Fields fields(json, "a requirement");
  different.requirement = fields.text("requirement");
  different.installed = fields.text("installed");
  TRY(fields.finish());
  return different;
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return utf8_cleaned(text.substr(text.rfind('\n') + 1));
}

}  // namespace

namespace {

constexpr std::size_t kMostConfiguration = std::size_t{64} << 10U;
constexpr int kMostPythons = 8;  // an environment made of one that was made of one …

// The value of "home = /usr/bin" in the pyvenv.cfg of a virtual environment; empty where there is none.
std::string home_of(const Path& environment) {
  const auto text = read_file(environment / "pyvenv.cfg", kMostConfiguration);
  if (!text.ok()) return "";
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::istringstream key(line.substr(0, equals));
    std::string word;
    key >> word;
    if (word != "home") continue;
    const std::size_t begin = line.find_first_not_of(" \t", equals + 1);
    const std::size_t end = line.find_last_not_of(" \t\r");
    return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
  }
  return "";
}

// What a job may read of the system anyway.
bool is_of_the_system(const std::string& folder) {
  return folder.empty() || folder == "/" || folder == "/usr" || folder.starts_with("/usr/") ||
         folder.starts_with("/opt/");
}

// Adds what a Python installed in `prefix` consists of. An environment is a folder of its own; anything else may be the
// home folder of somebody who keeps a Python in ~/bin.
void add_installation(const Path& prefix, std::vector<std::string>& folders) {
  if (is_of_the_system(prefix.string())) return;
  if (is_there(prefix / "pyvenv.cfg") || is_there(prefix / "conda-meta")) {
    folders.push_back(prefix.string());
    return;
  }
  for (const char* const part : {"bin", "include", "lib", "lib64"}) {
    if (is_there(prefix / part)) folders.push_back((prefix / part).string());
  }
}

}  // namespace

Result<std::vector<std::string>> folders_of_python(const Path& program, const Path& kit) {
  std::vector<std::string> folders = {kit.string()};
  Path python = program;
  for (int i = 0; i < kMostPythons; ++i) {
    const Path above = python.parent_path().parent_path();
    add_installation(above, folders);
    const Path real_above = TRY(real_path(python)).parent_path().parent_path();
    if (real_above != above) add_installation(real_above, folders);
    const std::string home = home_of(above);
    if (home.empty()) return folders;
    const Path base = Path(home) / "python3";
    if (!is_there(base) || base == python) return folders;
    python = base;
  }
  return folders;
}

Result<void> check_interpreter(const Path& program) {
  if (!is_there(program)) {
    return fail(Errc::not_found, "there is no Python interpreter '" + program.string() +
                                     "'; install it, or name another one with --python PATH");
  }
  if (is_folder(program) || ::access(program.c_str(), X_OK) != 0) {
    return fail(Errc::invalid,
                "the Python interpreter '" + program.string() + "' is not a program that can be executed");
  }
  return {};
}

Result<void> PythonInterpreter::check() const {
  TRY(check_interpreter(program_));
  for (const Path& file : {worker(), inspector()}) {
    if (!is_there(file)) return fail(Errc::io, "the file '" + file.string() + "' is missing; install Trainyard whole");
  }
  return {};
}

Result<Json> PythonInterpreter::ask(const char* question, const Path& folder) {
  TRY(check());
  const Path script = inspector();
  // The process has another working directory.
  const Path package = TRY(real_path(folder));
  const ProgramOutput output =
      TRY(run_program({program_.string(), "-I", "-B", script.string(), question, package.string()},
                      {{"PATH", kUsualPath}, {"LC_ALL", "C.UTF-8"}}, "/", "", kAnswerTime));
  if (output.status.code != 0) {
    return fail(Errc::io, "'" + program_.string() + "' could not read the package" +
                              (output.err.empty() ? std::string() : ": " + last_line(output.err)));
  }
  Json answer = TRY(parse_json(output.out, "the answer of '" + program_.string() + "'"));
  if (answer.is_object() && answer.contains("error") && answer["error"].is_string())
    return fail(Errc::invalid, utf8_cleaned(answer["error"].get<std::string>()));
  return answer;
}

Result<PythonSource> PythonInterpreter::read(const Path& folder) {
  const Json answer = TRY(ask("source", folder));
  PythonSource source;
  Fields fields(answer, "what Python says of the source");
  source.version = fields.text("version");
  const Json& verbs = fields.array("verbs");
  TRY(fields.finish());
  for (const Json& verb : verbs)
    source.verbs.insert(TRY(parse_verb(verb.is_string() ? verb.get<std::string>() : std::string())));
  return source;
}

Result<Requirements> PythonInterpreter::requirements(const Path& folder) {
  const Json answer = TRY(ask("requirements", folder));
  Requirements requirements;
  Fields fields(answer, "what Python says of the requirements", UnknownKeys::ignore);
  const Json& missing = fields.array("missing");
  const Json& different = fields.array("different");
  TRY(fields.finish());
  for (const Json& item : missing) requirements.missing.push_back(TRY(missing_from(item)));
  for (const Json& item : different) requirements.different.push_back(TRY(different_from(item)));
  return requirements;
}

}  // namespace trainyard
