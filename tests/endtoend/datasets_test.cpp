// SPDX-License-Identifier: Apache-2.0
// Data by name: a dataset's versions are kept, and a run gets exactly the one that it was pinned to.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::datasets_test {
namespace {

const Json& dataset_of(const EndedRun& run) { return run.traceability().at("datasets").at(0); }

Json chosen(const std::string& name, int version, const Json& folder) {
  return {{"name", name}, {"version", version}, {"folder", folder}};
}

std::string report_of(const EndedRun& run) { return read_text(run.folder / "artifacts" / "report.txt"); }

std::vector<std::string> checkouts_in(const TestStore& store) {
  const auto names = list_folder(store.root() / "checkouts");
  REQUIRE(names.ok());
  return *names;
}

// Two folders of data, a file beside them, and an empty folder.
Path make_data(const TestStore& store) {
  store.temp().write("data/training/one.csv", "1\n");
  store.temp().write("data/training/two.csv", "22\n");
  store.temp().write("data/test/three.csv", "333\n");
  store.temp().write("data/read me.txt", "4444\n");
  store.temp().folder("data/empty");
  return store.temp().path() / "data";
}

// A store with `counts`, and with the data as numbers@1.
struct Named {
  TestStore store;
  Path data = make_data(store);

  Named() {
    store.add("counts");
    store.must({"dataset", "add", "numbers", data.string()});
  }
};

// Runs a program of the system in the folder with the data; false when it is not there.
bool made_by(const TestStore& store, const Arguments& argv) {
  const auto output = run_program(argv, {{"PATH", "/usr/bin:/bin"}}, (store.temp().path() / "data").string(), "",
                                  std::chrono::milliseconds(60'000));
  REQUIRE(output.ok());
  if (output->status.code != 0) WARN(argv.at(0) + " made nothing: " + output->err);
  return output->status.code == 0;
}

TEST_CASE("A dataset is added, listed and shown") {
  const Named named;
  const TestStore& store = named.store;
  const Json snapshot = store.json({"snapshot", "create", named.data.string()});
  const Json first = store.json({"dataset", "show", "numbers@1"});
  CHECK(first.at("name") == "numbers");
  CHECK(first.at("version") == 1);
  CHECK(first.at("source") == named.data.string());
  CHECK(first.at("tree") == snapshot.at("tree"));
  CHECK(first.at("folder").is_null());

  Json again = store.json({"dataset", "add", "numbers", named.data.string()});
  CHECK(again.at("new") == false);
  CHECK(again.at("version") == 1);
  CHECK_THAT(store.must({"dataset", "add", "numbers", named.data.string()}),
             Catch::Equals("nothing new: this is the content of numbers@1 (4 files, 14 B)\n"));
  store.temp().write("data/training/one.csv", "1\n1\n");
  again = store.json({"dataset", "add", "numbers", named.data.string()});
  CHECK(again.at("new") == true);
  CHECK(again.at("version") == 2);
  CHECK_THAT(store.must({"dataset", "add", "others", (named.data / "test").string()}),
             Catch::Equals("added others@1 (1 file, 4 B)\n"));

  const Json list = store.json({"dataset", "list"});
  REQUIRE(list.size() == 2);
  CHECK(list.at(0).at("name") == "numbers");
  CHECK(list.at(0).at("versions") == 2);
  CHECK(list.at(0).at("newest").at("version") == 2);
  CHECK(list.at(1).at("name") == "others");
  const std::string table = store.must({"dataset", "list"});
  for (const char* const cell : {"numbers  2         2", "others   1         1"})
    CHECK_THAT(table, Catch::Contains(cell));

  const Json versions = store.json({"dataset", "show", "numbers"});
  REQUIRE(versions.size() == 2);
  CHECK(versions.at(0).at("tree") == first.at("tree"));
  CHECK(versions.at(1).at("version") == 2);
  const Json below = store.json({"dataset", "show", "numbers@1/training"});
  CHECK(below.at("folder") == "training");
  CHECK(below.at("tree").at("files") == 2);
  CHECK(below.at("tree").at("bytes") == 5);
  CHECK_THAT(store.must({"dataset", "show", "numbers/training"}),
             Catch::Contains("numbers@2/training") && Catch::Contains("2 files, 7 B"));
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("A run gets the version of a dataset that it names, whatever became of the folder") {
  Named named;
  TestStore& store = named.store;
  const Json first = store.json({"dataset", "show", "numbers@1"}).at("tree");
  store.temp().write("data/training/more.csv", "55555\n");
  REQUIRE(store.json({"dataset", "add", "numbers", named.data.string()}).at("version") == 2);
  const Json second = store.json({"dataset", "show", "numbers@2"}).at("tree");
  boost::filesystem::remove_all(named.data);

  const EndedRun newest = store.train("counts", "numbers");
  INFO(newest.output.err);
  REQUIRE(newest.output.status.code == 0);
  CHECK(newest.results.at("parameters").at("inputs").at("train_data") == "numbers");
  CHECK(dataset_of(newest).at("kind") == "dataset");
  CHECK(dataset_of(newest).at("source") == "numbers");
  CHECK(dataset_of(newest).at("dataset") == chosen("numbers", 2, nullptr));
  CHECK(dataset_of(newest).at("tree") == second);
  CHECK_THAT(report_of(newest), Catch::Contains("files 5\nbytes 20\n"));

  const EndedRun pinned = store.train("counts", "numbers@1", {"--save-training-data"});
  REQUIRE(pinned.output.status.code == 0);
  CHECK(dataset_of(pinned).at("dataset") == chosen("numbers", 1, nullptr));
  CHECK(dataset_of(pinned).at("tree") == first);
  CHECK(pinned.traceability().at("snapshot") == first.at("digest"));
  CHECK_THAT(report_of(pinned), Catch::Contains("files 4\nbytes 14\n"));

  const EndedRun below = store.train("counts", "Numbers@2/training");
  REQUIRE(below.output.status.code == 0);
  CHECK(below.results.at("parameters").at("inputs").at("train_data") == "Numbers@2/training");
  CHECK(dataset_of(below).at("dataset") == chosen("numbers", 2, "training"));
  CHECK(dataset_of(below).at("tree") == store.json({"dataset", "show", "numbers@2/training"}).at("tree"));
  CHECK_THAT(report_of(below), Catch::Contains("files 3\nbytes 11\n"));
  CHECK_THAT(store.must({"runs", "show", "run-3"}), Catch::Contains("numbers@2/training"));

  // Written out once for any number of runs.
  const auto checkouts = checkouts_in(store);
  CHECK(checkouts.size() == 3);
  const Fingerprint before = fingerprint(store.root() / "checkouts");
  for (const char* const mount : {"best", "copy"}) {
    const EndedRun again = store.train("counts", "numbers@1", {"--mount", mount});
    REQUIRE(again.output.status.code == 0);
    CHECK(dataset_of(again).at("tree") == first);
  }
  CHECK(difference(before, fingerprint(store.root() / "checkouts")) == "");
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("What is there as a path is one, also when a dataset has that name") {
  Named named;
  TestStore& store = named.store;
  store.temp().write("numbers/one.csv", "1\n");
  for (const char* const path : {"numbers", "./numbers", "numbers/../numbers"}) {
    CAPTURE(path);
    const EndedRun run = store.train("counts", path);
    REQUIRE(run.output.status.code == 0);
    CHECK(dataset_of(run).at("kind") == "folder");
    CHECK(dataset_of(run).at("source") == (store.temp().path() / "numbers").string());
    CHECK(dataset_of(run).at("dataset").is_null());
    CHECK(dataset_of(run).at("tree").at("files") == 1);
  }
  CHECK(dataset_of(store.train("counts", "numbers@1")).at("dataset") == chosen("numbers", 1, nullptr));
  CHECK(checkouts_in(store).size() == 1);
}

TEST_CASE("An archive is mounted like the folder that it was made of") {
  Named named;
  TestStore& store = named.store;
  const Json tree = store.json({"dataset", "show", "numbers@1"}).at("tree");
  const std::string zip =
      "import os, zipfile\n"
      "with zipfile.ZipFile('../data.zip', 'w', zipfile.ZIP_DEFLATED) as zip:\n"
      "  for above, folders, files in os.walk('.'):\n"
      "    for name in files: zip.write(os.path.join(above, name))\n"
      "    if not files and not folders: zip.write(above)\n";
  const std::vector<std::pair<std::string, Arguments>> kinds = {
      {"data.tar", {"/usr/bin/tar", "-cf", "../data.tar", "."}},
      {"data.tar.gz", {"/usr/bin/tar", "-czf", "../data.tar.gz", "."}},
      {"data.tar.zst", {"/usr/bin/tar", "--zstd", "-cf", "../data.tar.zst", "."}},
      {"data.zip", {TRAINYARD_SYSTEM_PYTHON, "-c", zip}},
      {"named like nothing",
       {"/usr/bin/tar", "-cf", "../named like nothing", "training", "test", "read me.txt", "empty"}},
  };
  for (const auto& [name, argv] : kinds) {
    CAPTURE(name);
    if (!made_by(store, argv)) continue;
    const std::string path = (store.temp().path() / name).string();
    const EndedRun run = store.train("counts", name);
    INFO(run.output.err);
    REQUIRE(run.output.status.code == 0);
    CHECK(dataset_of(run).at("kind") == "archive");
    CHECK(dataset_of(run).at("source") == path);
    CHECK(dataset_of(run).at("dataset").is_null());
    CHECK(dataset_of(run).at("tree") == tree);
    CHECK(run.results.at("parameters").at("inputs").at("train_data") == path);
    CHECK(run.traceability().at("snapshot").is_null());
    CHECK_THAT(report_of(run), Catch::Contains("files 4\nbytes 14\n"));
    CHECK_THAT(store.must({"dataset", "add", "numbers", path}), Catch::Contains("nothing new"));
  }
  CHECK(checkouts_in(store) == std::vector<std::string>{tree.at("digest").get<std::string>()});

  const EndedRun kept = store.train("counts", "data.tar", {"--save-training-data"});
  CHECK(kept.traceability().at("snapshot") == tree.at("digest"));
  const Path back = store.temp().path() / "back";
  store.must({"snapshot", "checkout", tree.at("digest").get<std::string>(), back.string()});
  CHECK(contents(back) == contents(named.data));
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

TEST_CASE("An archive that is refused starts no run") {
  TestStore store;
  store.add("counts");
  make_data(store);
  REQUIRE(made_by(store, {"/usr/bin/tar", "-cPf", "../climbs.tar", "../data/training"}));
  const ProgramOutput output = store.run({"run", "training", "counts", "--dataset", "climbs.tar"});
  CHECK(output.status.code == 2);
  CHECK(output.out == "");
  CHECK_THAT(output.err, Catch::Contains("climbs.tar") && Catch::Contains(".."));
  CHECK(store.json({"runs", "list"}).empty());
  CHECK(checkouts_in(store).empty());
}

TEST_CASE("A checkout that was tampered with is made anew") {
  Named named;
  TestStore& store = named.store;
  const EndedRun before = store.train("counts", "numbers");
  REQUIRE(before.output.status.code == 0);
  const Path checkout = store.root() / "checkouts" / checkouts_in(store).at(0);
  const auto harm = GENERATE(as<std::string>(), "changed", "added", "removed", "linked", "gone");
  CAPTURE(harm);
  if (harm == "changed") boost::filesystem::resize_file(checkout / "training/one.csv", 1);
  if (harm == "added") boost::filesystem::copy_file(checkout / "training/one.csv", checkout / "copy.csv");
  if (harm == "removed") boost::filesystem::remove(checkout / "training/one.csv");
  if (harm == "linked") boost::filesystem::create_symlink("one.csv", checkout / "training/link.csv");
  if (harm == "gone") boost::filesystem::remove_all(checkout);
  for (const char* const mount : {"best", "copy"}) {
    const EndedRun after = store.train("counts", "numbers", {"--mount", mount});
    INFO(after.output.err);
    REQUIRE(after.output.status.code == 0);
    CHECK(dataset_of(after).at("tree") == dataset_of(before).at("tree"));
    CHECK_THAT(report_of(after), Catch::Contains("files 4\nbytes 14\n"));
  }
  CHECK(contents(checkout) == contents(named.data));
  CHECK(store.leftovers() == "");
}

TEST_CASE("A package that writes everywhere does not change a dataset") {
  const std::string mount = GENERATE("overlay", "copy");
  CAPTURE(mount);
  Named named;
  TestStore& store = named.store;
  store.add("writes_everywhere");
  REQUIRE(store.train("counts", "numbers").output.status.code == 0);
  const Fingerprint before = fingerprint(store.root() / "checkouts");
  const EndedRun run =
      store.train("writes_everywhere", "numbers",
                  {"--mount", mount, "--env", "victim=dataset:dataset/training/training/one.csv:nowhere"});
  if (run.message().find("cannot be used") != std::string::npos) {
    WARN("this machine cannot use the mount " << mount << ": " << run.message());
    return;
  }
  INFO(run.output.err);
  REQUIRE(run.output.status.code == 0);
  // It did try, and was let.
  CHECK_THAT(read_text(run.folder / "artifacts" / "attempts.txt"),
             Catch::Contains("dataset/training/training/one.csv: done"));
  CHECK(difference(before, fingerprint(store.root() / "checkouts")) == "");
}

TEST_CASE("A dataset that the store has lost a part of fails before the run, naming it") {
  Named named;
  TestStore& store = named.store;
  boost::filesystem::remove_all(store.root() / "objects" / "packs");
  boost::filesystem::create_directory(store.root() / "objects" / "packs");
  const ProgramOutput output = store.run({"run", "training", "counts", "--dataset", "numbers"});
  CHECK(output.status.code == 3);
  CHECK(output.out == "");
  CHECK(checkouts_in(store).empty());
}

TEST_CASE("Eight processes that add to one dataset at once make eight versions, or one") {
  constexpr int kAdds = 8;
  TestStore store;
  std::vector<RunningProgram> programs;
  for (int i = 0; i < kAdds; ++i) {
    const Path file = store.temp().write("data-" + std::to_string(i) + "/one.csv", std::to_string(i) + "\n");
    programs.push_back(store.start({"dataset", "add", "numbers", file.parent_path().string(), "--json"}));
    programs.push_back(store.start({"dataset", "add", "same", (store.temp().path() / "data-0").string(), "--json"}));
  }
  std::set<int> numbers;
  int fresh = 0;
  for (RunningProgram& program : programs) {
    const ProgramOutput output = program.wait();
    INFO(output.err);
    REQUIRE(output.status.code == 0);
    const Json added = Json::parse(output.out);
    if (added.at("name") == "numbers") {
      numbers.insert(added.at("version").get<int>());
      const auto shown = store.json({"dataset", "show", "numbers@" + added.at("version").dump()});
      CHECK(shown.at("source") == added.at("source"));
    } else {
      CHECK(added.at("version") == 1);
      fresh += added.at("new").get<bool>() ? 1 : 0;
    }
  }
  CHECK(numbers == std::set<int>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(fresh == 1);
  CHECK(store.schema_mistakes() == "");
  CHECK(store.leftovers() == "");
}

}  // namespace
}  // namespace trainyard::datasets_test
