// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runner/core/worker_event.hpp"
#include "runner/executors/executor.hpp"
#include "runner/jobs/job_folder.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::test {

// The value, or an exception that ends the test with the error.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

// Waits until `condition` holds; an exception ends the test after 30 seconds.
template <class Condition>
void await(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("waited for 30 s in vain");
    static_cast<void>(::usleep(1000));
  }
}

// Looks until the job no longer runs.
JobLook finished(Executor& executor, const JobId& job, const Path& run_folder);

// A run folder with a job that trains a package, and what the worker left there. The package's folder, its artifacts
// and its data lie beside it and are empty.
class TestJob {
 public:
  // `library` is the absolute path of a package's library.
  explicit TestJob(std::string library, std::vector<Parameter> parameters = {});
  // A package of tests/packages.
  static TestJob of_package(const std::string& name);

  JobSpec spec;  // as it will be written
  void set(const std::string& parameter, ParameterValue value) {
    spec.parameters.push_back({parameter, std::move(value)});
  }

  // Makes it a job of several workers, which begin as `spec` is now, each with folders of its own; `others` are those from
  // rank 1 on.
  void have_workers(int workers);
  std::vector<JobSpec> others;
  [[nodiscard]] JobFolder folder_of(int rank) const { return JobFolder::of_rank(path(), rank); }

  // Puts layers around the job; it then reaches its package's folder, its data and its library.
  void isolate(IsolationWish wish);

  [[nodiscard]] const JobFolder& folder() const { return folder_; }
  [[nodiscard]] const Path& path() const { return folder_.path(); }
  [[nodiscard]] Path artifacts() const { return scratch_.path() / "package/artifacts"; }

  // Writes job.json, starts the job and waits until it no longer runs.
  [[nodiscard]] JobLook run(Executor& executor) const;
  // The same for a job that must leave an exit.json.
  [[nodiscard]] JobExit exit_of(Executor& executor) const;
  // Writes job.json and starts the job.
  [[nodiscard]] JobId start(Executor& executor, const Secrets& secrets = {}) const;

  [[nodiscard]] std::vector<WorkerEvent> events() const;
  template <class What>
  [[nodiscard]] std::vector<What> events_of() const {
    std::vector<What> found;
    for (const WorkerEvent& event : events()) {
      if (const auto* const what = std::get_if<What>(&event.what)) found.push_back(*what);
    }
    return found;
  }
  // The last event, which must be `ended`.
  [[nodiscard]] event::Ended ended() const;
  // Waits until the package is inside the call.
  void await_call(const std::string& verb) const;

 private:
  TempFolder scratch_;
  JobFolder folder_;
};

// All bytes of a file.
std::string content(const Path& path);

}  // namespace trainyard::test
