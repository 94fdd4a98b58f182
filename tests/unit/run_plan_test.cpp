// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_plan.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/example_run.hpp"

namespace trainyard::run_plan_test {
namespace {

RunRequest with(const std::map<std::string, std::string>& environment) {
  RunRequest request = example::request();
  request.environment = environment;
  return request;
}

RunPlan planned(const std::map<std::string, std::string>& environment) {
  return example::plan_of(with(environment)).value();
}

RelPath path(const char* text) { return RelPath::parse(text).value(); }

}  // namespace

TEST_CASE("a plan holds what was asked, what was found and the defaults", "[run_plan]") {
  const RunPlan plan = example::plan();
  CHECK(plan.run == example::kRun);
  CHECK(plan.name.text() == "digits-8f1b2c4d");
  CHECK(plan.created_at == example::kNow);
  CHECK(plan.parent == example::parent());
  CHECK(plan.library->bytes() == "lib/libdigits.so");
  CHECK(plan.layout.training_data.bytes() == "dataset/training");
  CHECK(plan.layout.artifacts.bytes() == "artifacts");
  CHECK_FALSE(plan.save_training_data);
  const std::map<std::string, std::string> environment = {
      {"OMP_NUM_THREADS", "2"},  {"artifacts_directory", "artifacts"}, {"augment", "true"}, {"epochs", "30"},
      {"optimizer", "momentum"}, {"save_training_data", "false"},      {"seed", "1"}};
  CHECK(plan.environment == environment);
  const std::vector<Parameter> parameters = {{"epochs", std::int64_t{30}},
                                             {"optimizer", std::string("momentum")},
                                             {"augment", true},
                                             {"seed", std::int64_t{1}}};
  CHECK((plan.parameters == parameters));
}

TEST_CASE("what a user gives replaces a default, as typed and as text", "[run_plan]") {
  const RunPlan plan = planned({{"epochs", "10"}, {"augment", "False"}, {"OMP_NUM_THREADS", "8"}, {"note", "x"}});
  CHECK(plan.environment.at("epochs") == "10");
  CHECK(plan.environment.at("augment") == "False");
  CHECK(plan.environment.at("OMP_NUM_THREADS") == "8");
  const std::vector<Parameter> parameters = {{"epochs", std::int64_t{10}},
                                             {"optimizer", std::string("momentum")},
                                             {"augment", false},
                                             {"seed", std::int64_t{1}},
                                             {"note", std::string("x")}};
  CHECK((plan.parameters == parameters));
  RunRequest named = example::request();
  named.name = RunName::parse("nightly").value();
  CHECK(example::plan_of(named)->name.text() == "nightly");
}

TEST_CASE("a snapshot can be asked for in three ways", "[run_plan]") {
  RunRequest by_option = example::request();
  by_option.save_training_data = true;
  CHECK(example::plan_of(by_option)->save_training_data);
  CHECK(example::plan_of(by_option)->environment.at("save_training_data") == "true");
  for (const char* const name : {"save_training_data", "save_data"}) {
    for (const char* const yes : {"true", "True", "TRUE", "1"}) {
      const RunPlan plan = planned({{name, yes}});
      CHECK(plan.save_training_data);
      CHECK(plan.environment.at("save_training_data") == "true");
      CHECK(plan.environment.count("save_data") == 0);
    }
    CHECK_FALSE(planned({{name, "False"}}).save_training_data);
  }
}

TEST_CASE("folders can be elsewhere in the working directory", "[run_plan]") {
  const RunPlan plan = planned({{"artifacts_directory", "out/for people"}, {"training_data_directory", "input"}});
  CHECK(plan.layout.artifacts.bytes() == "out/for people");
  CHECK(plan.layout.training_data.bytes() == "input");
  CHECK(plan.environment.at("artifacts_directory") == "out/for people");
}

TEST_CASE("every refusal of a request says what is wrong", "[run_plan]") {
  struct Row {
    std::map<std::string, std::string> environment;
    const char* message;
  };
  const Row rows[] = {
      {{{"epochs", "0"}}, "hyperparameter 'epochs' is 0 but must be between 1 and 1000"},
      {{{"epochs", "many"}}, "hyperparameter 'epochs': 'many' is not of type Integer"},
      {{{"optimizer", "adam"}}, "hyperparameter 'optimizer' is adam but must be one of sgd, momentum"},
      {{{"augment", "maybe"}}, "hyperparameter 'augment': 'maybe' is not of type Boolean"},
      {{{"seed", "2"}}, "hyperparameter 'seed' cannot be changed by a run"},
      {{{"epoch", "2"}},
       "package 'digits' has no hyperparameter 'epoch' and accepts no others; did you mean 'epochs'?"},
      {{{"zebra", "2"}}, "package 'digits' has no hyperparameter 'zebra' and accepts no others"},
      {{{"data_directory", "x"}}, "the variable data_directory is set by Trainyard and cannot be given"},
      {{{"PATH", "/bin"}}, "the variable PATH is set by Trainyard and cannot be given"},
      {{{"artifacts_directory", "../x"}},
       "the variable artifacts_directory: the path '../x' has '..' in it, so it could leave its folder"},
      {{{"artifacts_directory", "/tmp"}},
       "the variable artifacts_directory: the path '/tmp' is absolute; give one relative to its folder"},
      {{{"artifacts_directory", ""}}, "the variable artifacts_directory: a path is empty"},
      {{{"training_data_directory", "a/../b"}},
       "the variable training_data_directory: the path 'a/../b' has '..' in it, so it could leave its folder"},
      {{{"artifacts_directory", "dataset/training/out"}},
       "the variables artifacts_directory and training_data_directory name folders inside one another: "
       "'dataset/training/out' and 'dataset/training'"},
      {{{"artifacts_directory", "dataset"}},
       "the variables artifacts_directory and training_data_directory name folders inside one another: 'dataset' and "
       "'dataset/training'"},
      {{{"save_data", "yes"}}, "the variable save_data is 'yes' but must be true or false"},
      {{{"save_training_data", ""}}, "the variable save_training_data is '' but must be true or false"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.message);
    const auto plan = example::plan_of(with(row.environment));
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == Errc::invalid);
    CHECK(plan.error().message == row.message);
  }
}

TEST_CASE("a package that cannot be trained is refused before anything else", "[run_plan]") {
  const auto refusal = [](const VersionRecord& parent, const Manifest& manifest) {
    const auto plan = plan_run(with({{"zebra", "1"}}), example::data(), parent, manifest, example::machine(),
                               example::kRun, example::kNow);
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == Errc::incompatible);
    return plan.error().message;
  };
  VersionRecord parent = example::parent();
  parent.content.abi.verbs = {Verb::save, Verb::predict};
  CHECK(refusal(parent, example::manifest()) == "package 'digits@1.0' cannot be trained because it has no train()");
  parent.content.abi.verbs = {Verb::train};
  CHECK(refusal(parent, example::manifest()) == "package 'digits@1.0' cannot be trained because it has no save()");
  Manifest manifest = example::manifest();
  manifest.training_enabled = false;
  CHECK(refusal(example::parent(), manifest) ==
        "package 'digits@1.0' cannot be trained because its manifest says training_enabled: false");
  manifest.training_enabled = true;
  manifest.requires_gpu = true;
  CHECK(refusal(example::parent(), manifest) ==
        "package 'digits', whose manifest says requires_gpu: true, needs 1 GPU, and runs may use none here: looked "
        "everywhere");
}

TEST_CASE("a run has the GPUs that it asks for or that its package needs", "[run_plan]") {
  struct Row {
    bool required;
    std::optional<int> asked;
    std::size_t there;
    int gpus;             // of the plan
    const char* message;  // empty: fine
  };
  const Row rows[] = {
      {false, {}, 0, 0, ""},
      {false, {}, 2, 0, ""},
      {false, 2, 2, 2, ""},
      {true, {}, 2, 1, ""},
      {true, 2, 2, 2, ""},
      {true, 0, 2, 0, "package 'digits' requires a GPU, so --gpus cannot be 0"},
      {false, 3, 2, 0, "the run needs 3 GPUs, and runs may use 2 here: looked everywhere"},
      {false, 1, 0, 0, "the run needs 1 GPU, and runs may use none here: looked everywhere"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.required, row.asked.value_or(-1), row.there);
    Manifest manifest = example::manifest();
    manifest.requires_gpu = row.required;
    Machine machine = example::machine();
    for (std::uint32_t i = 0; i < row.there; ++i) machine.gpus.push_back({i, std::to_string(i), ""});
    RunRequest request = example::request();
    request.gpus = row.asked;
    const auto plan =
        plan_run(request, example::data(), example::parent(), manifest, machine, example::kRun, example::kNow);
    REQUIRE(plan.ok() == (*row.message == '\0'));
    if (plan.ok()) CHECK(plan->gpus == row.gpus);
    if (!plan.ok()) CHECK(plan.error().message == row.message);
  }
}

TEST_CASE("a secret is a variable that may be any text, and leaves no trace in the plan", "[run_plan]") {
  struct Row {
    const char* secret;
    std::map<std::string, std::string> environment;
    const char* message;  // empty: fine
  };
  const Row rows[] = {
      {"note", {}, ""},
      {"OMP_NUM_THREADS", {}, ""},
      {"note", {{"note", "x"}}, "the variable note is given as a secret and by --env; give it once"},
      {"PATH", {}, "the variable PATH has a meaning of its own and cannot be a secret"},
      {"artifacts_directory", {}, "the variable artifacts_directory has a meaning of its own and cannot be a secret"},
      {"epochs", {}, "hyperparameter 'epochs' cannot be a secret: it is not any text"},
      {"optimizer", {}, "hyperparameter 'optimizer' cannot be a secret: it is not any text"},
      {"nota", {}, "package 'digits' has no hyperparameter 'nota' and accepts no others; did you mean 'note'?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.secret);
    RunRequest request = with(row.environment);
    request.secrets = {row.secret};
    const auto plan = example::plan_of(request);
    REQUIRE(plan.ok() == (*row.message == '\0'));
    if (plan.ok()) CHECK_FALSE(plan->environment.contains(row.secret));
    if (!plan.ok()) CHECK(plan.error().message == row.message);
  }
  Manifest manifest = example::manifest();
  manifest.hyperparameters.back().required = true;
  RunRequest request = example::request();
  request.secrets = {"note"};
  CHECK(
      plan_run(request, example::data(), example::parent(), manifest, example::machine(), example::kRun, example::kNow)
          .ok());
}

TEST_CASE("each type of run asks for its verbs", "[run_plan]") {
  const auto refusal = [](RunType type, std::set<Verb> verbs) -> std::string {
    RunRequest request = example::request();
    request.type = type;
    VersionRecord parent = example::parent();
    parent.content.abi.verbs = std::move(verbs);
    const auto plan = plan_run(request, example::data(), parent, example::manifest(), example::machine(), example::kRun,
                               example::kNow);
    return plan.ok() ? "" : plan.error().message;
  };
  const std::set<Verb> trainable = {Verb::train, Verb::save};
  CHECK(refusal(RunType::evaluation, trainable) ==
        "package 'digits@1.0' cannot be evaluated because it has no evaluate()");
  CHECK(refusal(RunType::evaluation, {Verb::evaluate}).empty());
  CHECK(refusal(RunType::full, {Verb::train, Verb::save, Verb::evaluate}) ==
        "package 'digits@1.0' cannot do a full run because it has no process_data()");
  CHECK(refusal(RunType::full, {Verb::process_data, Verb::train, Verb::save}) ==
        "package 'digits@1.0' cannot do a full run because it has no evaluate()");
  CHECK(refusal(RunType::full, {Verb::process_data, Verb::train, Verb::save, Verb::evaluate}).empty());

  Manifest manifest = example::manifest();
  manifest.training_enabled = false;
  RunRequest request = example::request();
  request.type = RunType::evaluation;
  CHECK(plan_run(request, example::data(), example::able_parent(), manifest, example::machine(), example::kRun,
                 example::kNow)
            .ok());
}

TEST_CASE("each type of run has its folders and its snapshots", "[run_plan]") {
  struct Row {
    RunType type;
    std::map<std::string, std::string> environment;
    bool save_training_data;
    bool save_test_data;
    const char* message;  // empty: fine
  };
  const char* const no_training =
      "an evaluation has no training data to keep; give --save-test-data for a snapshot of "
      "its data";
  const char* const no_test =
      "a training run has no test data to keep; give --save-training-data for a snapshot of its "
      "data";
  const Row rows[] = {
      {RunType::training, {}, true, false, ""},
      {RunType::training, {}, false, true, no_test},
      {RunType::training, {{"save_test_data", "true"}}, false, false, no_test},
      {RunType::training, {{"save_test_data", "false"}}, false, false, ""},
      {RunType::training,
       {{"test_data_directory", "x"}},
       false,
       false,
       "the variable test_data_directory cannot be given: a training run has no test data"},
      {RunType::evaluation, {}, false, true, ""},
      {RunType::evaluation, {{"save_data", "true"}}, false, false, no_training},
      {RunType::evaluation, {{"evaluation_data_directory", "x"}}, false, false, ""},
      {RunType::evaluation,
       {{"evaluation_data_directory", "x"}, {"test_data_directory", "x"}},
       false,
       false,
       "the variables test_data_directory and evaluation_data_directory are two names of one; give only one"},
      {RunType::evaluation,
       {{"training_data_directory", "x"}},
       false,
       false,
       "the variable training_data_directory cannot be given: an evaluation has no training data"},
      {RunType::evaluation,
       {{"artifacts_directory", "dataset/test/out"}},
       false,
       false,
       "the variables artifacts_directory and test_data_directory name folders inside one another: "
       "'dataset/test/out' and 'dataset/test'"},
      {RunType::full, {}, true, false, ""},
      {RunType::full,
       {},
       false,
       true,
       "a full run without --evaluation-dataset makes its test data of the dataset; give --save-training-data for a "
       "snapshot of that"},
      {RunType::full,
       {{"training_data_directory", "x"}},
       false,
       false,
       "the variable training_data_directory cannot be given: a full run keeps the parts of its data in "
       "'dataset/training' and 'dataset/test'"},
      {RunType::full,
       {{"artifacts_directory", "dataset/out"}},
       false,
       false,
       "the variables artifacts_directory and data_directory name folders inside one another: 'dataset/out' and "
       "'dataset'"},
  };
  for (const Row& row : rows) {
    CAPTURE(name_of(row.type), row.message);
    RunRequest request = with(row.environment);
    request.type = row.type;
    request.save_training_data = row.save_training_data;
    request.save_test_data = row.save_test_data;
    const auto plan = plan_run(request, example::data(), example::able_parent(), example::manifest(),
                               example::machine(), example::kRun, example::kNow);
    REQUIRE(plan.ok() == (*row.message == '\0'));
    if (!plan.ok()) CHECK(plan.error().message == row.message);
    if (!plan.ok()) continue;
    CHECK(plan->environment.contains("save_training_data") == trains(row.type));
    const bool given = row.environment.contains("save_test_data");
    CHECK(plan->environment.contains("save_test_data") == (given || evaluates(row.type)));
  }
  CHECK(example::plan(RunType::evaluation).layout.data.bytes() == "dataset/test");
  CHECK(example::plan(RunType::full).layout.data.bytes() == "dataset");
  RunRequest request = example::request();
  request.type = RunType::evaluation;
  request.evaluation_dataset = "/x";
  CHECK(run_request_from(to_json(request)).error().message ==
        "the run request has an evaluation dataset, which only a full run takes");
}

TEST_CASE("a required hyperparameter must be given, and others may be when the package says so", "[run_plan]") {
  Manifest manifest = example::manifest();
  manifest.hyperparameters.back().required = true;
  const auto missing = plan_run(example::request(), example::data(), example::parent(), manifest, example::machine(),
                                example::kRun, example::kNow);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message == "hyperparameter 'note' is required; give it with --env note=VALUE");
  CHECK(plan_run(with({{"note", ""}}), example::data(), example::parent(), manifest, example::machine(), example::kRun,
                 example::kNow)
            .ok());

  Manifest open = example::manifest();
  open.custom_hyperparameters = true;
  const auto plan = plan_run(with({{"zebra", "1"}}), example::data(), example::parent(), open, example::machine(),
                             example::kRun, example::kNow);
  REQUIRE(plan.ok());
  CHECK(plan->environment.at("zebra") == "1");
  CHECK(plan->parameters.size() == 4);
}

TEST_CASE("a plan is written as it was read", "[run_plan]") {
  RunRequest request = with({{"epochs", "10"}, {"artifacts_directory", "100%"}});
  request.name = RunName::parse("nightly").value();
  request.max_runtime_ms = 5;
  const RunPlan plan = example::plan_of(request).value();
  CHECK(run_plan_from(to_json(plan)).value() == plan);
  CHECK(run_request_from(to_json(request)).value() == request);
  Json json = to_json(plan);
  json["request"]["dataset"] = "./relative";
  CHECK_THAT(run_plan_from(json).error().message,
             Catch::StartsWith("the run plan, key 'request': the run request, key 'dataset': is no absolute path, no "
                               "address of a bucket and no dataset: '.' is not a dataset name"));
}

TEST_CASE("where the data comes from is written as it was read, and has what its kind has", "[run_plan]") {
  const TreeSummary tree{sha256("data"), 3, 30};
  const auto pinned = DatasetReference::parse("digits@3/training").value();
  const BucketState state = BucketState::of({{RelPath::parse("a").value(), 1, Instant{5}, "tag", "version"}});
  const std::vector<DataSource> sources = {
      {DataSource::Kind::folder, "/data", std::nullopt, std::nullopt},
      {DataSource::Kind::archive, "/store/checkouts/x", tree, std::nullopt},
      {DataSource::Kind::snapshot, "/store/checkouts/x", tree, std::nullopt},
      {DataSource::Kind::dataset, "/store/checkouts/x", tree, pinned},
      {DataSource::Kind::dataset, "/store/checkouts/x", tree, DatasetReference::parse("digits@3").value()},
      {DataSource::Kind::bucket, "/store/checkouts/x", tree, std::nullopt, state}};
  for (const DataSource& source : sources) CHECK(data_source_from(to_json(source)).value() == source);
  const std::vector<DataSource> mixed = {{DataSource::Kind::folder, "/data", tree, std::nullopt},
                                         {DataSource::Kind::folder, "/data", std::nullopt, pinned},
                                         {DataSource::Kind::archive, "/x", std::nullopt, std::nullopt},
                                         {DataSource::Kind::archive, "/x", tree, pinned},
                                         {DataSource::Kind::snapshot, "/x", std::nullopt, std::nullopt},
                                         {DataSource::Kind::snapshot, "/x", tree, pinned},
                                         {DataSource::Kind::dataset, "/x", tree, std::nullopt},
                                         {DataSource::Kind::dataset, "/x", std::nullopt, pinned},
                                         {DataSource::Kind::bucket, "/x", tree, std::nullopt},
                                         {DataSource::Kind::bucket, "/x", tree, pinned, state},
                                         {DataSource::Kind::archive, "/x", tree, std::nullopt, state},
                                         {DataSource::Kind::folder, "data", std::nullopt, std::nullopt}};
  for (const DataSource& source : mixed) {
    CAPTURE(to_json(source).dump());
    CHECK_FALSE(data_source_from(to_json(source)).ok());
  }
}

TEST_CASE("the data, the artifacts and what interpreters leave are no package content", "[run_plan]") {
  const RunLayout plain = example::plan().layout;
  for (const char* const out : {"dataset", "dataset/training", "dataset/training/a.csv", "dataset/test", "artifacts",
                                "artifacts/loss.svg", "__pycache__", "src/__pycache__"}) {
    CAPTURE(out);
    CHECK_FALSE(is_package_content(plain, path(out)));
  }
  for (const char* const in : {"package.json", "model/weights.bin", "datasets/x", "dataset.csv", "my/dataset",
                               "artifacts2", "model/artifacts"}) {
    CAPTURE(in);
    CHECK(is_package_content(plain, path(in)));
  }
  const RunLayout moved{path("input/now"), path("input/now"), path("dataset/test"), path("out/files")};
  CHECK(is_package_content(moved, path("dataset/x")));
  CHECK(is_package_content(moved, path("input/other")));
  CHECK(is_package_content(moved, path("out")));
  CHECK_FALSE(is_package_content(moved, path("input/now/a.csv")));
  CHECK_FALSE(is_package_content(moved, path("out/files")));
}

}  // namespace trainyard::run_plan_test
