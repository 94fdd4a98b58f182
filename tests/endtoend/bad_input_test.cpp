// SPDX-License-Identifier: Apache-2.0
// Mistakes on the command line: each is told in one line that names the thing, with its exit code, and nothing happens.
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::bad_input_test {
namespace {

struct Mistake {
  Arguments arguments;
  std::string told;  // a part of the one line
  int code = 2;
};

Arguments train(const Arguments& more, const std::string& package = "counts", const std::string& dataset = "data") {
  Arguments arguments = {"run", "training", package, "--dataset", dataset};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

Arguments with_env(const std::string& pair, const std::string& package = "counts") {
  return train({"--env", pair}, package);
}

const std::vector<Mistake> kMistakes = {
    // Words.
    {{}, "'trainyard' needs one of: init, doctor, audit, diff, reproduce, trace, uses, sign, attestations, capsule, "},
    {{}, "'trainyard' needs one of: init, doctor, "},
    {{"packge", "list"}, "'trainyard' has no command 'packge'; did you mean 'package'?"},
    {{"package"}, "'trainyard package' needs one of: validate, pack, add, list, show"},
    {{"package", "ad", "x.zip"}, "'trainyard package' has no command 'ad'; did you mean 'add'?"},
    {{"run", "trainig", "counts"}, "no command 'trainig'; did you mean 'training'?"},
    {{"runs", "log", "run-1"}, "no command 'log'; did you mean 'logs'?"},
    {{"snapshot", "restore", "abcd"}, "'trainyard snapshot' has no command 'restore'"},
    {{"package", "list", "--jsn"}, "no option '--jsn'; did you mean '--json'?"},
    {{"package", "add"}, "package"},
    {{"package", "list", "counts"}, "counts"},
    {train({"--datset", "data"}), "no option '--datset'; did you mean '--dataset'?"},
    {{"run", "training", "counts"}, "--dataset"},
    {{"run", "training", "counts", "--dataset"}, "--dataset"},
    {{"runs", "show"}, "run"},
    {{"trace"}, "package"},
    {{"trace", "counts", "--format", "cyclondx"}, "did you mean 'cyclonedx'?"},
    {{"trace", "counts", "-o", "no/such/folder.txt"}, "no/such"},
    {{"trace", "counts@1.7"}, "package 'counts' has no version 1.7; its newest is 1.0"},
    {{"outbox", "deliver"}, "trainyard store config openlineage URL"},
    {{"store", "config", "openlineage", "host:5000"}, "must begin with http://, https:// or file://"},
    // Packages.
    {{"package", "add", "nowhere.zip"}, "there is no file or folder 'nowhere.zip'"},
    {{"package", "add", "text.txt"}, "text.txt"},
    {{"package", "add", "data"}, "the package has no package.json, train.py or main.py in its root folder"},
    {{"package", "add", "python"}, "the package can do nothing"},
    {{"package", "validate", "nowhere"}, "there is no file or folder 'nowhere'"},
    {{"package", "pack", "nowhere"}, "there is no file or folder 'nowhere'"},
    {{"package", "pack", "text.txt"}, "'text.txt' is not a folder"},
    {{"package", "pack", "data"}, "the package has no package.json, train.py or main.py in its root folder"},
    {{"package", "pack", "counts", "--output", "taken.zip"}, "taken.zip"},
    {{"package", "pack", "counts", "--output", "no/such/folder.zip"}, "no/such"},
    {{"package", "show", "count"}, "there is no package 'count'; did you mean 'counts'?"},
    {{"package", "show", "counts@1.7"}, "package 'counts' has no version 1.7; its newest is 1.0"},
    {{"package", "show", "counts@1"}, "'1' is not a version"},
    {{"package", "show", "counts@01.0"}, "'01.0' is not a version"},
    {{"package", "show", "../counts"}, "'../counts' is not a package name"},
    {{"package", "show", ""}, "'' is not a package name"},
    // What a run is of.
    {train({}, "cuonts"), "there is no package 'cuonts'; did you mean 'counts'?"},
    {train({}, "counts@2.0"), "package 'counts' has no version 2.0"},
    {train({}, "counts@1.0.0"), "'1.0.0' is not a version"},
    {train({}, "class"), "'class' cannot be a package name because it is a Python keyword"},
    // Its data.
    {train({}, "counts", "nowhere"), "'nowhere' is neither a folder nor an archive nor a dataset"},
    {train({}, "counts", "./nowhere"), "nowhere'"},
    {train({}, "counts", ""), "'' is neither a folder nor an archive nor a dataset"},
    {train({}, "counts", "text.txt"), "text.txt"},
    {train({}, "counts", "text.txt/below"), "'text.txt/below' is neither a folder nor an archive nor a dataset"},
    {train({}, "counts", "./text.txt/below"), "there is no folder or archive '"},
    {train({}, "counts", "store"), "contains the store"},
    {train({}, "counts", "."), "contains the store"},
    {train({}, "counts", "store/objects"), "store/objects' lies inside the store"},
    {train({}, "counts", "store/../store/runs"), "store/runs' lies inside the store"},
    {train({}, "counts", "store/format"), "store/format' lies inside the store"},
    {train({}, "counts", "nubmers"),
     "'nubmers' is neither a folder nor an archive nor a dataset; did you mean 'numbers'?"},
    {train({}, "counts", "nubmers@1/sub"),
     "'nubmers@1/sub' is neither a folder nor an archive nor a dataset; did you mean 'numbers'?"},
    {train({}, "counts", "my numbers"), "'my numbers' is neither a folder nor an archive nor a dataset"},
    {train({}, "counts", "./numbers"), "there is no folder or archive '"},
    {train({}, "counts", "numbers@9"), "dataset 'numbers' has no version 9; its newest is 1"},
    {train({}, "counts", "numbers@0"), "'0' is not the number of a dataset's version"},
    {train({}, "counts", "numbers/su"), "dataset 'numbers@1': there is no folder 'su'; did you mean 'sub'?"},
    {train({}, "counts", "numbers@1/one.txt"), "dataset 'numbers@1': 'one.txt' is a file"},
    {train({}, "counts", "numbers/empty"), "dataset 'numbers@1': the folder 'empty' holds no file"},
    {train({}, "counts", "numbers/"), "the folder in 'numbers/': a path is empty"},
    {train({}, "counts", "numbers/../numbers"), "the folder in 'numbers/../numbers': "},
    // Its options.
    {train({"--name", "-dash"}), "-dash"},
    {train({"--name", "two words"}), "'two words' is not a run name"},
    {train({"--name", "ends-"}), "'ends-' is not a run name"},
    {train({"--name", std::string(64, 'n')}), std::string(64, 'n') + "' is not a run name"},
    {train({"--max-runtime", "soon"}), "--max-runtime is 'soon'"},
    {train({"--max-runtime", "0"}), "--max-runtime is 0"},
    {train({"--max-runtime", "-5s"}), "-5s"},
    {train({"--max-runtime", "9000h"}), "--max-runtime is '9000h'"},
    {train({"--grace", "5 minutes"}), "--grace is '5 minutes'"},
    {train({"--grace", "nan"}), "--grace is 'nan'"},
    {train({"--grace", "inf"}), "--grace is 'inf'"},
    {train({"--mount", "ovrlay"}), "--mount: 'ovrlay' is none of best, overlay, reflink, copy"},
    {train({"--isolation", "Strict"}), "--isolation: 'Strict' is none of strict, best-effort, none"},
    {train({"--without", "moat"}),
     "--without: 'moat' is none of landlock, seccomp, user, mount, pid, ipc, network, cgroup"},
    {train({"--memory", "lots"}), "--memory is 'lots' but must be a size such as 512M, 8G or 1.5T"},
    {train({"--memory", "0"}), "--memory is '0'"},
    {train({"--memory", "-1G"}), "--memory is '-1G'"},
    {train({"--memory", "1Z"}), "--memory is '1Z'"},
    {train({"--memory", "9999999999G"}), "--memory is '9999999999G'"},
    {train({"--cpus", "0"}), "--cpus is '0' but must be a number of processors such as 2 or 0.5"},
    {train({"--cpus", "two"}), "--cpus is 'two'"},
    {train({"--cpus", "nan"}), "--cpus is 'nan'"},
    {train({"--processes", "1"}), "--processes is '1' but must be a whole number from 2 to 100000000"},
    {train({"--open-files", "3"}), "--open-files is '3' but must be a whole number from 16 to 100000000"},
    {train({"--disk", "10 G"}), "--disk is '10 G'"},
    {train({"--log-size", "big"}), "--log-size is 'big'"},
    // Its variables and hyperparameters.
    {with_env("epochs"), "--env is 'epochs' but must be NAME=VALUE"},
    {with_env("=5"), "--env is '=5'"},
    {with_env("1st=5"), "--env is '1st=5'"},
    {with_env("my-name=5"), "--env is 'my-name=5'"},
    {train({"--env", "epochs=1", "--env", "epochs=2"}), "--env gives epochs twice"},
    {with_env("epochs=many"), "hyperparameter 'epochs': 'many' is not of type Integer"},
    {with_env("epochs=1.5"), "hyperparameter 'epochs': '1.5' is not of type Integer"},
    {with_env("epochs="), "hyperparameter 'epochs': '' is not of type Integer"},
    {with_env("epochs=1001"), "hyperparameter 'epochs' is 1001 but must be between 0 and 1000"},
    {with_env("epochs=99999999999999999999"), "99999999999999999999"},
    {with_env("learning_rate=nan"), "hyperparameter 'learning_rate': 'nan' is not of type Float"},
    {with_env("learning_rate=0,5"), "hyperparameter 'learning_rate': '0,5' is not of type Float"},
    {with_env("learning_rate=-0.1"), "hyperparameter 'learning_rate' is -0.1 but must be between 0 and 10"},
    {with_env("optimizer=adamw"), "hyperparameter 'optimizer' is adamw but must be one of sgd, adam"},
    {with_env("shuffle=yes"), "hyperparameter 'shuffle': 'yes' is not of type Boolean"},
    {with_env("epoch=5", "strict"),
     "package 'strict' has no hyperparameter 'epoch' and accepts no others; did you mean 'epochs'?"},
    {train({"--env", "epochs=1", "--env", "secret=5"}, "strict"), "hyperparameter 'secret' cannot be changed by a run"},
    {train({}, "strict"), "hyperparameter 'epochs' is required; give it with --env epochs=VALUE"},
    {with_env("data_directory=/data"), "the variable data_directory is set by Trainyard"},
    {with_env("test_data_directory=x"),
     "the variable test_data_directory cannot be given: a training run has no test data"},
    {with_env("PATH=/tmp"), "the variable PATH is set by Trainyard"},
    {with_env("artifacts_directory=../x"), "artifacts_directory"},
    {with_env("artifacts_directory=a/../../x"), "artifacts_directory"},
    {with_env("artifacts_directory=/x"), "artifacts_directory"},
    {with_env("artifacts_directory="), "artifacts_directory"},
    {with_env("artifacts_directory=."), "artifacts_directory"},
    {with_env("training_data_directory=../x"), "training_data_directory"},
    {with_env("training_data_directory=artifacts"),
     "artifacts_directory and training_data_directory name folders inside one another"},
    {with_env("training_data_directory=artifacts/in"),
     "artifacts_directory and training_data_directory name folders inside one another"},
    {with_env("artifacts_directory=dataset/training/out"),
     "artifacts_directory and training_data_directory name folders inside one another"},
    {with_env("save_training_data=perhaps"), "save_training_data is 'perhaps' but must be true or false"},
    {with_env("save_data=2"), "save_data is '2' but must be true or false"},
    // Runs and snapshots.
    {{"runs", "show", "run-2"}, "there is no run 'run-2'; did you mean 'run-1'?"},
    {{"runs", "logs", "nothing-like-it"}, "there is no run 'nothing-like-it'"},
    {{"runs", "show", ""}, "there is no run ''"},
    {{"runs", "logs", "run-1", "--stream", "stdin"}, "--stream is 'stdin' but must be all, stdout or stderr"},
    {{"snapshot", "create", "nowhere"}, "nowhere"},
    {{"snapshot", "create", "text.txt"}, "text.txt' is not a folder"},
    {{"snapshot", "create", "linked"}, "linked/odd' is a symbolic link"},
    {{"snapshot", "checkout", "0123456789", "back"}, "there is no snapshot '0123456789'"},
    {{"snapshot", "checkout", "../runs", "back"}, "there is no snapshot '../runs'"},
    {{"snapshot", "checkout", "SNAPSHOT", "data"}, "data"},
    {{"snapshot", "checkout", "SNAPSHOT", "text.txt"}, "text.txt"},
    {{"snapshot", "verify", "abc"}, "there is no snapshot 'abc'"},
    // Datasets.
    {{"dataset", "ad", "numbers", "data"}, "'trainyard dataset' has no command 'ad'; did you mean 'add'?"},
    {{"dataset", "add", "numbers"}, "source"},
    {{"dataset", "add", "1st", "data"}, "'1st' is not a dataset name"},
    {{"dataset", "add", "numbers@2", "data"}, "'numbers@2' is not a dataset name"},
    {{"dataset", "add", "Numbers", "data"}, "the dataset 'numbers' exists, and 'Numbers' differs from it only in"},
    {{"dataset", "add", "numbers", "nowhere"}, "there is no folder or archive '"},
    {{"dataset", "add", "numbers", ""}, "there is no folder or archive ''"},
    {{"dataset", "add", "numbers", "text.txt"}, "text.txt"},
    {{"dataset", "add", "numbers", "/dev/null"}, "'/dev/null' is neither a folder nor an archive"},
    {{"dataset", "add", "numbers", "store"}, "contains the store"},
    {{"dataset", "add", "numbers", "."}, "contains the store"},
    {{"dataset", "add", "numbers", "store/runs"}, "store/runs' lies inside the store"},
    {{"dataset", "add", "numbers", "linked"}, "linked/odd' is a symbolic link"},
    {{"dataset", "add", "numbers", "hollow"}, "hollow' holds no file"},
    {{"dataset", "show", "nubmers"}, "there is no dataset 'nubmers'; did you mean 'numbers'?"},
    {{"dataset", "show", "numbers@9"}, "dataset 'numbers' has no version 9; its newest is 1"},
    {{"dataset", "show", "numbers@1.0"}, "'1.0' is not the number of a dataset's version"},
    {{"dataset", "show", "numbers/su"}, "dataset 'numbers@1': there is no folder 'su'; did you mean 'sub'?"},
    {{"dataset", "show", "numbers/empty"}, "dataset 'numbers@1': the folder 'empty' holds no file"},
    {{"dataset", "show", "../numbers"}, "'..' is not a dataset name"},
    {{"dataset", "show", ""}, "'' is not a dataset name"},
    // Stores.
    {{"init", "--store", "store"}, "store' is a store already"},
    {{"init", "--store", "data"}, "data' is not empty"},
    {{"init", "--store", "text.txt"}, "text.txt"},
    {{"runs", "list", "--store", "nowhere"}, "nowhere' is not a store; make one with 'trainyard init"},
    {{"runs", "list", "--store", "data"}, "data' is not a store"},
    {{"runs", "list", "--store", "newer"}, "has format 4 but this Trainyard reads format 3"},
    {{"runs", "list", "--store", "garbled"}, "garbled/format", 3},
};

void prepare(TestStore& store) {
  const TempFolder& temp = store.temp();
  store.add("counts");
  temp.write("data/one.txt", "one\n");
  // So that there is a run, and a snapshot.
  REQUIRE(store.train("counts", temp.path() / "data", {"--save-training-data"}).output.status.code == 0);
  REQUIRE(boost::filesystem::remove(store.root() / "packages" / "counts" / "1.1.json"));
  temp.write("text.txt", "just text\n");
  temp.write("taken.zip", "somebody's\n");
  temp.folder("hollow");
  temp.write("named/one.txt", "one\n");
  temp.write("named/sub/two.txt", "two\n");
  temp.folder("named/empty");
  store.must({"dataset", "add", "numbers", "named"});
  temp.write("python/train.py", "class Main: pass\n");
  temp.write("newer/format", "{\"format\": 4}\n");
  temp.write("garbled/format", "not json\n");
  temp.write("linked/one.txt", "one\n");
  boost::filesystem::create_symlink("one.txt", temp.path() / "linked" / "odd");
  for (const auto& [name, bytes] : contents(test_package("counts"))) {
    temp.write("counts/" + name, bytes);
    std::string changed = bytes;
    if (name == "package.json") {
      Json manifest = Json::parse(bytes);
      manifest["name"] = "strict";
      manifest["custom_hyperparameters"] = false;
      manifest["hyperparameters"][0]["default"] = nullptr;
      manifest["hyperparameters"][0]["required"] = true;
      manifest["hyperparameters"].push_back({{"name", "secret"},
                                             {"type", "Integer"},
                                             {"default", 1},
                                             {"required", false},
                                             {"editable", false},
                                             {"range", nullptr},
                                             {"enum", nullptr},
                                             {"description", ""}});
      changed = manifest.dump();
    }
    temp.write("strict/" + name, changed);
  }
  store.must({"package", "add", (temp.path() / "strict").string()});
}

// The line as a user would judge it.
void check_told(const Mistake& mistake, const ProgramOutput& output) {
  CHECK(output.status.code == mistake.code);
  CHECK(output.out == "");
  CHECK_THAT(output.err, Catch::StartsWith("trainyard: ") && Catch::EndsWith("\n") && Catch::Contains(mistake.told));
  CHECK(std::count(output.err.begin(), output.err.end(), '\n') == 1);
}

TEST_CASE("A mistake is told in one line that names it, and nothing happens") {
  TestStore store;
  prepare(store);
  const auto snapshot = store.json({"snapshot", "list"}).at(0).at("tree").at("digest").get<std::string>();
  const Fingerprint before = fingerprint(store.temp().path());
  for (const Mistake& mistake : kMistakes) {
    Arguments arguments = mistake.arguments;
    std::replace(arguments.begin(), arguments.end(), std::string("SNAPSHOT"), snapshot);
    CAPTURE(arguments);
    check_told(mistake, store.run(arguments));
  }
  // Scratch files come and go, so the time of their folder changes; nothing else may.
  Fingerprint after = fingerprint(store.temp().path());
  after["store/tmp"] = before.at("store/tmp");
  CHECK(difference(before, after) == "");
}

TEST_CASE("Two runs of one name are told apart by their ids") {
  TestStore store;
  store.add("idle");
  store.temp().write("data/one.txt", "one\n");
  for (int i = 0; i < 2; ++i)
    store.must({"run", "training", "idle", "--dataset", (store.temp().path() / "data").string(), "--name", "twice",
                "--allow-repeat"});
  const auto id = store.json({"runs", "list"}).at(1).at("run").get<std::string>();
  check_told({{}, "'twice' fits 2 runs; give the id, such as " + id}, store.run({"runs", "show", "twice"}));
  CHECK(store.json({"runs", "show", id}).at("name") == "twice");
}

TEST_CASE("Names that differ only in case are one name") {
  TestStore store;
  store.add("idle");
  Json manifest = read_json(test_package("idle") / "package.json");
  manifest["name"] = "Idle";
  store.temp().write("idle/package.json", manifest.dump());
  store.temp().write("idle/libidle.so", read_text(test_package("idle") / "libidle.so"));
  check_told({{}, "the package 'idle' exists, and 'Idle' differs from it only in upper and lower case"},
             store.run({"package", "add", (store.temp().path() / "idle").string()}));
  CHECK(store.versions("idle") == std::vector<std::string>{"1.0"});
}

TEST_CASE("A file that the user may not read is named") {
  if (::geteuid() == 0) return;  // root may read everything
  TestStore store;
  store.add("counts");
  const Path closed = store.temp().folder("closed");
  const Path file = store.temp().write("data/secret.txt", "secret\n");
  REQUIRE(::chmod(closed.c_str(), 0) == 0);
  REQUIRE(::chmod(file.c_str(), 0) == 0);
  check_told({{}, "closed", 3}, store.run(train({}, "counts", closed.string())));
  const EndedRun run = store.train("counts", store.temp().path() / "data");
  CHECK(run.output.status.code != 0);
  CHECK_THAT(run.message(), Catch::Contains("secret.txt"));
}

}  // namespace
}  // namespace trainyard::bad_input_test
