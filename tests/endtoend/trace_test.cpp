// SPDX-License-Identifier: Apache-2.0
// Where a version comes from, as 'trainyard trace' tells it.
#include <catch2/catch.hpp>
#include <set>

#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::trace_test {
namespace {

// counts@1.0 uploaded, 1.1 trained on a folder with an odd name, 1.2 trained from 1.1 on a named dataset.
struct Yard {
  TestStore store;
  EndedRun first, second, evaluation;
  Yard() {
    store.temp().write("da\"ta <1>/x.csv", "1,2\n");
    store.temp().write("more/y.csv", "3,4\n");
    store.add("counts");
    store.must({"dataset", "add", "more", (store.temp().path() / "more").string()});
    first = store.train("counts@1.0", store.temp().path() / "da\"ta <1>");
    second = store.train("counts@1.1", "more@1", {"--env", "epochs=7", "--env", "note=x"});
    evaluation = store.carry_out("evaluation", "counts@1.2", store.temp().path() / "more");
  }
  [[nodiscard]] std::string trace(const std::string& format, const std::string& version = "counts") const {
    return store.must({"trace", version, "--format", format});
  }
};

std::string id_of(const EndedRun& run) { return run.traceability().at("run").get<std::string>(); }

}  // namespace

TEST_CASE("A version is followed to its upload") {
  const Yard yard;
  REQUIRE(yard.second.version() == "1.2");
  const Json lineage = yard.store.json({"trace", "counts@1.2"});
  yard.store.temp().write("lineage.json", lineage.dump());
  CHECK(schema_mistakes("lineage", yard.store.temp().path() / "lineage.json") == "");
  CHECK(lineage.at("of") == "counts@1.2");
  REQUIRE(lineage.at("versions").size() == 3);
  CHECK(lineage.at("versions")[0].at("run") == id_of(yard.second));
  CHECK(lineage.at("versions")[2].at("run") == nullptr);
  CHECK(lineage.at("versions")[0].at("tree") == yard.second.traceability().at("version").at("tree"));
  CHECK(lineage.at("runs").size() == 3);
  REQUIRE(lineage.at("data").size() == 2);
  for (const Json& data : lineage.at("data")) {
    const bool named = data.at("datasets").size() == 1;
    CHECK(data.at("origins").size() == (named ? 2 : 1));
    CHECK_FALSE(data.at("snapshot").get<bool>());
  }
  const std::string text = yard.store.must({"trace", "counts"});
  CHECK(text.starts_with("* counts@1.2  tree "));
  CHECK(has(text, "\no counts@1.1  tree "));
  CHECK(has(text, "trained on    more@1  (1 file, 4 B, "));
  CHECK(has(text, ", kept)\n"));
  CHECK(has(text, "with          epochs=7 learning_rate=0.5 note=x optimizer=sgd shuffle=true\n"));
  CHECK(has(text, "evaluated "));
  CHECK(has(text, "`- uploaded "));
  CHECK(yard.store.must({"trace", "counts@1.0"}).find("made") == std::string::npos);
}

TEST_CASE("A label names a version to trace, and a mistake is told before anything is read") {
  const Yard yard;
  yard.store.must({"package", "label", "counts@1.1", "good"});
  CHECK(yard.store.json({"trace", "counts@good"}).at("of") == "counts@1.1");
  CHECK(yard.store.run({"trace", "counts@9.9"}).status.code == 2);
  CHECK(has(yard.store.run({"trace", "counts", "--format", "jsn"}).err, "did you mean 'json'?"));
  CHECK(yard.store.run({"trace", "counts", "--format", "dot", "--json"}).status.code == 2);
  const std::string file = (yard.store.temp().path() / "out.svg").string();
  yard.store.must({"trace", "counts", "--format", "svg", "-o", file});
  CHECK(read_text(file) == yard.trace("svg"));
  CHECK(yard.store.run({"trace", "counts", "-o", file}).status.code == 2);
}

TEST_CASE("A link that is missing is told, and the rest with it") {
  const Yard yard;
  yard.store.must({"runs", "delete", id_of(yard.first)});
  yard.store.must({"package", "delete", "counts@1.1", "--why", "a test"});
  boost::filesystem::permissions(yard.evaluation.folder / "_results.json", boost::filesystem::owner_all);
  yard.store.temp().write("store/runs/" + id_of(yard.evaluation) + "/_results.json", "{");
  const Json lineage = yard.store.json({"trace", "counts@1.2"});
  REQUIRE(lineage.at("versions").size() == 3);
  CHECK(lineage.at("versions")[1].at("state") == "removed");
  CHECK(lineage.at("versions")[1].at("created_at") != nullptr);
  std::map<std::string, std::string> states;
  for (const Json& run : lineage.at("runs"))
    states[run.at("run").get<std::string>()] = run.at("state").get<std::string>();
  CHECK(states == std::map<std::string, std::string>{{id_of(yard.first), "deleted"},
                                                     {id_of(yard.second), "over"},
                                                     {id_of(yard.evaluation), "unreadable"}});
  CHECK(has(yard.store.must({"trace", "counts"}), "! that run was deleted"));
  // Named by its number, one that was taken away has a past too.
  CHECK(yard.store.json({"trace", "counts@1.1"}).at("versions")[0].at("state") == "removed");
  // Nothing is left of the upload's record but what a run told.
  boost::filesystem::remove(yard.store.root() / "packages/counts/1.0.json");
  CHECK(yard.store.json({"trace", "counts@1.2"}).at("versions")[2].at("state") == "unknown");
  yard.store.temp().write("store/packages/counts/1.0.json", "{");
  CHECK(yard.store.json({"trace", "counts@1.2"}).at("versions")[2].at("state") == "unreadable");
}

TEST_CASE("Documents for other tools pass what their standards ask") {
  const Yard yard;
  for (const char* const format : {"cyclonedx", "prov", "croissant", "openlineage", "dot", "svg"}) {
    INFO(format);
    const Path file = yard.store.temp().path() / (std::string("counts.") + format);
    yard.store.must({"trace", "counts", "--format", format, "-o", file.string()});
    // The same store, the same bytes.
    CHECK(yard.trace(format) == read_text(file));
    const auto checked =
        run_program({TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_DOCUMENTS, format, file.string()},
                    {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}}, "/", "", std::chrono::seconds(120));
    REQUIRE(checked.ok());
    CHECK(checked->err == "");
    CHECK(checked->status.code == 0);
  }
  const Json croissant = Json::parse(yard.trace("croissant"));
  std::set<std::string> digests;
  for (const Json& file : croissant.at("distribution")) digests.insert(file.at("sha256").get<std::string>());
  CHECK(digests == std::set<std::string>{sha256("1,2\n").hex(), sha256("3,4\n").hex()});
}

}  // namespace trainyard::trace_test
