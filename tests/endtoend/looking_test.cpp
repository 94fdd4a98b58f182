// SPDX-License-Identifier: Apache-2.0
// Looking into what a store keeps, and taking it out.
#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"

namespace trainyard::looking_test {

TEST_CASE("Two trees are told apart file by file") {
  const TestStore store;
  const Path data = store.temp().folder("data");
  store.temp().write("data/same", "same");
  store.temp().write("data/gone", "gone");
  store.temp().write("data/changed", "before");
  const std::string before = snapshot_of(store, data);
  boost::filesystem::remove(data / "gone");
  store.temp().write("data/changed", "after!");
  store.temp().write("data/sub/new", "12");
  const std::string after = snapshot_of(store, data);

  const ProgramOutput text = store.run({"snapshot", "diff", before.substr(0, 12), after.substr(0, 12)});
  CHECK(text.status.code == 1);
  CHECK(text.out ==
        "changed  changed  (6 B, other bytes)\nremoved  gone  (4 B)\nadded    sub/new  (2 B)\n"
        "1 added, 1 removed, 1 changed\n");
  const ProgramOutput json = store.run({"snapshot", "diff", before, after, "--json"});
  CHECK(json.status.code == 1);
  const Json differences = Json::parse(json.out).at("differences");
  REQUIRE(differences.size() == 3);
  CHECK(differences[0].at("kind") == "changed");
  CHECK(differences[0].at("before").at("digest") == sha256("before").hex());
  CHECK(differences[1].at("after") == nullptr);
  CHECK(differences[2].at("path") == "sub/new");
  CHECK(store.must({"snapshot", "diff", before, before}).find("the same content") != std::string::npos);

  store.must({"dataset", "add", "weather", data.string()});
  CHECK(has(store.must({"snapshot", "diff", after, "weather@1"}), "the same content"));
}

TEST_CASE("Two versions of a package are told apart") {
  TestStore store;
  store.add("counts");
  const Path data = store.temp().folder("data");
  store.temp().write("data/x.csv", "1,2\n");
  REQUIRE(store.train("counts", data).version() == "1.1");
  const ProgramOutput output = store.run({"snapshot", "diff", "counts@1.0", "counts@1.1"});
  CHECK(output.status.code == 1);
  CHECK(has(output.out, "model.txt"));
  CHECK(has(output.out, "1 added, 0 removed, 0 changed"));
}

TEST_CASE("One file of a snapshot is printed as it is") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  CHECK(store.run({"snapshot", "cat", one, "big.bin"}).out == kBig);
  const ProgramOutput missing = store.run({"snapshot", "cat", one, "bog.bin"});
  CHECK(missing.status.code == 2);
  CHECK(missing.out == "");
  CHECK(has(missing.err, "did you mean 'big.bin'?"));
}

TEST_CASE("A snapshot is written as a tar that has the same bytes each time") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string two = snapshot_of(store, folders.two);
  const auto tar = [&](const std::string& file) { return (store.temp().path() / file).string(); };
  store.must({"snapshot", "export", two, tar("a.tar")});
  store.must({"snapshot", "export", two, tar("b.tar")});
  CHECK(read_text(tar("a.tar")) == read_text(tar("b.tar")));
  CHECK(store.run({"snapshot", "export", two, "-"}).out == read_text(tar("a.tar")));
  store.must({"snapshot", "export", two, tar("c.tar.zst")});
  CHECK(read_text(tar("c.tar.zst")).substr(0, 4) == "\x28\xB5\x2F\xFD");
  store.must({"snapshot", "export", two, tar("d.bin"), "--compression", "zstd"});
  CHECK(read_text(tar("d.bin")) == read_text(tar("c.tar.zst")));
  CHECK(store.run({"snapshot", "export", two, tar("a.tar")}).status.code == 2);
  // What was written can be read again.
  store.must({"dataset", "add", "again", tar("c.tar.zst")});
  CHECK(has(store.must({"snapshot", "diff", two, "again@1"}), "the same content"));
}

TEST_CASE("What a run made for people is in the store too") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/x.csv", "1,2\n");
  const EndedRun run = store.train("counts", store.temp().path() / "data");
  const std::string name = run.results.at("parameters").at("pipeline").get<std::string>();
  const Json listed = store.json({"runs", "artifacts", name});
  REQUIRE(listed.at("files").size() == 1);
  CHECK(listed.at("files")[0].at("path") == "report.txt");
  CHECK(listed.at("tree") == run.traceability().at("artifacts"));
  CHECK(has(store.must({"runs", "artifacts", name}), "report.txt"));
  boost::filesystem::remove_all(run.folder / "artifacts");
  store.must({"store", "gc", "--apply-now"});
  const std::string tar = (store.temp().path() / "artifacts.tar").string();
  store.must({"runs", "artifacts", name, "--tar", tar});
  CHECK(has(read_text(tar), "trainings 1"));
  store.must({"store", "verify"});
}

}  // namespace trainyard::looking_test
