// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/plugin_run.hpp"

#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "runner/jobs/job_folder.hpp"
#include "runner/worker/event_log.hpp"
#include "runner/worker/exit_codes.hpp"
#include "runner/worker/inner_process.hpp"
#include "runner/worker/package_host.hpp"
#include "runner/worker/plugin_library.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kBuilderBytes = 256;

event::Ended ended(std::string_view status, std::string_view verb, std::string_view message) {
  const std::string clean = utf8_cleaned(message);
  return {std::string(status), std::string(verb), std::string(utf8_prefix(clean, limits::kReasonCharacters))};
}

std::string_view name_of_status(trainyard_status status) {
  constexpr std::string_view kNames[] = {"ok", "cancelled", "invalid_input", "failed", "bug", "out_of_memory"};
  // What the contract does not list is a mistake of the package.
  const bool known = status >= 0 && static_cast<std::size_t>(status) < std::size(kNames);
  return kNames[known ? status : TRAINYARD_BUG];
}

// A folder without a file, however many empty folders it has. One that cannot be read is not called empty: the package
// will say what is wrong with it.
bool has_nothing(const std::string& folder) {
  boost::system::error_code error;
  for (boost::filesystem::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!boost::filesystem::is_directory(entry->symlink_status())) return false;
  }
  return !error;
}

// The calls of one job, on one object of the package.
class PluginRun {
 public:
  PluginRun(const JobSpec& job, EventLog& events) : job_(job), events_(events), host_(job, events) {}

  event::Ended run() {
    const std::string& library = *job_.library;
    auto loaded = load_plugin(library);
    if (!loaded.ok()) return ended("failed", "load", "cannot use '" + library + "': " + loaded.error().message);
    table_ = *loaded;
    const char* const builder = table_.builder == nullptr ? "" : table_.builder;
    tell(event::Loaded{table_.minor, utf8_cleaned({builder, ::strnlen(builder, kBuilderBytes)})});
    auto end = call("create", table_.create, host_.table(), &self_);
    for (std::size_t i = 0; !end && i < job_.calls.size(); ++i) end = make(job_.calls[i]);
    return end.value_or(ended("ok", "", ""));
  }

 private:
  // The functions as any function may be that was not made by our headers: the contract's own types would let the
  // compiler leave the catch clauses out.
  template <class... Arguments>
  using Function = trainyard_status (*)(Arguments...);

  std::optional<event::Ended> make(const JobSpec::Call& made) {
    std::string path = made.directory.value_or("");
    if (made.directory_if_empty && has_nothing(path)) path = *made.directory_if_empty;
    const trainyard_text directory{path.data(), path.size()};
    switch (made.verb) {
      case Verb::process_data: return call("process_data", table_.process_data, self_, directory);
      case Verb::train:
        chosen_ = made.directory_if_empty ? std::optional(path) : std::nullopt;
        return call("train", table_.train, self_, directory);
      case Verb::save: return call("save", table_.save, self_);
      case Verb::evaluate: return evaluate(directory);
      case Verb::predict: break;
    }
    return ended("failed", name_of(made.verb), "a job has no input for this call");
  }

  std::optional<event::Ended> evaluate(trainyard_text directory) {
    double score = std::nan("");
    if (auto end = call("evaluate", table_.evaluate, self_, directory, &score)) return end;
    if (!std::isfinite(score))
      return ended("failed", "evaluate", "evaluate() gave a score that is not a finite number");
    // Without it the run has no score.
    const auto told = events_.write(event::Scored{score});
    return told.ok() ? std::nullopt : std::optional(ended("failed", "evaluate", told.error().message));
  }

  // None when all went well.
  template <class Entry, class... Arguments>
  std::optional<event::Ended> call(std::string_view verb, Entry entry, Arguments... arguments) {
    const Function<Arguments...> function = entry;
    if (function == nullptr) return ended("failed", verb, "the package has no function " + std::string(verb));
    if (stop_asked()) return ended("cancelled", verb, "the run was asked to stop before " + std::string(verb) + "()");
    tell(event::Called{std::string(verb), std::exchange(chosen_, std::nullopt)});
    static_cast<void>(host_.take_explanation());
    trainyard_status status = TRAINYARD_BUG;
    const pid_t process = ::getpid();
    try {
      status = function(arguments...);
    } catch (const std::exception& error) {
      return ended("failed", verb, std::string(verb) + "() threw an exception across the C border: " + error.what());
    } catch (...) {
      return ended("failed", verb,
                   std::string(verb) + "() threw something across the C border that is not a std::exception");
    }
    // A copy that the package forked has come back; the run is not its own.
    if (::getpid() != process) ::_exit(kDone);
    if (status == TRAINYARD_OK) return std::nullopt;
    std::string why = host_.take_explanation();
    if (why.empty())
      why = std::string(verb) + "() returned status " + std::to_string(status) + " without an explanation";
    return ended(name_of_status(status), verb, why);
  }

  void tell(EventLog::What what) { static_cast<void>(events_.write(std::move(what))); }

  const JobSpec& job_;
  EventLog& events_;
  PackageHost host_;
  trainyard_package table_{};
  void* self_ = nullptr;
  std::optional<std::string> chosen_;  // the folder of the next call, where it had to be chosen
};

// Isolated, so that neither the environment nor the user's own modules decide what is loaded; without byte code, so that
// nothing is written beside the sources. Returns only when the interpreter cannot be started.
Error become_python(const PythonProgram& python, const Path& job, const Path& events) {
  const std::array<const char*, 7> arguments = {
      python.interpreter.c_str(), "-I", "-B", python.worker.c_str(), job.c_str(), events.c_str(), nullptr};
  ::execv(python.interpreter.c_str(), const_cast<char* const*>(arguments.data()));
  return system_error("start", python.interpreter, errno);
}

Result<void> run_in_this_process(const Path& job_file, const Path& events_file, pid_t supervisor) {
  TRY(become_inner(supervisor));
  JobSpec job = TRY(read_job_spec(job_file));
  Secrets secrets;
  for (const std::string& name : job.secrets) {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    secrets[name] = value;
    job.parameters.push_back({name, ParameterValue(std::string(value))});
  }
  EventLog events(TRY(EventLog::open(events_file)), events_file, secrets);
  if (job.python) {
    const Error error = become_python(*job.python, job_file, events_file);
    TRY(events.write(ended("failed", "load", error.message)));
    end_inner(kDone);
  }
  PluginRun run(job, events);
  TRY(events.write(run.run()));
  // From here, while host and log still exist: a thread of the package may be using them.
  end_inner(kDone);
}

}  // namespace

void run_plugin(const Path& job, const Path& events, pid_t supervisor) {
  const auto done = run_in_this_process(job, events, supervisor);
  if (!done.ok()) std::fprintf(stderr, "trainyard-worker: %s\n", done.error().message.c_str());
  end_inner(kTrouble);
}

}  // namespace trainyard
