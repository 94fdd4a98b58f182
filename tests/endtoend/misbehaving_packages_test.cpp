// SPDX-License-Identifier: Apache-2.0
// Packages that throw, crash, hang and lie: each run ends with a truthful story, no version comes of it, and Trainyard
// goes on.
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/test_store.hpp"

namespace trainyard::misbehaving_packages_test {
namespace {

struct Misbehaviour {
  const char* package;
  Arguments arguments;
  int code;
  const char* status;
  const char* reason;
  const char* message;  // a part of it
};

const std::vector<Misbehaviour> kMisbehaviours = {
    {"throws_in_create", {}, 1, "Failed", "package_error", "create: the model cannot be loaded, on purpose"},
    {"throws_in_train", {}, 1, "Failed", "package_error", "train: training failed on purpose"},
    {"throws_in_save", {}, 1, "Failed", "package_error", "save: saving failed on purpose"},
    {"throws_int", {}, 1, "Failed", "package_error", "train: threw something that is not a std::exception"},
    {"segfaults", {}, 1, "Failed", "crashed", "signal 11 (SIGSEGV"},
    {"aborts", {}, 1, "Failed", "crashed", "signal 6 (SIGABRT"},
    {"exits_zero", {}, 1, "Failed", "package_error", "ended its process with exit code 0"},
    {"quick_exits", {}, 1, "Failed", "package_error", "ended its process with exit code 0"},
    {"hangs", {"--max-runtime", "1s", "--grace", "300ms"}, 4, "Killed", "max_runtime", "longest permitted time"},
#ifndef __SANITIZE_ADDRESS__  // whose operator new never throws, but ends the process
    {"wants_a_terabyte", {}, 1, "Failed", "out_of_memory", "train: out of memory"},
#endif
    {"reports_invalid_input", {}, 1, "Failed", "invalid_input", "train: the dataset has no file labels.csv"},
    {"missing_symbol", {}, 1, "Failed", "package_error", "trainyard_test_function_that_is_nowhere"},
    {"stubborn_saver", {}, 1, "Failed", "package_error", "passwd' is a symbolic link"},
    {"writes_everywhere",
     {"--env", "spoil_manifest=true"},
     1,
     "Failed",
     "package_error",
     "the package damaged itself while it ran"},
};

TEST_CASE("A run whose package misbehaves fails truthfully and makes no version") {
  TestStore store;
  const Path data = store.temp().folder("data");
  store.temp().write("data/one.txt", "one\n");
  for (const Misbehaviour& row : kMisbehaviours) {
    CAPTURE(row.package);
    store.add(row.package);
    Arguments arguments = crash_plainly();
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const EndedRun run = store.train(row.package, data, arguments);
    CHECK(run.output.status.code == row.code);
    CHECK(run.status() == row.status);
    CHECK(run.reason() == row.reason);
    CHECK_THAT(run.message(), Catch::Contains(row.message));
    // The user reads the same, on one line.
    CHECK_THAT(run.output.err, Catch::Contains(row.message) && Catch::EndsWith("\n"));
    CHECK(std::count(run.output.err.begin(), run.output.err.end(), '\n') == 1);
    CHECK(run.version() == "");
    CHECK(run.traceability().at("version").is_null());
    CHECK(run.results.at("run_summary").at("outputs").at("package").is_null());
    CHECK(run.traceability().at("attempts").size() == 1);
    CHECK(store.leftovers() == "");
    const Json shown = store.json({"runs", "show", run.results.at("parameters").at("pipeline").get<std::string>()});
    CHECK(shown.at("status") == row.status);
    CHECK(shown.at("results") == run.results);
    CHECK(store.versions(row.package) == std::vector<std::string>{"1.0"});
  }
  CHECK(store.json({"runs", "list"}).size() == kMisbehaviours.size());
  CHECK(store.schema_mistakes() == "");
}

TEST_CASE("What can be seen without running it is refused at the upload") {
  struct Refusal {
    const char* package;
    const char* message;
  };
  TestStore store;
  for (const Refusal& row :
       std::vector<Refusal>{{"wrong_library", "'libsomewhere_else.so', which is not a file in the package"},
                            {"not_a_library", "'libnot_a_library.so' is not an ELF shared library"},
                            {"no_entry", "'libno_entry.so' does not export trainyard_package_v1"}}) {
    CAPTURE(row.package);
    for (const char* const verb : {"add", "validate"}) {
      for (const char* const suffix : {".zip", ""}) {
        const ProgramOutput output =
            store.run({"package", verb, test_package(std::string(row.package) + suffix).string()});
        CHECK(output.status.code == 2);
        CHECK(output.out == "");
        CHECK_THAT(output.err, Catch::Contains(row.message));
      }
    }
  }
  CHECK(store.json({"package", "list"}).empty());
  CHECK(store.leftovers() == "");
}

TEST_CASE("What a failed run wrote for people is kept") {
  TestStore store;
  store.add("writes_everywhere");
  store.temp().write("data/one.txt", "one\n");
  const EndedRun run = store.train("writes_everywhere", store.temp().path() / "data", {"--env", "spoil_manifest=true"});
  CHECK(run.status() == "Failed");
  CHECK_THAT(read_text(run.folder / "artifacts" / "attempts.txt"), Catch::Contains("package.json: done"));
  CHECK(run.results.at("run_summary").at("outputs").at("artifacts_data") == (run.folder / "artifacts").string());
  CHECK(run.traceability().at("artifacts").at("files") == 1);
}

}  // namespace
}  // namespace trainyard::misbehaving_packages_test
