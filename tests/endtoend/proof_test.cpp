// SPDX-License-Identifier: Apache-2.0
// Proofs about data, made by the program and judged by it and by somebody else.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::proof_test {

namespace {

std::string in(const TestStore& store, const std::string& name) { return (store.temp().path() / name).string(); }

// What the verifier in Python says.
ProgramOutput verify_elsewhere(const std::string& file, const std::string& root) {
  return run_program({TRAINYARD_SYSTEM_PYTHON, TRAINYARD_VERIFY_PROOF, file, root}, {}, "/", "",
                     std::chrono::minutes(1))
      .value();
}

}  // namespace

TEST_CASE("Whether a version was trained on a file is proven to who has one digest") {
  TestStore store;
  store.add("counts");
  const Path data = store.temp().folder("data");
  for (int i = 0; i < 20; ++i) store.temp().write("data/" + std::to_string(i) + ".csv", std::to_string(i) + ",1\n");
  const EndedRun run = store.train("counts", data);
  REQUIRE(run.version() == "1.1");
  const std::string name = run.results.at("parameters").at("pipeline").get<std::string>();

  const Json root = store.json({"proof", "root", "--trained", "counts@1.1"});
  const std::string digits = root.at("root").get<std::string>();
  CHECK(root.at("data").at("files") == 20);
  CHECK(root.at("data").at("tree") == run.traceability().at("datasets").at(0).at("tree").at("digest"));
  CHECK(store.json({"proof", "root", "run:" + name}).at("root") == digits);
  store.must({"dataset", "add", "numbers", data.string()});
  CHECK(store.json({"proof", "root", "numbers@1"}).at("root") == digits);

  store.temp().write("other.csv", "of somebody else");
  struct Row {
    Arguments about;
    std::string sentence;
  };
  const std::string among = " the 20 files of the data with the proof root " + digits;
  const std::vector<Row> rows = {
      {{"--file", in(store, "data/7.csv")},
       "the file with SHA-256 " + sha256("7,1\n").hex() + " is among" + among + ", as '7.csv'"},
      {{"--file", in(store, "other.csv")},
       "the file with SHA-256 " + sha256("of somebody else").hex() + " is not among" + among},
      {{"--path", "13.csv"}, "the file '13.csv' is among" + among + ", with SHA-256 " + sha256("13,1\n").hex()},
      {{"--path", "zoo/1.csv"}, "the file 'zoo/1.csv' is not among" + among}};
  int number = 0;
  for (const Row& row : rows) {
    const std::string file = in(store, "proof" + std::to_string(++number) + ".json");
    Arguments make = {"proof", "make", "--trained", "counts@1.1", "-o", file};
    make.insert(make.end(), row.about.begin(), row.about.end());
    CHECK(store.must(make) == "wrote " + file + ": " + row.sentence + "\n");
    CHECK(store.must({"proof", "verify", file, "--root", digits}) == "proven: " + row.sentence + "\n");
    CHECK(verify_elsewhere(file, digits).status.code == 0);
    const std::string wrong = sha256("another root").hex();
    const ProgramOutput other = store.run({"proof", "verify", file, "--root", wrong});
    CHECK(other.status.code == 1);
    CHECK(other.out == "not proven: the proof is about other data: its proof root is " + digits + "\n");
    CHECK(verify_elsewhere(file, wrong).status.code == 1);

    std::string text = read_text(file);
    const std::size_t at = text.find("\"size\": ") + 8;
    text[at] = text[at] == '4' ? '5' : '4';
    store.temp().write("tampered.json", text);
    CHECK(store.run({"proof", "verify", in(store, "tampered.json")}).status.code == 1);
    CHECK(verify_elsewhere(in(store, "tampered.json"), digits).status.code == 1);
    // No proof is overwritten.
    CHECK(store.run(make).status.code != 0);
  }

  CHECK(store.run({"proof", "make", "--trained", "counts@1.0", "--path", "a"}).err ==
        "trainyard: no run of this store made the version counts@1.0, so its training data is not known\n");
  CHECK(store.run({"proof", "make", "numbers@1"}).status.code == 2);
  CHECK(store.run({"proof", "root"}).status.code == 2);
  CHECK(store.run({"proof", "verify", in(store, "other.csv")}).status.code == 2);
  store.must({"runs", "delete", name});
  CHECK(has(store.run({"proof", "root", "--trained", "counts@1.1"}).err, "was deleted"));
}

}  // namespace trainyard::proof_test
