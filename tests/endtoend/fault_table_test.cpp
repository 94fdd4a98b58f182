// SPDX-License-Identifier: Apache-2.0
// Every type of run, of both runtimes, with every fault in every call: what status, what reason, what is left.
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::fault_table_test {
namespace {

using Texts = std::vector<std::string>;

struct Fault {
  const char* kind;
  const char* status;
  const char* reason;
  int code;  // of the command
};
constexpr Fault kFaults[] = {
    {"throws", "Failed", "package_error", 1}, {"blames", "Failed", "invalid_input", 1},
    {"fills", "Failed", "out_of_memory", 1},  {"exits", "Failed", "package_error", 1},
    {"crashes", "Failed", "crashed", 1},      {"hangs", "Killed", "max_runtime", 4},
};

struct Type {
  const char* name;
  Texts calls;
};
const Type kTypes[] = {{"training", {"train", "save"}},
                       {"evaluation", {"evaluate"}},
                       {"full", {"process_data", "train", "save", "evaluate"}}};

// What a run left, as far as it does not depend on the type: all of it, or nothing but its story.
void check_left(const EndedRun& run, const Type& type, bool good) {
  const Json& outputs = run.results.at("run_summary").at("outputs");
  const bool trains = std::string(type.name) != "evaluation";
  const bool evaluates = std::string(type.name) != "training";
  CHECK(outputs.contains("version") == trains);
  CHECK(outputs.contains("score") == evaluates);
  if (trains) CHECK(outputs.at("version").is_null() == !good);
  if (evaluates) CHECK(outputs.at("score").is_null() == !good);
  CHECK(run.traceability().at("type") == type.name);
  CHECK(run.traceability().at("attempts").size() == 1);
  CHECK(is_there(run.folder / "artifacts"));
  CHECK_FALSE(is_there(run.folder / "workspace"));
}

}  // namespace

TEST_CASE("Every fault in every call of every type of run has its end") {
  for (const std::string package : {"faulty", "faulty_python"}) {
    const bool python = package == "faulty_python";
    TestStore store;
    if (python) {
      store.must({"package", "add", (Path(TRAINYARD_PYTHON_PACKAGES_DIR) / package).string()});
    } else {
      store.add(package);
    }
    store.temp().write("data/x.csv", "1\n");
    const Path data = store.temp().path() / "data";
    std::size_t versions = 1;
    for (const Type& type : kTypes) {
      const EndedRun good = store.carry_out(type.name, package + "@1.0", data);
      CAPTURE(package, type.name, good.output.err);
      CHECK(good.status() == "Successful");
      CHECK(good.output.status.code == 0);
      check_left(good, type, true);
      versions += std::string(type.name) == "evaluation" ? 0 : 1;
      for (const std::string& call : type.calls) {
        for (const Fault& fault : kFaults) {
          // Python has no word for a mistake of the user's.
          if (python && std::string(fault.kind) == "blames") continue;
          Arguments more = {"--env", "fault=" + call + " " + fault.kind, "--grace", "50ms"};
          if (std::string(fault.kind) == "hangs") more.insert(more.end(), {"--max-runtime", "400ms"});
          const EndedRun run = store.carry_out(type.name, package + "@1.0", data, more);
          CAPTURE(call, fault.kind, run.output.err);
          CHECK(run.status() == fault.status);
          CHECK(run.reason() == fault.reason);
          CHECK(run.output.status.code == fault.code);
          CHECK(run.message() != "");
          check_left(run, type, false);
        }
      }
      CHECK(store.versions(package).size() == versions);
    }
    CHECK(store.schema_mistakes() == "");
    CHECK(store.leftovers() == "");
  }
}

}  // namespace trainyard::fault_table_test
