// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/test_job.hpp"

#include <algorithm>
#include <sstream>

namespace trainyard::test {

JobLook finished(Executor& executor, const JobId& job, const Path& run_folder) {
  JobLook look;
  await([&] {
    look = must(executor.look(job, run_folder));
    return !goes_on(look);
  });
  return look;
}

TestJob::TestJob(std::string library, std::vector<Parameter> parameters)
    : spec{must(RunId::parse("01890a5d-ac96-774b-bcce-b302099a8057")),
           "test@1.0",
           std::move(library),
           {},
           {},
           {},
           {},
           {},
           std::move(parameters),
           {},
           {},
           {},
           10'000,
           {}},
      folder_(scratch_.folder("run")) {
  const std::string package = scratch_.folder("package").string();
  const std::string data = scratch_.folder("data").string();
  const std::string artifacts = scratch_.folder("package/artifacts").string();
  spec.working_directory = package;
  spec.calls = {{Verb::train, data}, {Verb::save, std::nullopt}};
#ifdef __SANITIZE_ADDRESS__
  // A package that crashes or exits has to end as it would without the sanitizer.
  spec.environment["ASAN_OPTIONS"] = "handle_segv=0:handle_abort=0:detect_leaks=0";
#endif
  spec.directories = {{"package", package}, {"artifacts", artifacts}, {"data", data}, {"training_data", data}};
}

TestJob TestJob::of_package(const std::string& name) {
  return TestJob(std::string(TRAINYARD_TEST_PACKAGES_DIR) + "/" + name + "/lib" + name + ".so");
}

void TestJob::have_workers(int workers) {
  spec.placement.nodes = workers;
  spec.directories["rendezvous"] = scratch_.folder("rendezvous").string();
  if (!spec.sandbox.writable.empty()) spec.sandbox.writable.push_back(spec.directories["rendezvous"]);
  for (int rank = 1; rank < workers; ++rank) {
    const std::string own = "rank-" + std::to_string(rank);
    JobSpec other = spec;
    other.calls.resize(1);
    other.working_directory = other.directories["package"] = scratch_.folder(own).string();
    other.directories["artifacts"] = scratch_.folder(own + "/artifacts").string();
    if (!other.sandbox.writable.empty()) other.sandbox.writable.front() = other.working_directory;
    others.push_back(std::move(other));
  }
}

void TestJob::isolate(IsolationWish wish) {
  const std::string temporary = scratch_.folder("tmp").string();
  spec.sandbox = {std::move(wish),
                  {spec.working_directory, spec.directories.at("data"), temporary},
                  {Path(*spec.library).parent_path().string()},
                  {},
                  temporary};
}

JobId TestJob::start(Executor& executor, const Secrets& secrets) const {
  for (std::size_t i = 0; i < others.size(); ++i) {
    const JobFolder folder = folder_of(static_cast<int>(i) + 1);
    must(make_folders(folder.path()));
    must(publish_file(path(), folder.job(), readable(to_json(others[i])), 0644, Durable::no));
  }
  must(publish_file(path(), folder_.job(), readable(to_json(spec)), 0644, Durable::no));
  return must(executor.start(path(), secrets));
}

JobLook TestJob::run(Executor& executor) const { return finished(executor, start(executor), path()); }

JobExit TestJob::exit_of(Executor& executor) const {
  const JobLook look = run(executor);
  if (!std::holds_alternative<JobExit>(look)) throw std::runtime_error("the job left no exit.json");
  return std::get<JobExit>(look);
}

std::vector<WorkerEvent> TestJob::events() const {
  std::vector<WorkerEvent> events;
  std::istringstream lines(exists(folder_.events()) ? content(folder_.events()) : "");
  for (std::string line; std::getline(lines, line) && !lines.eof();) events.push_back(must(parse_worker_event(line)));
  return events;
}

event::Ended TestJob::ended() const {
  const auto all = events();
  if (all.empty() || !std::holds_alternative<event::Ended>(all.back().what))
    throw std::runtime_error("the last event is not 'ended'");
  return std::get<event::Ended>(all.back().what);
}

void TestJob::await_call(const std::string& verb) const {
  await([&] {
    const auto calls = events_of<event::Called>();
    return std::any_of(calls.begin(), calls.end(), [&](const event::Called& called) { return called.verb == verb; });
  });
}

std::string content(const Path& path) { return must(read_file(path, SIZE_MAX / 4)); }

}  // namespace trainyard::test
