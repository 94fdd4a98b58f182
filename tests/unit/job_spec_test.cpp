// SPDX-License-Identifier: Apache-2.0
#include "runner/core/job_spec.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/example_run.hpp"

namespace trainyard::job_spec_test {
namespace {

Workspace with(std::vector<OverlayMount> overlays = {}) {
  return {"/w/package", "/w/home", "/w/checkpoints", {}, {}, std::move(overlays), "/w/tmp", {"/opt/python"}};
}

}  // namespace

TEST_CASE("a job is the plan with absolute paths", "[job_spec]") {
  const OverlayMount overlay{"/data/digits", "/w/layer/upper", "/w/layer/work", "/w/package/dataset/training"};
  const JobSpec job = job_for(example::plan(), with({overlay}), std::nullopt);
  CHECK(job.run == example::kRun);
  CHECK(job.package == "digits@1.0");
  CHECK(job.library == "/w/package/lib/libdigits.so");
  CHECK(job.working_directory == "/w/package");
  const std::vector<JobSpec::Call> calls = {{Verb::train, "/w/package/dataset/training"}, {Verb::save, std::nullopt}};
  CHECK((job.calls == calls));
  CHECK((job.overlays == std::vector{overlay}));
  CHECK(job.folders.empty());
  CHECK((job.parameters == example::plan().parameters));
  CHECK(job.grace_ms == 120'000);
  CHECK(job.max_runtime_ms == std::nullopt);
  const std::map<std::string, std::string> directories = {{"package", "/w/package"},
                                                          {"artifacts", "/w/package/artifacts"},
                                                          {"checkpoint", "/w/checkpoints"},
                                                          {"data", "/w/package/dataset/training"},
                                                          {"training_data", "/w/package/dataset/training"}};
  CHECK(job.directories == directories);
}

TEST_CASE("the environment of a job is complete and nothing leaks into it", "[job_spec]") {
  const JobSpec job = job_for(example::plan(), with(), std::nullopt);
  const std::map<std::string, std::string> environment = {
      {"CUDA_VISIBLE_DEVICES", ""},
      {"HOME", "/w/home"},
      {"LC_ALL", "C.UTF-8"},
      {"OMP_NUM_THREADS", "2"},
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"TMPDIR", "/w/tmp"},
      {"artifacts_directory", "/w/package/artifacts"},
      {"augment", "true"},
      {"checkpoint_directory", "/w/checkpoints"},
      {"data_directory", "/w/package/dataset/training"},
      {"epochs", "30"},
      {"optimizer", "momentum"},
      {"save_test_data", "false"},
      {"save_training_data", "false"},
      {"seed", "1"},
      {"training_data_directory", "/w/package/dataset/training"},
  };
  CHECK(job.environment == environment);
}

TEST_CASE("an evaluation is one call with the data where test data is", "[job_spec]") {
  const JobSpec job = job_for(example::plan(RunType::evaluation), with(), std::nullopt);
  const std::vector<JobSpec::Call> calls = {{Verb::evaluate, "/w/package/dataset/test"}};
  CHECK((job.calls == calls));
  CHECK(job.folders.empty());
  const std::map<std::string, std::string> directories = {{"package", "/w/package"},
                                                          {"artifacts", "/w/package/artifacts"},
                                                          {"checkpoint", "/w/checkpoints"},
                                                          {"data", "/w/package/dataset/test"},
                                                          {"test_data", "/w/package/dataset/test"},
                                                          {"evaluation_data", "/w/package/dataset/test"}};
  CHECK(job.directories == directories);
  CHECK(job.environment.at("data_directory") == "/w/package/dataset/test");
  CHECK(job.environment.at("evaluation_data_directory") == "/w/package/dataset/test");
  CHECK_FALSE(job.environment.contains("training_data_directory"));
  CHECK(job.environment.at("save_training_data") == "false");
}

TEST_CASE("a full run is four calls upon one dataset and its parts", "[job_spec]") {
  const JobSpec job = job_for(example::plan(RunType::full), with(), std::nullopt);
  const std::vector<JobSpec::Call> calls = {{Verb::process_data, "/w/package/dataset"},
                                            {Verb::train, "/w/package/dataset/training", "/w/package/dataset"},
                                            {Verb::save, std::nullopt},
                                            {Verb::evaluate, "/w/package/dataset/test"}};
  CHECK((job.calls == calls));
  CHECK(job.folders == std::vector<std::string>{"/w/package/dataset/training", "/w/package/dataset/test"});
  CHECK(job.environment.at("data_directory") == "/w/package/dataset");
  CHECK(job.environment.at("training_data_directory") == "/w/package/dataset/training");
  CHECK(job.environment.at("test_data_directory") == "/w/package/dataset/test");
}

TEST_CASE("a job sees the GPUs that are its own, by the names that CUDA takes", "[job_spec]") {
  Workspace workspace = with();
  workspace.gpus = {{0, "GPU-8f", "H200"}, {3, "3", ""}};
  CHECK(job_for(example::plan(), workspace, std::nullopt).environment.at("CUDA_VISIBLE_DEVICES") == "GPU-8f,3");
}

TEST_CASE("a job names its secrets and has what is left of its time", "[job_spec]") {
  RunRequest request = example::request();
  request.secrets = {"note"};
  request.max_runtime_ms = 1000;
  const JobSpec job = job_for(example::plan_of(request).value(), with(), 400);
  CHECK(job.secrets == std::set<std::string>{"note"});
  CHECK_FALSE(job.environment.contains("note"));
  CHECK(job.max_runtime_ms == 400);
}

TEST_CASE("folders that were moved are where the user put them", "[job_spec]") {
  RunRequest request = example::request();
  request.environment = {{"artifacts_directory", "out"}, {"training_data_directory", "100%"}};
  const JobSpec job = job_for(example::plan_of(request).value(), with(), std::nullopt);
  CHECK(job.environment.at("artifacts_directory") == "/w/package/out");
  CHECK(job.environment.at("training_data_directory") == "/w/package/100%");
  CHECK(job.calls.front().directory == "/w/package/100%");
}

TEST_CASE("a job reaches its own folders, what its interpreter needs, and the devices of its GPUs", "[job_spec]") {
  RunRequest request = example::request();
  request.isolation = {IsolationMode::strict, NetworkAccess::host, {Layer::ipc}};
  request.limits.memory_bytes = 1 << 20;
  Workspace workspace = with();
  workspace.gpus = {{3, "GPU-8f", ""}};
  const JobSpec job = job_for(example::plan_of(request).value(), workspace, std::nullopt);
  CHECK((job.sandbox.wish == request.isolation));
  CHECK(job.sandbox.writable == std::vector<std::string>{"/w/package", "/w/home", "/w/checkpoints", "/w/tmp"});
  CHECK(job.sandbox.readable == std::vector<std::string>{"/opt/python"});
  CHECK(job.sandbox.temporary == "/w/tmp");
  CHECK(job.sandbox.devices ==
        std::vector<std::string>{"/dev/nvidia3", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"});
  CHECK((job.limits == request.limits));
  CHECK(job_for(example::plan(), with(), std::nullopt).sandbox.devices.empty());
}

TEST_CASE("a job is written as it was read", "[job_spec]") {
  JobSpec job = job_for(example::plan(), with({OverlayMount{"/a", "/b", "/c", "/d"}}), std::nullopt);
  CHECK(job_spec_from(to_json(job)).value() == job);
  job.overlays.clear();
  job.folders = {"/e"};
  job.calls.front().directory_if_empty = "/f";
  job.max_runtime_ms = 1;
  CHECK(job_spec_from(to_json(job)).value() == job);

  Json json = to_json(job);
  json["calls"][0]["verb"] = "fit";
  CHECK(job_spec_from(json).error().message ==
        "the job, key 'calls': a call, key 'verb': 'fit' is not a verb of a package");
  json = to_json(job);
  json["environment"]["epochs"] = 3;
  CHECK(job_spec_from(json).error().message == "the job, key 'environment': the value of 'epochs' is not a text");
  json = to_json(job);
  json["max_runtime_ms"] = 0;
  CHECK(job_spec_from(json).error().message == "the job, key 'max_runtime_ms': is not between 1 and 31622400000");
  json = to_json(job);
  json["python"] = {{"interpreter", "/usr/bin/python3"}, {"worker", "/k/trainyard_worker.py"}};
  CHECK(job_spec_from(json).error().message == "the job, key 'library': or 'python' must be given, and not both");
  json["library"] = nullptr;
  CHECK(job_spec_from(json)->python == PythonProgram{"/usr/bin/python3", "/k/trainyard_worker.py"});
  json = to_json(job);
  json["priority"] = 1;
  CHECK(job_spec_from(json).error().message == "the job has an unknown key 'priority'");
}

}  // namespace trainyard::job_spec_test
