// SPDX-License-Identifier: Apache-2.0
// What takes the space of a store, and what can go.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard::store_test {
namespace {

std::uint64_t bytes_below(const Path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& [name, content] : contents(folder)) bytes += content.size();
  return bytes;
}

std::uint64_t pack_bytes(const TestStore& store) { return bytes_below(store.root() / "objects" / "packs"); }

}  // namespace

TEST_CASE("The use of a store is told by owner, and adds up") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  CHECK(has(store.must({"store", "du"}), "needed"));
  const std::string one = snapshot_of(store, folders.one);
  const std::string two = snapshot_of(store, folders.two);
  const Json use = store.json({"store", "du", "--by", "snapshot"});
  REQUIRE(use.at("owners").size() == 2);
  std::uint64_t unique = 0;
  for (const Json& owner : use.at("owners")) unique += owner.at("unique_bytes").get<std::uint64_t>();
  CHECK(unique + use.at("shared_bytes").get<std::uint64_t>() == use.at("live_bytes").get<std::uint64_t>());
  CHECK(use.at("owners")[0].at("owner") == one);
  CHECK(use.at("owners")[0].at("logical_bytes") == kBig.size() + kShared.size());
  CHECK(use.at("owners")[0].at("unique_bytes").get<std::uint64_t>() >= kBig.size());
  CHECK(use.at("shared_bytes").get<std::uint64_t>() >= kShared.size());
  CHECK(use.at("garbage_objects") == 0);
  CHECK(use.at("pack_bytes") == pack_bytes(store));
  CHECK(schema_mistakes("usage", store.temp().write("usage.json", use.dump())) == "");
  const std::string text = store.must({"store", "du", "--by", "snapshot"});
  CHECK(has(text, one));
  CHECK(has(text, two));
  CHECK(has(store.must({"store", "du"}), "snapshots"));
}

TEST_CASE("Collecting garbage changes nothing unless it is told to") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  store.must({"snapshot", "remove", snapshot_of(store, folders.one)});
  snapshot_of(store, folders.two);
  const Fingerprint before = fingerprint(store.root());
  const std::string text = store.must({"store", "gc"});
  CHECK(has(text, "would free"));
  CHECK(has(text, "nothing was changed"));
  store.must({"store", "gc", "--plan", (store.temp().path() / "plan.json").string()});
  CHECK(store.json({"store", "gc"}).at("applied") == false);
  CHECK(difference(before, fingerprint(store.root())) == "");
  CHECK(schema_mistakes("sweep-plan", store.temp().path() / "plan.json") == "");
}

TEST_CASE("A snapshot on which a version was trained goes only when that is asked for") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/x.csv", "1,2\n");
  const EndedRun run = store.train("counts", store.temp().path() / "data", {"--save-training-data"});
  REQUIRE(run.version() == "1.1");
  const auto id = store.json({"snapshot", "list"}).at(0).at("tree").at("digest").get<std::string>();
  // A second run on the same data finds the snapshot there.
  REQUIRE(store.train("counts", store.temp().path() / "data", {"--save-training-data"}).version() == "1.2");
  const ProgramOutput refused = store.run({"snapshot", "remove", id});
  CHECK(refused.status.code == 2);
  CHECK(has(refused.err, "the data that counts@1.1 and 1 more was trained on"));
  store.must({"snapshot", "verify", id});
  CHECK(store.json({"snapshot", "remove", id, "--despite-versions"}).at("removed") == true);
  CHECK(store.json({"snapshot", "list"}).empty());
  store.must({"store", "gc", "--apply-now"});
  store.must({"store", "verify"});
}

TEST_CASE("A snapshot of a run that is not over stays") {
  TestStore store;
  store.add("slow");
  store.temp().write("data/x.csv", "1,2\n");
  RunningProgram training =
      store.start_training("long", "slow", store.temp().path() / "data", {"--save-training-data", "--grace", "1s"});
  store.wait_for_the_call("long");
  const auto id = store.json({"snapshot", "list"}).at(0).at("tree").at("digest").get<std::string>();
  const ProgramOutput refused = store.run({"snapshot", "remove", id, "--despite-versions"});
  CHECK(refused.status.code == 3);
  CHECK(has(refused.err, "the run 'long' is being trained on the snapshot"));
  training.signal(SIGINT);
  CHECK(training.wait().status.code == 130);
  // It was stopped, so no version was made from it.
  store.must({"snapshot", "remove", id});
}

TEST_CASE("What only a forgotten snapshot needed is freed, and all else stays") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  const std::string two = snapshot_of(store, folders.two);
  store.must({"snapshot", "remove", one});
  const std::uint64_t before = pack_bytes(store);
  const Json report = store.json({"store", "gc", "--apply-now"});
  CHECK(report.at("applied") == true);
  CHECK(report.at("removed_objects").get<int>() >= 2);
  CHECK(pack_bytes(store) + kBig.size() <= before);
  CHECK(before - pack_bytes(store) == report.at("freed_bytes").get<std::uint64_t>());
  store.must({"snapshot", "verify", two});
  store.must({"store", "verify"});
  store.must({"store", "fsck", "--deep"});
  CHECK(store.must({"store", "gc", "--apply-now"}) == "there was nothing to remove\n");
  // What was removed can come back.
  CHECK(snapshot_of(store, folders.one) == one);
  store.must({"snapshot", "verify", one});
}

TEST_CASE("A plan removes only what is still garbage when it is applied") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  const std::string two = snapshot_of(store, folders.two);
  store.must({"snapshot", "remove", one});
  store.must({"snapshot", "remove", two});
  const std::string plan = (store.temp().path() / "plan.json").string();
  store.must({"store", "gc", "--plan", plan});
  snapshot_of(store, folders.one);
  const std::uint64_t before = pack_bytes(store);
  store.must({"store", "gc", "--apply", plan});
  CHECK(pack_bytes(store) < before);
  store.must({"snapshot", "verify", one});
  CHECK(store.json({"store", "du"}).at("garbage_bytes") == 0);
  CHECK(store.run({"store", "gc", "--plan", plan}).status.code == 2);  // never over another file
}

TEST_CASE("Nothing is collected when a record cannot be read") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  store.add("counts");
  store.must({"snapshot", "remove", snapshot_of(store, folders.one)});
  const Path record = store.root() / "packages" / "counts" / "1.0.json";
  const std::string good = read_text(record);
  boost::filesystem::remove(record);
  store.temp().write("store/packages/counts/1.0.json", good.substr(0, good.size() / 2));
  const Fingerprint before = fingerprint(store.root() / "objects");
  for (const Arguments& arguments : {Arguments{"store", "gc"}, Arguments{"store", "gc", "--apply-now"}}) {
    const ProgramOutput output = store.run(arguments);
    CHECK(output.status.code == 3);
    CHECK(output.out == "");
    CHECK(has(output.err, record.string()));
    CHECK(has(output.err, "nothing is removed"));
  }
  CHECK(difference(before, fingerprint(store.root() / "objects")) == "");
  boost::filesystem::remove(record);
  store.temp().write("store/packages/counts/1.0.json", good);
  store.must({"store", "gc", "--apply-now"});
  store.must({"store", "verify"});
}

TEST_CASE("Collecting waits for whoever writes, and says so") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  store.must({"snapshot", "remove", snapshot_of(store, folders.one)});
  const Path lock = store.root() / "objects" / "lock";
  const int writer = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  REQUIRE(writer >= 0);
  REQUIRE(::flock(writer, LOCK_SH) == 0);
  const ProgramOutput refused = store.run({"store", "gc", "--apply-now", "--no-wait"});
  CHECK(refused.status.code == 3);
  CHECK(has(refused.err, "another command is writing"));
  RunningProgram waiting = store.start({"store", "gc", "--apply-now"});
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  ::close(writer);
  const ProgramOutput output = waiting.wait();
  CHECK(output.status.code == 0);
  CHECK(has(output.err, "waiting for another command"));
  CHECK(has(output.out, "freed "));
}

TEST_CASE("Garbage is collected while others take snapshots") {
  const TestStore store;
  // Each has a folder of its own, changes it, keeps it, and forgets every other snapshot.
  const std::string loop = R"(set -e
    for n in 1 2 3 4 5 6 7 8 9 10; do
      seq $((1$who$n * 1000)) $((1$who$n * 1000 + 4000)) > $folder/numbers
      head -c 300000 /dev/urandom > $folder/noise
      head -c 2000 /dev/urandom > $folder/small-$n
      id=$($program snapshot create $folder | sed 's/.*as snapshot \([0-9a-f]*\) .*/\1/')
      if [ $((n % 2)) = 0 ]; then $program snapshot remove $id; fi
    done)";
  std::vector<RunningProgram> writers;
  for (int who = 1; who <= 4; ++who) {
    const Path folder = store.temp().folder("data-" + std::to_string(who));
    writers.emplace_back(store.temp().path(), Arguments{"/bin/sh", "-c", loop},
                         Variables{{"TRAINYARD_STORE", store.root().string()},
                                   {"HOME", store.temp().path().string()},
                                   {"PATH", "/usr/bin:/bin"},
                                   {"program", TRAINYARD_PROGRAM},
                                   {"folder", folder.string()},
                                   {"who", std::to_string(who)}});
  }
  std::uint64_t removed = 0;
  for (int n = 0; n < 12; ++n) {
    const Json report = store.json({"store", "gc", "--apply-now"});
    removed += report.at("removed_objects").get<std::uint64_t>();
  }
  for (RunningProgram& writer : writers) {
    const ProgramOutput output = writer.wait();
    INFO(output.err);
    CHECK(output.status.code == 0);
  }
  removed += store.json({"store", "gc", "--apply-now"}).at("removed_objects").get<std::uint64_t>();
  CHECK(removed >= 20);
  const Json snapshots = store.json({"snapshot", "list"});
  CHECK(snapshots.size() == 20);
  for (const Json& snapshot : snapshots)
    store.must({"snapshot", "verify", snapshot.at("tree").at("digest").get<std::string>()});
  store.must({"store", "fsck", "--deep"});
  CHECK(store.leftovers() == "");
}

TEST_CASE("The artifacts of a failed run survive a collection") {
  TestStore store;
  store.add("throws_in_save");
  store.temp().write("data/x.csv", "1,2\n");
  const EndedRun run = store.train("throws_in_save", store.temp().path() / "data");
  CHECK(run.status() == "Failed");
  REQUIRE_FALSE(run.traceability().at("artifacts").is_null());
  store.must({"store", "gc", "--apply-now"});
  store.must({"store", "verify"});
  store.must({"runs", "artifacts", "run-1"});
}

TEST_CASE("Checkouts go when no run uses them") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/x.csv", "1,2\n");
  store.must({"dataset", "add", "weather", (store.temp().path() / "data").string()});
  const ProgramOutput trained = store.run({"run", "training", "counts", "--dataset", "weather@1"});
  REQUIRE(trained.status.code == 0);
  CHECK(contents(store.root() / "checkouts").size() == 1);
  CHECK(has(store.must({"store", "gc"}), "would remove 1 checkout"));
  CHECK(contents(store.root() / "checkouts").size() == 1);
  CHECK(has(store.must({"store", "gc", "--apply-now"}), "removed 1 checkout"));
  CHECK(contents(store.root() / "checkouts").empty());
  REQUIRE(store.run({"run", "training", "counts", "--dataset", "weather@1"}).status.code == 0);
}

TEST_CASE("A checkout that a run uses stays") {
  TestStore store;
  store.add("slow");
  store.temp().write("data/x.csv", "1,2\n");
  store.must({"dataset", "add", "weather", (store.temp().path() / "data").string()});
  RunningProgram training =
      store.start({"run", "training", "slow", "--dataset", "weather@1", "--name", "long", "--grace", "1s"});
  store.wait_for_the_call("long");
  store.must({"store", "gc", "--apply-now"});
  CHECK(contents(store.root() / "checkouts").size() == 1);
  training.signal(SIGINT);
  CHECK(training.wait().status.code == 130);
}

TEST_CASE("Mistakes about the store are told in one line") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  store.temp().write("not-a-plan.json", "{}");
  const std::string digest = sha256("nowhere").hex();
  struct Row {
    Arguments arguments;
    std::string told;
    int code = 2;
  };
  const std::vector<Row> rows = {
      {{"store"}, "'trainyard store' needs one of: config, du, verify, fsck, gc, purge"},
      {{"store", "du", "--by", "colour"}, "'colour'"},
      {{"store", "verify", "--sample", "5"}, "the sample '5' is no share"},
      {{"store", "verify", "--sample", "0%"}, "the sample '0%'"},
      {{"store", "verify", "--sample", "101%"}, "the sample '101%'"},
      {{"store", "verify", "--sample", "-1%"}, "the sample '-1%'"},
      {{"store", "verify", "--sample", "nan%"}, "the sample 'nan%'"},
      {{"store", "verify", "--sample", "5%", "--seed", "x"}, "the seed 'x'"},
      {{"store", "verify", "--seed", "5"}, "--sample"},
      {{"snapshot", "verify", one, "--sample", "5%%"}, "the sample '5%%'"},
      {{"store", "gc", "--apply", "nowhere.json"}, "nowhere.json"},
      {{"store", "gc", "--apply", "not-a-plan.json"}, "schema"},
      {{"store", "gc", "--apply", "x", "--apply-now"}, "only one of"},
      {{"store", "gc", "--plan", "no/such/folder.json"}, "no/such"},
      {{"store", "purge", "--reason", "x"}, "--sha256"},
      {{"store", "purge", "--sha256", digest}, "--reason"},
      {{"store", "purge", "--sha256", digest, "--reason", " "}, "needs a reason"},
      {{"store", "purge", "--sha256", "abcd", "--reason", "x"}, "abcd"},
      {{"store", "purge", "--sha256", digest, "--reason", "x"}, "the store has no file"},
      {{"store", "purge", "--sha256", one, "--reason", "x"}, "is not a file but the tree of snapshot"},
      {{"snapshot", "remove"}, "snapshot"},
      {{"snapshot", "remove", "ffff"}, "there is no snapshot 'ffff'"},
      {{"snapshot", "diff", one}, "after"},
      {{"snapshot", "diff", one, "ffff"}, "there is no snapshot 'ffff'"},
      {{"snapshot", "diff", one, "counts@1.0"}, "there is no package 'counts'"},
      {{"snapshot", "diff", one, "weather@1"}, "there is no dataset 'weather'"},
      {{"snapshot", "cat", one, "../etc/passwd"}, ".."},
      {{"snapshot", "cat", one, "nowhere"}, "no file 'nowhere'"},
      {{"snapshot", "cat", one, "big.bin", "--json"}, "--json"},
      {{"snapshot", "export", one}, "file"},
      {{"snapshot", "export", one, "x.tar", "--compression", "gzip"}, "'gzip' is neither none nor zstd"},
      {{"snapshot", "export", one, "-", "--json"}, "standard output"},
      {{"snapshot", "export", one, "no/such/folder.tar"}, "no/such"},
      {{"runs", "artifacts", "nobody"}, "there is no run 'nobody'"},
  };
  const Fingerprint before = fingerprint(store.root());
  for (const Row& row : rows) {
    const ProgramOutput output = store.run(row.arguments);
    INFO(Catch::StringMaker<Arguments>::convert(row.arguments) << " said: " << output.err);
    CHECK(output.status.code == row.code);
    CHECK(output.out == "");
    CHECK(has(output.err, row.told));
    CHECK(std::count(output.err.begin(), output.err.end(), '\n') == 1);
  }
  CHECK(difference(before, fingerprint(store.root())) == "");
}

}  // namespace trainyard::store_test
