// SPDX-License-Identifier: Apache-2.0
// Python packages in the styles in which people write them, unmodified.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard::python_packages_test {
namespace {

// A store with one of the Python packages for tests, and a little data.
struct Snake {
  TestStore store;
  Path data = store.temp().folder("data");
  std::string package;

  explicit Snake(std::string name) : package(std::move(name)) {
    for (const char* const file : {"a", "b", "c"})
      store.temp().write("data/" + std::string(file) + ".csv", std::string("1,2\n3,4\n") + file + "\n");
  }
  [[nodiscard]] Path folder() const { return Path(TRAINYARD_PYTHON_PACKAGES_DIR) / package; }
  void add() { store.must({"package", "add", folder().string()}); }
  EndedRun run(const std::string& type, const Arguments& more = {}) {
    return store.carry_out(type, package, data, more);
  }
  void check_clean() const {
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
};

std::string stored(const Snake& snake, const std::string& version, const std::string& file) {
  return snake.store.must({"snapshot", "cat", snake.package + "@" + version, file});
}

}  // namespace

TEST_CASE("A Python package without a manifest trains, is trained again and is evaluated") {
  Snake snake("relative_model");
  snake.add();
  const Json added = snake.store.json({"package", "show", "relative_model"});
  CHECK(added.at("abi").at("runtime") == "python");
  CHECK(added.at("abi").at("verbs") == Json({"train", "save", "evaluate", "predict"}));
  const Fingerprint before = fingerprint(snake.data);
  for (const char* const version : {"1.1", "1.2"}) {
    const EndedRun run = snake.run("training");
    INFO(run.output.err);
    CHECK(run.status() == "Successful");
    CHECK(run.version() == version);
    const Json& python = run.traceability().at("python");
    CHECK(python.at("interpreter") == "/usr/bin/python3");
    CHECK(python.at("version").get<std::string>().starts_with("Python 3."));
  }
  const EndedRun evaluation = snake.run("evaluation");
  CHECK(evaluation.traceability().at("score") == 2.0);
  CHECK(difference(before, fingerprint(snake.data)) == "");
  // Nothing but the model is new.
  CHECK(snake.store.json({"package", "show", "relative_model@1.2"}).at("tree").at("files") ==
        added.at("tree").at("files").get<int>() + 1);
  snake.check_clean();
}

TEST_CASE("A Python package finds itself by __file__ and imports its own modules") {
  Snake snake("absolute_model");
  snake.add();
  const EndedRun run = snake.run("training");
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  CHECK(stored(snake, "1.1", "models/lines.txt") == "9");
  CHECK(read_text(run.folder / "artifacts" / "report.txt") == "9 lines in package\n");
  snake.check_clean();
}

TEST_CASE("A Python package splits the data below what it is given") {
  Snake snake("splits_data");
  snake.add();
  const Fingerprint before = fingerprint(snake.data);
  const EndedRun run = snake.run("full");
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  CHECK(run.traceability().at("score").get<double>() == Approx(1.0 / 3.0));
  CHECK(run.traceability().at("trained_on_dataset") == false);
  CHECK(stored(snake, "1.1", "known.txt") == "a.csv\nc.csv");
  CHECK(difference(before, fingerprint(snake.data)) == "");
  snake.check_clean();
}

TEST_CASE("What a Python package prints is kept") {
  Snake snake("prints_only");
  snake.add();
  const EndedRun run = snake.run("training");
  CHECK(run.version() == "1.1");
  CHECK(read_text(run.folder / "stdout.log") == "ready\naccuracy: 0.5\nno newline at the end");
  CHECK(read_text(run.folder / "stderr.log") == "a warning\nWARNING:root:from logging\n");
  snake.check_clean();
}

TEST_CASE("Leaving by sys.exit is no success") {
  Snake snake("exits_in_train");
  snake.add();
  const EndedRun run = snake.run("training");
  CHECK(run.status() == "Failed");
  CHECK(run.reason() == "package_error");
  CHECK(run.message() == "train: train() called sys.exit(0) instead of returning");
  CHECK(run.version() == "");
  CHECK(read_text(run.folder / "stdout.log") == "done, or so it believes\n");
  snake.check_clean();
}

TEST_CASE("A Python score is one finite number") {
  struct Row {
    std::string kind;
    std::optional<double> score;
    std::string message;
  };
  const Row rows[] = {
      {"float", 0.25, ""},
      {"integer", 1, ""},
      {"decimal", 0.25, ""},
      {"numpy.float64", 0.25, ""},
      {"numpy.array", {}, "evaluate() gave array([0.25, 0.5 ]) (ndarray), which is not a finite number"},
      {"nothing", {}, "evaluate() gave None (NoneType), which is not a finite number"},
      {"nan", {}, "evaluate() gave nan (float), which is not a finite number"},
      {"infinity", {}, "evaluate() gave inf (float), which is not a finite number"},
      {"text", {}, "evaluate() gave '0.25' (str), which is not a finite number"},
      {"list", {}, "evaluate() gave [0.25] (list), which is not a finite number"}};
  Snake snake("scores");
  snake.add();
  for (const Row& row : rows) {
    CAPTURE(row.kind);
    const EndedRun run = snake.run("evaluation", {"--env", "kind=" + row.kind});
    INFO(run.output.err);
    CHECK(run.status() == (row.score ? "Successful" : "Failed"));
    const Json& score = run.traceability().at("score");
    CHECK(score == (row.score ? Json(*row.score) : Json(nullptr)));
    CHECK(has(run.message(), row.message));
  }
  snake.check_clean();
}

TEST_CASE("A Python package that is no Python is refused before it is stored") {
  Snake snake("syntax_error");
  const ProgramOutput added = snake.store.run({"package", "add", snake.folder().string()});
  CHECK(added.status.code == 2);
  CHECK(has(added.err, "train.py is not valid for Python 3."));
  CHECK(has(added.err, "in line 3"));
  CHECK(snake.store.json({"package", "list"}) == Json::array());
}

TEST_CASE("A module that is missing is named") {
  Snake snake("missing_module");
  snake.add();
  const EndedRun run = snake.run("training");
  CHECK(run.reason() == "package_error");
  CHECK(has(run.message(),
            "No module named 'no_such_module_anywhere'; install it for /usr/bin/python3, or list it in the package's "
            "requirements.txt"));
  CHECK(has(run.message(), "train.py\", line 1"));
  snake.check_clean();
}

TEST_CASE("A requirement that is absent is named before anything runs") {
  Snake snake("absent_requirement");
  snake.add();
  const ProgramOutput refused =
      snake.store.run({"run", "training", "absent_requirement", "--dataset", snake.data.string()});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err,
            "package 'absent_requirement@1.0' requires 'no-such-requirement-anywhere==1.2.3' "
            "(requirements.txt, line 2), which /usr/bin/python3 does not have"));
  CHECK(snake.store.json({"runs", "list"}) == Json::array());
}

TEST_CASE("A Python package that ignores SIGTERM is killed when its grace is over") {
  Snake snake("ignores_the_end");
  snake.add();
  const EndedRun run = snake.run("training", {"--max-runtime", "1s", "--grace", "200ms"});
  CHECK(run.status() == "Killed");
  CHECK(run.reason() == "max_runtime");
  CHECK(run.version() == "");
  CHECK(read_text(run.folder / "stdout.log") == "for ever\n");
  snake.check_clean();
}

TEST_CASE("A Python training may fork and spawn workers") {
  Snake snake("forks_workers");
  snake.add();
  const EndedRun run = snake.run("training");
  INFO(run.output.err);
  INFO(read_text(run.folder / "stderr.log"));
  REQUIRE(run.version() == "1.1");
  CHECK(stored(snake, "1.1", "sizes.txt") == "10 10 10\n");
  snake.check_clean();
}

TEST_CASE("An exception is told with the way to it") {
  Snake snake("raises");
  snake.add();
  const EndedRun run = snake.run("training");
  CHECK(run.reason() == "package_error");
  CHECK(has(run.message(), "ValueError: the table has no column 'Größe'\n"));
  CHECK(has(run.message(), "train.py\", line 9, in train\n    deep(2)"));
  CHECK_FALSE(has(run.message(), "trainyard_worker.py"));
  CHECK(has(read_text(run.folder / "stderr.log"), "Traceback (most recent call last):"));
  snake.check_clean();
}

TEST_CASE("A Python package tells of metrics and progress, and has hyperparameters") {
  Snake snake("tells");
  snake.add();
  const EndedRun run = snake.run("training", {"--env", "epochs=4"});
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  const Json& loss = run.traceability().at("metrics").at("loss");
  CHECK(loss.at("count") == 4);
  CHECK(loss.at("last") == 0.25);
  CHECK(run.traceability().at("hyperparameters") == Json({{"epochs", 4}}));
  const ProgramOutput refused =
      snake.store.run({"run", "training", "tells", "--dataset", snake.data.string(), "--env", "epochs=11"});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err, "hyperparameter 'epochs' is 11 but must be between 1 and 10"));
  snake.check_clean();
}

TEST_CASE("Metrics are read from what a package prints") {
  Snake snake("prints_metrics");
  snake.add();
  const EndedRun run = snake.run("training");
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  const Json& metrics = run.traceability().at("metrics");
  CHECK(metrics.at("loss") == Json({{"count", 4}, {"last", 0.25}, {"last_step", 3}, {"min", 0.25}, {"max", 1.0}}));
  CHECK(metrics.at("accuracy").at("last") == 0.75);
  const Json series = snake.store.json({"runs", "metrics", "run-1"});
  CHECK(series.at("loss").size() == 4);
  CHECK(series.at("accuracy").size() == 1);
  snake.store.temp().write("bad/train.py", "class Main:\n  def evaluate(self, d): return 1\n");
  snake.store.temp().write("bad/package.json",
                           R"({"schema":"trainyard.package/1","name":"bad","runtime":"python","training_enabled":false,
                               "metrics":[{"name":"loss","regex":"loss"}]})");
  const ProgramOutput refused = snake.store.run({"package", "add", (snake.store.temp().path() / "bad").string()});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err, "the metric 'loss' has the regular expression 'loss', which has no group in parentheses"));
  snake.check_clean();
}

TEST_CASE("A Python package is called as its root folder, or as its user says") {
  Snake snake("prints_only");
  snake.store.must({"package", "add", snake.folder().string(), "--name", "another"});
  CHECK(snake.store.versions("another") == std::vector<std::string>{"1.0"});
  const Path zip = snake.store.temp().path() / "packed.zip";
  snake.store.must({"package", "pack", snake.folder().string(), "--output", zip.string()});
  snake.store.must({"package", "add", zip.string()});
  CHECK(snake.store.versions("prints_only") == std::vector<std::string>{"1.0"});
  // A relative path means the working directory, as everywhere.
  const ProgramOutput relative = run_program({TRAINYARD_PROGRAM, "package", "validate", "prints_only"}, {},
                                             TRAINYARD_PYTHON_PACKAGES_DIR, "", std::chrono::seconds(30))
                                     .value();
  CHECK(relative.out == "prints_only is a valid package 'prints_only' with train, save\n");
  Snake named("tells");
  const ProgramOutput other = named.store.run({"package", "add", named.folder().string(), "--name", "other"});
  CHECK(other.status.code == 2);
  CHECK(has(other.err, "the package is called 'tells' by its package.json, not 'other'"));
}

TEST_CASE("The interpreter is chosen by option, by the store or by nobody, and never by PATH") {
  Snake snake("prints_only");
  snake.add();
  const Path fake = snake.store.temp().path() / "python3";
  snake.store.temp().write("python3", "#!/bin/sh\nexec /usr/bin/python3 \"$@\"\n");
  REQUIRE(::chmod(fake.c_str(), 0755) == 0);
  const auto interpreter = [](const EndedRun& run) { return run.traceability().at("python").at("interpreter"); };
  CHECK(interpreter(snake.run("training")) == "/usr/bin/python3");
  CHECK(interpreter(snake.run("training", {"--python", fake.string(), "--allow-repeat"})) == fake.string());
  snake.store.must({"store", "config", "python", fake.string()});
  CHECK(snake.store.json({"store", "config"}).at("python") == fake.string());
  CHECK(interpreter(snake.run("training", {"--allow-repeat"})) == fake.string());
  CHECK(interpreter(snake.run("training", {"--python", "/usr/bin/python3", "--allow-repeat"})) == "/usr/bin/python3");
  snake.store.must({"store", "config", "python", "--unset"});
  CHECK(interpreter(snake.run("training", {"--allow-repeat"})) == "/usr/bin/python3");
  const ProgramOutput absent = snake.store.run(
      {"run", "training", "prints_only", "--dataset", snake.data.string(), "--python", "/nowhere/python3"});
  CHECK(absent.status.code == 2);
  CHECK(has(absent.err, "there is no Python interpreter '/nowhere/python3'"));
  snake.store.add("counts");
  const ProgramOutput native =
      snake.store.run({"run", "training", "counts", "--dataset", snake.data.string(), "--python", "/usr/bin/python3"});
  CHECK(native.status.code == 2);
  CHECK(has(native.err, "is a native package, for which --python and --dependencies mean nothing"));
}

// A wheel of a module `tiny` with one function, in `folder`.
void make_wheel(const Path& folder) {
  constexpr const char* kMake = R"(
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + "/tiny-1.2-py3-none-any.whl", "w") as wheel:
    wheel.writestr("tiny.py", "def answer(): return 42\n")
    info = "tiny-1.2.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.2\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "tiny.py,,\n" + "".join(f"{info}{name},,\n" for name in ("METADATA", "WHEEL", "RECORD")))
)";
  const auto made =
      run_program({TRAINYARD_SYSTEM_PYTHON, "-c", kMake, folder.string()}, {}, "/", "", std::chrono::seconds(30));
  REQUIRE(made.ok());
  REQUIRE(made->err == "");
}

TEST_CASE("Requirements are installed once, into a virtual environment") {
  TestStore store;
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  store.temp().write("asks/train.py",
                     "import tiny\nclass Main:\n  def train(self, d): self.answer = tiny.answer()\n"
                     "  def save(self): open('answer.txt', 'w').write(str(self.answer))\n");
  store.temp().write("asks/requirements.txt", "tiny >= 1.1  # any will do\n");
  const Path wheels = store.temp().folder("wheels");
  make_wheel(wheels);
  store.must({"package", "add", (store.temp().path() / "asks").string()});
  const auto train = [&](const Arguments& more, const Path& from) {
    Arguments arguments = {"run", "training", "asks", "--dataset", data.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return store.run(arguments, {{"PIP_NO_INDEX", "1"}, {"PIP_FIND_LINKS", from.string()}});
  };
  CHECK(has(train({}, wheels).err,
            "requires 'tiny >= 1.1' (requirements.txt, line 1), which /usr/bin/python3 does not "
            "have; install it there, or give --dependencies venv"));
  const ProgramOutput failed = train({"--dependencies", "venv", "--name", "none"}, "/nowhere");
  CHECK(failed.status.code != 0);
  CHECK(has(failed.err, "cannot install what the package requires: "));
  CHECK(has(failed.err, "tiny"));
  const auto venvs = [&] {
    std::size_t complete = 0;
    const auto names = list_folder(store.root() / "venvs");
    for (const std::string& name : *names)
      if (is_there(store.root() / "venvs" / name / "complete")) ++complete;
    return complete;
  };
  for (const Path& from : {wheels, Path("/nowhere")}) {
    const ProgramOutput trained = train({"--dependencies", "venv"}, from);
    INFO(trained.err);
    CHECK(trained.status.code == 0);
  }
  CHECK(store.versions("asks") == std::vector<std::string>{"1.0", "1.1", "1.2"});
  CHECK(venvs() == 1);
  // What requirements include is a part of them.
  store.temp().write("asks/requirements.txt", "-r more.txt\n");
  for (const char* const asked : {"tiny >= 1.0\n", "tiny >= 1.2\n"}) {
    store.temp().write("asks/more.txt", asked);
    store.must({"package", "add", (store.temp().path() / "asks").string()});
    const ProgramOutput trained = train({"--dependencies", "venv"}, wheels);
    INFO(trained.err);
    CHECK(trained.status.code == 0);
  }
  CHECK(venvs() == 3);
  CHECK(store.must({"snapshot", "cat", "asks@1.2", "answer.txt"}) == "42");
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("The two programs alone run native packages, and say what Python packages need") {
  Snake snake("prints_only");
  snake.add();
  snake.store.add("counts");
  const Path bin = snake.store.temp().folder("alone/bin");
  for (const char* const program : {"trainyard", "trainyard-worker"})
    boost::filesystem::copy_file(Path(TRAINYARD_PROGRAM).parent_path() / program, bin / program);
  const auto train = [&](const std::string& package) {
    const auto output =
        run_program({(bin / "trainyard").string(), "run", "training", package, "--dataset", snake.data.string()},
                    {{"TRAINYARD_STORE", snake.store.root().string()}, {"PATH", "/usr/bin:/bin"}}, "/", "",
                    std::chrono::seconds(60));
    REQUIRE(output.ok());
    return *output;
  };
  CHECK(train("counts").status.code == 0);
  const ProgramOutput refused = train("prints_only");
  CHECK(refused.status.code == 3);
  CHECK(has(refused.err, "alone/share/trainyard/python/trainyard_worker.py' is missing; install Trainyard whole"));
}

TEST_CASE("The sample package wine tells cultivators apart") {
  TestStore store;
  const Path sample(WINE_DIR);
  store.must({"package", "add", (sample / "wine").string()});
  const Fingerprint before = fingerprint(sample);
  const EndedRun run = store.carry_out("full", "wine", sample / "data", {"--save-training-data"});
  INFO(run.output.err);
  REQUIRE(run.version() == "1.1");
  CHECK(run.traceability().at("score").get<double>() > 0.9);
  CHECK(run.traceability().at("overlap").at("files") == 0);
  CHECK(is_there(run.folder / "artifacts" / "confusion_matrix.csv"));
  const EndedRun again = store.carry_out("evaluation", "wine@1.1", sample / "data");
  CHECK(again.traceability().at("score").get<double>() > 0.95);
  CHECK(difference(before, fingerprint(sample)) == "");
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

}  // namespace trainyard::python_packages_test
