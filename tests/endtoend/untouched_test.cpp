// SPDX-License-Identifier: Apache-2.0
// What a package writes lands in its run's own copies: neither the user's dataset nor a stored version changes, in no
// bit.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "storage/objects/pack_objects.hpp"
#include "storage/trees/capture.hpp"
#include "storage/trees/checkout.hpp"
#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::untouched_test {
namespace {

Tree tree_of(const TestStore& store, const std::string& reference, ObjectStore& objects) {
  const auto digest =
      Digest::parse(store.json({"package", "show", reference}).at("tree").at("digest").get<std::string>());
  REQUIRE(digest.ok());
  const auto tree = load_tree(*digest, objects);
  REQUIRE(tree.ok());
  return *tree;
}

// The files that are there before and after: new ones may come, none may change.
void check_kept(const Fingerprint& before, const Fingerprint& after) {
  for (const auto& [name, print] : before) {
    if (print.find(" bytes ") == std::string::npos) continue;
    INFO(name);
    REQUIRE(after.count(name) == 1);
    CHECK(after.at(name) == print);
  }
}

Path make_dataset(const TestStore& store) {
  const Path data = store.temp().folder("data");
  store.temp().write("data/one.txt", "one\n");
  store.temp().write("data/deeper/two.txt", "two\n");
  store.temp().write("data/deeper/run.sh", "#!/bin/sh\n");
  boost::filesystem::permissions(data / "deeper/run.sh", boost::filesystem::owner_all | boost::filesystem::group_read);
  boost::filesystem::permissions(data / "one.txt", boost::filesystem::owner_read);
  store.temp().folder("data/hollow");
  boost::filesystem::last_write_time(data / "one.txt", 1000000000);
  return data;
}

TEST_CASE("A package that writes everywhere changes neither the dataset nor a stored version") {
  const std::string mount = GENERATE("overlay", "copy", "reflink");
  CAPTURE(mount);
  TestStore store;
  const Path data = make_dataset(store);
  store.add("writes_everywhere");
  const Json record = store.json({"package", "show", "writes_everywhere@1.0"});
  const Fingerprint data_before = fingerprint(data);
  const Fingerprint objects_before = fingerprint(store.root() / "objects");
  const Fingerprint packages_before = fingerprint(store.root() / "packages");

  // Relative to the package's working directory: its data again, and a folder that is not there.
  const EndedRun run = store.train(
      "writes_everywhere", data,
      {"--mount", mount, "--save-training-data", "--env", "victim=dataset:dataset/training/one.txt:nowhere"});
  if (run.message().find("cannot be used") != std::string::npos) {
    WARN("this machine cannot use the mount " << mount << ": " << run.message());
    CHECK(run.reason() == "invalid_input");
    CHECK(difference(data_before, fingerprint(data)) == "");
    return;
  }
  INFO(run.output.err);
  REQUIRE(run.output.status.code == 0);
  CHECK(run.version() == "1.1");
  CHECK(run.traceability().at("datasets").at(0).at("mount") == mount);

  // It did try, and was let: its copies are its own.
  const std::string attempts = read_text(run.folder / "artifacts" / "attempts.txt");
  for (const char* const attempt :
       {"dataset/training/deeper/two.txt: done", "package/sibling.txt: done", "create folder"}) {
    CHECK_THAT(attempts, Catch::Contains(attempt));
  }
  CHECK(difference(data_before, fingerprint(data)) == "");
  check_kept(objects_before, fingerprint(store.root() / "objects"));
  check_kept(packages_before, fingerprint(store.root() / "packages"));
  CHECK(store.json({"package", "show", "writes_everywhere@1.0"}) == record);

  const auto packs = PackObjects::open(store.root() / "objects", store.root() / "tmp");
  REQUIRE(packs.ok());
  ObjectStore& objects = **packs;
  const Tree parent = tree_of(store, "writes_everywhere@1.0", objects);
  const Tree made = tree_of(store, "writes_everywhere@1.1", objects);
  for (const Tree* const tree : {&parent, &made}) {
    const auto problems = verify(*tree, objects);
    REQUIRE(problems.ok());
    CHECK(problems->empty());
  }
  // The new version is the private copy as the package left it, without the data and the artifacts.
  std::vector<std::string> names;
  for (const TreeEntry& entry : made.entries()) names.push_back(entry.path.text());
  CHECK(names ==
        std::vector<std::string>{"created.txt", "libwrites_everywhere.so", "model.txt", "package.json", "sibling.txt"});

  // The snapshot is of the data before the package changed it.
  store.must({"snapshot", "checkout", run.traceability().at("snapshot").get<std::string>(),
              (store.temp().path() / "back").string()});
  CHECK(contents(store.temp().path() / "back") == contents(data));
}

}  // namespace
}  // namespace trainyard::untouched_test
