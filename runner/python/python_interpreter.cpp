// SPDX-License-Identifier: Apache-2.0
#include "runner/python/python_interpreter.hpp"

#include <unistd.h>

#include <chrono>

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
                      {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}}, "/", "", kAnswerTime));
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
