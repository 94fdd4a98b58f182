// SPDX-License-Identifier: Apache-2.0
// The store lies on a disk with little room, or with room for few files: each command ends with one sentence, and goes on
// once there is more.
#include <catch2/catch.hpp>
#include <iostream>

#include "tests/fault/fault_checks.hpp"
#include "tests/fault/mounted_store.hpp"

namespace trainyard::full_disk_test {

namespace {

using Words = std::vector<std::string>;

enum class Lack { bytes, files };

// With a trained version, and a snapshot that was removed and is garbage.
const FaultStore& used_store() {
  static const FaultStore store(FaultStore::fresh());
  static const bool made = [] {
    REQUIRE(store.train().code == 0);
    const TempFolder data;
    data.write("data/garbage", std::string(300'000, 'g') + "x");
    const CommandEnd created = store.run({"snapshot", "create", (data.path() / "data").string(), "--json"});
    REQUIRE(created.code == 0);
    const auto id = Json::parse(created.out).at("tree").at("digest").get<std::string>();
    REQUIRE(store.run({"snapshot", "remove", id}).code == 0);
    return true;
  }();
  static_cast<void>(made);
  return store;
}

void require_room_told(const CommandEnd& end, const StoreLook& before, const StoreLook& after) {
  require_orderly_end(end);
  REQUIRE(end.code == 3);
  // Either the kernel had no more, or the run was ended for what has to stay free.
  REQUIRE((end.err.find("No space left on device") != std::string::npos ||
           end.err.find("kept free") != std::string::npos || end.err.find("room for") != std::string::npos));
  if (after.runs.size() == before.runs.size()) return;
  REQUIRE(after.runs.size() == before.runs.size() + 1);
  for (const Json& run : after.runs) {
    const bool known = std::any_of(before.runs.begin(), before.runs.end(),
                                   [&](const Json& old) { return old.at("run") == run.at("run"); });
    if (!known) REQUIRE(run.at("reason") == "disk_full");
  }
}

// From no room at all up to as much as the command needs.
std::size_t fill_up(const Words& words, Lack lack) {
  const FaultStore& start = used_store();
  const StoreLook before = look_at(FaultStore(start));
  const std::uint64_t step = lack == Lack::files ? (every_one() ? 1 : 3) : (every_one() ? 4 : 44) << 10U;
  std::size_t failed = 0;
  for (std::uint64_t room = 0;; room += step) {
    const MountedStore mounted(start);
    const FaultStore& store = mounted.store();
    if (lack == Lack::bytes) mounted.leave_bytes(room);
    if (lack == Lack::files) mounted.leave_files(room);
    const CommandEnd end = store.run(words);
    INFO(words[0] << " " << words[1] << " with room for " << room << (lack == Lack::bytes ? " bytes: " : " files: ")
                  << end.story());
    store.wait_until_quiet();
    mounted.leave_plenty();
    const StoreLook look = require_promises(store);
    if (end.code == 0) return failed;
    require_room_told(end, before, look);
    const CommandEnd again = store.run(words);
    INFO("the same with room enough: " << again.story());
    REQUIRE(again.code == 0);
    require_promises(store);
    REQUIRE(store.run({"store", "fsck", "--deep"}).code == 0);
    ++failed;
  }
}

void fill_up_with(const char* what, const Words& words) {
  if (!can_mount()) return;
  const std::size_t bytes = fill_up(words, Lack::bytes);
  const std::size_t files = fill_up(words, Lack::files);
  REQUIRE(bytes + files > 0);
  std::cout << what << ": " << bytes << " sizes and " << files << " numbers of files were too small" << std::endl;
}

Words run_of(const char* type) { return {"run", type, "counts", "--dataset", FaultStore::dataset().string()}; }

}  // namespace

TEST_CASE("a training on a full disk ends in order at every size", "[full_disk_training]") {
  Words words = run_of("training");
  words.emplace_back("--save-training-data");
  fill_up_with("training", words);
}

TEST_CASE("an evaluation on a full disk ends in order at every size", "[full_disk_evaluation]") {
  fill_up_with("evaluation", run_of("evaluation"));
}

TEST_CASE("other commands on a full disk end in order at every size", "[full_disk_commands]") {
  const TempFolder data;
  std::string bytes;
  for (int i = 0; i < 40'000; ++i) bytes += static_cast<char>(i * 7919 >> 3);
  data.write("data/file", bytes);
  fill_up_with("package add", {"package", "add", FaultStore::package("counts").string()});
  fill_up_with("snapshot create", {"snapshot", "create", (data.path() / "data").string()});
  fill_up_with("dataset add", {"dataset", "add", "weather", (data.path() / "data").string()});
  fill_up_with("package label", {"package", "label", "counts@1.1", "production"});
}

TEST_CASE("a collection of garbage makes room on a full disk, or says why not", "[full_disk_collection]") {
  if (!can_mount()) return;
  const Words words = {"store", "gc", "--apply-now"};
  for (const std::uint64_t room : {0, 4, 8, 16, 40, 100, 300}) {
    const MountedStore mounted(used_store());
    mounted.leave_bytes(room << 10U);
    const CommandEnd end = mounted.store().run(words);
    INFO("with " << room << " KiB: " << end.story());
    require_orderly_end(end);
    require_promises(mounted.store());
    mounted.leave_plenty();
    REQUIRE(mounted.store().run(words).code == 0);
    require_promises(mounted.store());
    REQUIRE(mounted.store().run({"store", "fsck", "--deep"}).code == 0);
  }
}

TEST_CASE("an export to a full disk leaves nothing half", "[full_disk_commands]") {
  if (!can_mount()) return;
  const MountedStore mounted(used_store());
  const Path out = mounted.store().root() / "out";
  const Words words = {"package", "export", "counts@1.1", "--output", out.string()};
  for (const std::uint64_t room : {0, 100, 250, 400, 500}) {
    mounted.leave_bytes(room << 10U);
    const CommandEnd end = mounted.store().run(words);
    INFO("with " << room << " KiB: " << end.story());
    require_orderly_end(end);
    const auto left = list_folder(out);
    if (end.code != 0 && left.ok()) REQUIRE(left->empty());
    mounted.leave_plenty();
    REQUIRE(remove_tree(out).ok());
    REQUIRE(mounted.store().run(words).code == 0);
    REQUIRE(list_folder(out).value().size() == 2);
    REQUIRE(remove_tree(out).ok());
  }
  require_promises(mounted.store());
}

}  // namespace trainyard::full_disk_test
