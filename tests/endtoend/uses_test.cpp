// SPDX-License-Identifier: Apache-2.0
// Which versions, runs, snapshots and datasets had a file, asked of the program.
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <fstream>

#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::uses_test {

namespace {

// "training_data nightly made digits@1.1" for each use, then "inherits digits@1.2 from digits@1.1".
std::vector<std::string> told(const Json& answer) {
  std::vector<std::string> lines;
  for (const Json& use : answer.at("uses")) {
    const Json& made = use.at("made");
    const bool snapshot = use.at("part") == "snapshot";
    lines.push_back(use.at("part").get<std::string>() + " " + (snapshot ? "" : use.at("name").get<std::string>()) +
                    (made.is_null() ? "" : " made " + made.get<std::string>()));
  }
  for (const Json& use : answer.at("inherited"))
    lines.push_back("inherits " + use.at("version").get<std::string>() + " from " + use.at("from").get<std::string>());
  return lines;
}

Json uses_of(const TestStore& store, const std::string& what, int code = 0) {
  const ProgramOutput output = store.run({"uses", what, "--json"});
  INFO(output.err);
  REQUIRE(output.status.code == code);
  CHECK(output.err.empty());
  return Json::parse(output.out);
}

Path index_of(const TestStore& store) { return store.root() / "cache" / "uses.sqlite"; }

std::string mistake_of(const Json& answer, const TestStore& store) {
  store.temp().write("answer.json", answer.dump());
  const auto checked = run_program({TRAINYARD_SYSTEM_PYTHON, TRAINYARD_CHECK_SCHEMAS, "--schema", "uses",
                                    (store.temp().path() / "answer.json").string()},
                                   {{"PYTHONDONTWRITEBYTECODE", "1"}}, "/", "", std::chrono::minutes(1))
                           .value();
  return checked.status.code == 0 ? "" : checked.out + checked.err;
}

}  // namespace

TEST_CASE("A file is followed from the data to every version that learnt from it") {
  TestStore store;
  store.add("counts");
  const Path first = store.temp().folder("first");
  const Path second = store.temp().folder("second");
  store.temp().write("first/sub/cat.csv", "1,2\n");
  store.temp().write("first/copy of cat.csv", "1,2\n");
  store.temp().write("first/dog.csv", "3,4\n");
  store.temp().write("second/bird.csv", "5,6\n");
  const EndedRun learnt = store.train("counts@1.0", first, {"--save-training-data"});
  REQUIRE(learnt.version() == "1.1");
  REQUIRE(store.train("counts@1.1", second).version() == "1.2");
  REQUIRE(store.train("counts@1.2", second).version() == "1.3");
  REQUIRE(store.train("counts@1.0", second).version() == "1.4");
  store.must({"dataset", "add", "pets", first.string()});

  const std::string cat = (first / "sub" / "cat.csv").string();
  const Json answer = uses_of(store, cat);
  const std::string run = learnt.results.at("parameters").at("pipeline").get<std::string>();
  const std::vector<std::string> all = {"training_data " + run + " made counts@1.1", "snapshot ", "dataset pets@1",
                                        "inherits counts@1.2 from counts@1.1", "inherits counts@1.3 from counts@1.2"};
  CHECK(told(answer) == all);
  CHECK(mistake_of(answer, store).empty());
  CHECK(answer.at("asked").at("sha256") == sha256("1,2\n").hex());
  const Json& use = answer.at("uses").at(0);
  CHECK(use.at("run") == learnt.traceability().at("run"));
  CHECK(use.at("ran") == "counts@1.0");
  CHECK(use.at("places") == 2);
  CHECK(use.at("files") == 1);
  CHECK(use.at("paths") == Json({"copy of cat.csv", "sub/cat.csv"}));

  // The same by its digest, by the beginning of that, and from an index made anew, torn, or of something else.
  const std::string digest = sha256("1,2\n").hex();
  CHECK(told(uses_of(store, digest)) == all);
  CHECK(told(uses_of(store, digest.substr(0, 8))) == all);
  boost::filesystem::remove(index_of(store));
  CHECK(told(uses_of(store, cat)) == all);
  boost::filesystem::resize_file(index_of(store), boost::filesystem::file_size(index_of(store)) / 2);
  CHECK(told(uses_of(store, cat)) == all);
  for (const std::string& other : {std::string(100'000, 'x'), read_text(store.root() / "format"), std::string()}) {
    boost::filesystem::remove(index_of(store));
    std::ofstream(index_of(store).string()) << other;
    CHECK(told(uses_of(store, cat)) == all);
  }

  // Which versions it made is still known when one on the way was taken away.
  store.must({"package", "delete", "counts@1.2", "--why", "a test"});
  CHECK(told(uses_of(store, cat)) == all);
  CHECK(has(store.must({"uses", cat}), "counts@1.2 (taken away), made from counts@1.1"));
  store.must({"runs", "delete", run});
  CHECK(told(uses_of(store, cat)) == std::vector<std::string>{"snapshot ", "dataset pets@1"});
}

TEST_CASE("What nothing in the store had is said to be so") {
  const TestStore store;
  store.temp().write("new.txt", "new");
  const std::string file = (store.temp().path() / "new.txt").string();
  const ProgramOutput output = store.run({"uses", file});
  CHECK(output.status.code == 1);
  CHECK(output.out == "nothing in this store has the file '" + file + "', SHA-256 " + sha256("new").hex() + "\n");
  CHECK(store.run({"uses", "0123456789"}).out ==
        "nothing in this store has a file whose SHA-256 begins with 0123456789\n");
  const Json answer = uses_of(store, "0123456789", 1);
  CHECK(answer.at("asked").at("sha256").is_null());
  CHECK(mistake_of(answer, store).empty());

  const ProgramOutput missing = store.run({"uses", "no/such/file"});
  CHECK(missing.status.code == 2);
  CHECK(missing.err ==
        "trainyard: there is no file or folder 'no/such/file', nor is that a SHA-256 or its beginning\n");
  CHECK(store.run({"uses", "0123456"}).err ==
        "trainyard: '0123456' is not a SHA-256, or its beginning of 8 digits or more\n");
  CHECK(store.run({"uses", "/dev/null"}).err == "trainyard: '/dev/null' is neither a file nor a folder\n");
}

TEST_CASE("Of a folder it is said which of its files were where, and first what it is as a whole") {
  const TestStore store;
  const Path mine = store.temp().folder("mine");
  store.temp().write("mine/a", "a");
  store.temp().write("mine/b", "b");
  store.temp().write("mine/again/b", "b");
  store.must({"dataset", "add", "same", mine.string()});
  store.temp().write("part/b", "b");
  store.temp().write("part/c", "c");
  store.must({"dataset", "add", "part", (store.temp().path() / "part").string()});

  const Json answer = uses_of(store, mine.string());
  CHECK(mistake_of(answer, store).empty());
  REQUIRE(told(answer) == std::vector<std::string>{"dataset same@1", "dataset part@1"});
  CHECK(answer.at("asked").at("files") == 3);
  CHECK(answer.at("uses").at(0).at("whole") == true);
  CHECK(answer.at("uses").at(0).at("files") == 3);
  CHECK(answer.at("uses").at(1).at("whole") == false);
  CHECK(answer.at("uses").at(1).at("files") == 2);
  CHECK(answer.at("uses").at(1).at("paths") == Json({"b"}));
  const std::string text = store.must({"uses", mine.string()});
  CHECK(text.starts_with("'" + mine.string() + "' as it is, tree "));
  CHECK(has(text, ", is\n  dataset  same@1\n"));
  CHECK(has(text, "all 3 files"));
  CHECK(has(text, "2 of 3"));

  store.temp().write("empty/c", "only here");
  boost::filesystem::remove(store.temp().path() / "empty" / "c");
  CHECK(store.run({"uses", (store.temp().path() / "empty").string()}).status.code == 1);
}

TEST_CASE("A store that cannot be written is asked all the same") {
  const TestStore store;
  store.temp().write("data/a", "a");
  store.must({"dataset", "add", "data", (store.temp().path() / "data").string()});
  // Root may write anything, but no file where there is a folder.
  boost::filesystem::create_directories(index_of(store) / "in the way");
  const ProgramOutput output = store.run({"uses", sha256("a").hex()});
  CHECK(output.status.code == 0);
  CHECK(has(output.out, "data@1"));
  CHECK(has(output.err, "the files are indexed for this answer alone, because their index cannot be kept: "));
}

TEST_CASE("Many may ask at once while data is added") {
  const TestStore store;
  for (int i = 0; i < 40; ++i) store.temp().write("data/" + std::to_string(i), std::to_string(i));
  const std::string data = (store.temp().path() / "data").string();
  store.must({"dataset", "add", "data", data});
  for (int round = 0; round < 4; ++round) {
    boost::filesystem::remove(index_of(store));
    std::vector<RunningProgram> asking;
    for (int i = 0; i < 6; ++i) asking.push_back(store.start({"uses", sha256("7").hex(), "--json"}));
    store.temp().write("data/new", std::to_string(round) + " is new");
    store.must({"dataset", "add", "data", data});
    for (RunningProgram& program : asking) {
      const ProgramOutput output = program.wait();
      INFO(output.err);
      REQUIRE(output.status.code == 0);
      CHECK(output.err.empty());
      CHECK(Json::parse(output.out).at("uses").at(0).at("name") == "data@1");
    }
    const Json answer = uses_of(store, sha256("7").hex());
    CHECK(answer.at("uses").size() == static_cast<std::size_t>(round) + 2);
  }
}

}  // namespace trainyard::uses_test
