// SPDX-License-Identifier: Apache-2.0
// The same run twice, by mistake and on purpose.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "tests/endtoend/two_folders.hpp"

namespace trainyard::repeats_test {
namespace {

struct Repeating {
  TestStore store;
  Path data = store.temp().folder("data");
  Repeating() {
    store.add("counts");
    store.temp().write("data/x.csv", "1\n");
  }
  [[nodiscard]] ProgramOutput run(const std::string& type, const std::string& package, const std::string& dataset,
                                  const Arguments& more = {}) const {
    Arguments arguments = {"run", type, package, "--dataset", dataset};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return store.run(arguments);
  }
  [[nodiscard]] std::size_t runs() const { return store.json({"runs", "list"}).size(); }
};

}  // namespace

TEST_CASE("A run that has been done is refused before it starts, and names what it made") {
  Repeating repeating;
  TestStore& store = repeating.store;
  const std::string data = repeating.data.string();
  REQUIRE(store.train("counts@1.0", data).version() == "1.1");
  for (const Arguments& more : std::vector<Arguments>{{},
                                                      {"--detach"},
                                                      {"--save-training-data"},
                                                      {"--mount", "copy"},
                                                      {"--env", "epochs=3"},  // which is the default
                                                      {"--name", "other", "--tag", "a=b", "--priority", "5"}}) {
    const ProgramOutput refused = repeating.run("training", "counts@1.0", data, more);
    CHECK(refused.status.code == 2);
    CHECK(refused.out == "");
    CHECK(refused.err ==
          "trainyard: the run run-1 has made counts@1.1 of counts@1.0 with the same data and the same parameters; give "
          "--allow-repeat to do it again\n");
  }
  CHECK(repeating.runs() == 1);
  CHECK(store.train("counts@1.0", data, {"--allow-repeat"}).version() == "1.2");
  CHECK(has(repeating.run("training", "counts@1.0", data).err, "the run run-2 has made counts@1.2"));
  // The same content of another name.
  store.temp().write("copy/x.csv", "1\n");
  CHECK(repeating.run("training", "counts@1.0", (store.temp().path() / "copy").string()).status.code == 2);
  store.must({"dataset", "add", "numbers", data});
  CHECK(repeating.run("training", "counts@1.0", "numbers").status.code == 2);
  CHECK(store.leftovers() == "");
}

TEST_CASE("A run that differs in anything is no repeat") {
  Repeating repeating;
  TestStore& store = repeating.store;
  const std::string data = repeating.data.string();
  REQUIRE(store.train("counts@1.0", data).version() == "1.1");
  CHECK(store.train("counts@1.0", data, {"--env", "epochs=4"}).version() == "1.2");
  CHECK(store.train("counts@1.0", data, {"--env", "note=x"}).version() == "1.3");
  CHECK(store.train("counts@1.1", data).version() == "1.4");
  CHECK(store.carry_out("full", "counts@1.0", data).version() == "1.5");
  CHECK(repeating.run("full", "counts@1.0", data).status.code == 2);
  store.temp().write("data/y.csv", "2\n");
  CHECK(store.train("counts@1.0", data).version() == "1.6");
  store.temp().write("test/z.csv", "3\n");
  const Arguments test = {"--evaluation-dataset", (store.temp().path() / "test").string()};
  CHECK(store.carry_out("full", "counts@1.0", data, test).version() == "1.7");
  CHECK(repeating.run("full", "counts@1.0", data, test).status.code == 2);
  // An evaluation makes no version, and may be had as often as anybody likes.
  for (int i = 0; i < 2; ++i) CHECK(repeating.run("evaluation", "counts@1.1", data).status.code == 0);
}

TEST_CASE("What left no version, or none that is still there, can be done again") {
  Repeating repeating;
  TestStore& store = repeating.store;
  const std::string data = repeating.data.string();
  store.add("throws_in_train");
  for (int i = 0; i < 2; ++i) CHECK(repeating.run("training", "throws_in_train@1.0", data).status.code == 1);
  REQUIRE(repeating.run("training", "counts@1.0", data, {"--name", "first"}).status.code == 0);
  store.must({"package", "delete", "counts@1.1", "--why", "wrong"});
  REQUIRE(repeating.run("training", "counts@1.0", data, {"--name", "second"}).status.code == 0);
  CHECK(has(repeating.run("training", "counts@1.0", data).err, "the run second has made counts@1.2"));
  store.must({"runs", "delete", "second"});
  CHECK(repeating.run("training", "counts@1.0", data).status.code == 0);
}

TEST_CASE("Who says that a run repeats is not refused") {
  Repeating repeating;
  TestStore& store = repeating.store;
  REQUIRE(store.train("counts@1.0", repeating.data).version() == "1.1");
  CHECK(store.run({"runs", "rerun", "run-1"}).status.code == 0);
  CHECK(store.run({"reproduce", "counts@1.1"}).status.code == 0);
  CHECK(store.versions("counts") == std::vector<std::string>{"1.0", "1.1", "1.2"});
  // A reproduction made no version, so nothing is its repeat.
  store.must({"package", "delete", "counts@1.1", "--why", "old"});
  store.must({"package", "delete", "counts@1.2", "--why", "old"});
  CHECK(store.run({"run", "training", "counts@1.0", "--dataset", repeating.data.string()}).status.code == 0);
}

TEST_CASE("Runs with secrets are the same when the secrets are") {
  Repeating repeating;
  TestStore& store = repeating.store;
  const std::string data = repeating.data.string();
  store.temp().write("token", "a long enough secret\n");
  store.temp().write("other", "another secret, as long\n");
  const std::string token = "TOKEN=" + (store.temp().path() / "token").string();
  const std::string other = "TOKEN=" + (store.temp().path() / "other").string();
  REQUIRE(store.train("counts@1.0", data, {"--secret", token}).version() == "1.1");
  CHECK(repeating.run("training", "counts@1.0", data, {"--secret", token}).status.code == 2);
  CHECK(repeating.run("training", "counts@1.0", data, {"--secret", other}).status.code == 0);
  CHECK(repeating.run("training", "counts@1.0", data).status.code == 0);
}

}  // namespace trainyard::repeats_test
