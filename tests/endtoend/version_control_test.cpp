// SPDX-License-Identifier: Apache-2.0
// What people decide on versions, and how versions come, go and differ.
#include <catch2/catch.hpp>
#include <set>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::version_control_test {
namespace {

struct Counted {
  TestStore store;
  Path data = store.temp().folder("data");
  Counted() {
    store.add("counts");
    store.temp().write("data/x.csv", "1\n");
  }
};

std::vector<std::string> labels_of(const TestStore& store, const std::string& version) {
  return store.json({"package", "show", version}).at("labels").get<std::vector<std::string>>();
}

}  // namespace

TEST_CASE("A label names one version until it names another") {
  Counted counted;
  TestStore& store = counted.store;
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  CHECK(store.must({"package", "label", "counts@1.0", "production", "--why", "the first"}) ==
        "counts@1.0 is labelled 'production'\n");
  CHECK(store.json({"package", "show", "counts@production"}).at("version") == "1.0");
  CHECK(store.must({"package", "label", "counts@1.1", "production"}) ==
        "counts@1.1 is labelled 'production', which 1.0 was until now\n");
  CHECK(labels_of(store, "counts@1.0").empty());
  CHECK(labels_of(store, "counts@1.1") == std::vector<std::string>{"production"});
  CHECK(has(store.must({"package", "list"}), "production"));
  // A run may name its version so, and the results have the number.
  CHECK(store.carry_out("evaluation", "counts@production", counted.data).traceability().at("parent").at("version") ==
        "1.1");
  CHECK(has(store.run({"package", "show", "counts@productoin"}).err, "did you mean 'production'?"));
  store.must({"package", "unlabel", "counts", "production"});
  CHECK(store.run({"package", "show", "counts@production"}).status.code == 2);
  CHECK(store.run({"package", "label", "counts@1.0", "1.1"}).status.code == 2);
}

TEST_CASE("An approval has a who, a when and a why") {
  Counted counted;
  const TestStore& store = counted.store;
  CHECK(store.json({"package", "show", "counts@1.0"}).at("approval") == "PendingManualApproval");
  CHECK(store.run({"package", "approve", "counts@1.0"}).status.code == 2);
  store.must({"package", "approve", "counts@1.0", "--why", "reviewed"});
  const Json shown = store.json({"package", "show", "counts@1.0"});
  CHECK(shown.at("approval") == "Approved");
  CHECK(shown.at("judged").at("why") == "reviewed");
  CHECK(shown.at("judged").at("who").get<std::string>() != "");
  CHECK(has(store.must({"package", "show", "counts@1.0"}), "Approved by "));
  store.must({"package", "reject", "counts@1.0", "--why", "biased"});
  CHECK(store.json({"package", "show", "counts@1.0"}).at("approval") == "Rejected");
  CHECK(read_json_lines(store.root() / "packages" / "counts" / "decisions.jsonl").size() == 2);
}

TEST_CASE("A version that is deleted does not give its number back") {
  Counted counted;
  TestStore& store = counted.store;
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  store.must({"package", "label", "counts@1.1", "production"});
  const ProgramOutput labelled = store.run({"package", "delete", "counts@1.1", "--why", "wrong data"});
  CHECK(labelled.status.code == 2);
  CHECK(has(labelled.err, "is labelled 'production'"));
  store.must({"package", "unlabel", "counts", "production"});
  store.must({"package", "approve", "counts@1.1", "--why", "reviewed"});
  CHECK(has(store.run({"package", "delete", "counts@1.1", "--why", "wrong data"}).err, "is approved; reject it first"));
  store.must({"package", "reject", "counts@1.1", "--why", "wrong data"});
  CHECK(store.run({"package", "delete", "counts", "--why", "wrong data"}).status.code == 2);
  store.must({"package", "delete", "counts@1.1", "--why", "wrong data"});
  CHECK(store.versions("counts") == std::vector<std::string>{"1.0"});
  CHECK(store.train("counts@1.0", counted.data).version() == "1.2");
  store.must({"package", "delete", "counts@1.0", "--why", "old"});
  store.must({"package", "delete", "counts@1.2", "--why", "old"});
  CHECK(store.json({"package", "list"}) == Json::array());
  store.add("counts");
  CHECK(store.versions("counts") == std::vector<std::string>{"2.0"});
  store.must({"store", "gc", "--apply-now"});
  store.must({"store", "verify"});
  store.must({"store", "fsck"});
}

TEST_CASE("A version that a run uses is not deleted under it") {
  TestStore store;
  store.add("slow");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1\n");
  RunningProgram running = store.start_training("user", "slow", data, {"--env", "seconds=600"});
  store.wait_for_the_call("user");
  const ProgramOutput refused = store.run({"package", "delete", "slow@1.0", "--why", "old"});
  CHECK(refused.status.code == 3);
  CHECK(has(refused.err, "the run 'user' uses slow@1.0 and is not over"));
  store.must({"runs", "stop", "user"});
  running.wait();
  store.must({"package", "delete", "slow@1.0", "--why", "old"});
}

TEST_CASE("What is exported is the same package in another store") {
  Counted counted;
  TestStore& store = counted.store;
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  const Path out = store.temp().path() / "out";
  store.must({"package", "export", "counts@1.1", "--output", out.string()});
  const Json metadata = read_json(out / "counts_v1.1_metadata.json");
  CHECK(metadata.at("name") == "counts");
  CHECK(metadata.at("version") == "1.1");
  CHECK(metadata.at("retrainable") == true);
  CHECK(has(store.run({"package", "export", "counts@1.1", "--output", out.string()}).err, "is already there"));

  TestStore other;
  const std::string zip = (out / "counts_v1.1.zip").string();
  const auto version_of = [&](const Arguments& more) {
    Arguments arguments = {"package", "import", zip};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return other.json(arguments).at("version").get<std::string>();
  };
  CHECK(version_of({}) == "1.0");  // an unknown name
  CHECK(version_of({}) == "1.1");  // a known name and major
  Json later = metadata;
  later["version"] = "7.3";
  later["unknown"] = 1;
  other.temp().write("later.json", later.dump());
  CHECK(version_of({"--metadata", (other.temp().path() / "later.json").string()}) == "2.0");  // an unknown major
  CHECK(other.json({"package", "show", "counts@1.0"}).at("tree") ==
        store.json({"package", "show", "counts@1.1"}).at("tree"));
  later["name"] = "another";
  other.temp().write("later.json", later.dump());
  const ProgramOutput mixed =
      other.run({"package", "import", zip, "--metadata", (other.temp().path() / "later.json").string()});
  CHECK(mixed.status.code == 2);
  CHECK(has(mixed.err, "is called 'counts' by its package.json, not 'another'"));
  REQUIRE(other.carry_out("training", "counts@1.1", counted.data).version() == "1.2");
}

namespace {

const Json& section_of(const Json& difference, const std::string& name) {
  for (const Json& section : difference.at("sections"))
    if (section.at("section") == name) return section;
  FAIL("there is no section " << name);
  return difference;
}

Json difference_of(const TestStore& store, const std::string& before, const std::string& after, int code) {
  const ProgramOutput output = store.run({"diff", before, after, "--json"});
  CHECK(output.status.code == code);
  store.temp().write("difference.json", output.out);
  CHECK(schema_mistakes("version-difference", store.temp().path() / "difference.json") == "");
  return parse_json(output.out, "the difference").value();
}

std::set<std::string> different(const Json& difference) {
  std::set<std::string> names;
  for (const Json& section : difference.at("sections"))
    if (section.at("verdict") == "different") names.insert(section.at("section").get<std::string>());
  return names;
}

}  // namespace

TEST_CASE("Two versions are held against each other") {
  using Names = std::set<std::string>;
  Counted counted;
  TestStore& store = counted.store;
  REQUIRE(store.train("counts@1.0", counted.data).version() == "1.1");
  const ProgramOutput different_text = store.run({"package", "diff", "counts@1.0", "counts@1.1"});
  CHECK(different_text.status.code == 1);
  CHECK(has(different_text.out, "code: equal\n"));
  CHECK(has(different_text.out, "1 added, 0 removed, 0 changed"));
  CHECK(has(different_text.out, "train_data: cannot be compared: counts@1.0 was uploaded, so no run tells of it\n"));
  CHECK(store.run({"diff", "counts@1.0", "counts@1.1"}).out == different_text.out);
  CHECK(difference_of(store, "counts@1.1", "counts@1.1", 0).at("verdict") == "equal");

  REQUIRE(store.train("counts@1.0", counted.data, {"--allow-repeat"}).version() == "1.2");
  CHECK(difference_of(store, "counts@1.1", "counts@1.2", 0).at("verdict") == "equal");

  store.temp().write("data/y.csv", "2\n");
  REQUIRE(store.train("counts@1.0", counted.data, {"--env", "epochs=4"}).version() == "1.3");
  const Json trained = difference_of(store, "counts@1.2", "counts@1.3", 1);
  CHECK(different(trained) == Names{"train_data", "parameters", "metrics"});
  CHECK(section_of(trained, "train_data").at("files").at("added") == 1);
  CHECK(section_of(trained, "train_data").at("files").at("first").at(0).at("path") == "y.csv");
  CHECK(section_of(trained, "parameters").at("facts") ==
        Json::array({{{"name", "epochs"}, {"before", 3}, {"after", 4}}}));

  REQUIRE(store.carry_out("full", "counts@1.3", counted.data).version() == "1.4");
  const Json scored = difference_of(store, "counts@1.3", "counts@1.4", 1);
  CHECK(section_of(scored, "score").at("facts") ==
        Json::array({{{"name", "score"}, {"before", nullptr}, {"after", 2.0}}}));
  CHECK(section_of(scored, "code").at("verdict") == "equal");
  CHECK(section_of(scored, "model").at("files").at("changed") == 1);

  // Without the version in between nobody knows what the last run has written.
  store.must({"package", "delete", "counts@1.3", "--why", "old"});
  const Json torn = difference_of(store, "counts@1.1", "counts@1.4", 1);
  CHECK(section_of(torn, "code").at("files").at("changed") == 1);
  CHECK(section_of(torn, "model").at("verdict") == "unknown");
  store.must({"runs", "delete", "run-1"});
  const Json forgotten = difference_of(store, "counts@1.1", "counts@1.2", 1);
  CHECK(forgotten.at("verdict") == "unknown");
  CHECK(section_of(forgotten, "parameters").at("why") == "the run that made counts@1.1 is gone");
}

}  // namespace trainyard::version_control_test
