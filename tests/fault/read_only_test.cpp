// SPDX-License-Identifier: Apache-2.0
// A store that may be read and not written: from the beginning, or from some state of a run on.
#include <catch2/catch.hpp>
#include <csignal>
#include <iostream>

#include "storage/values/sha256.hpp"
#include "tests/fault/fault_checks.hpp"
#include "tests/fault/mounted_store.hpp"
#include "tests/fault/run_processes.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard::read_only_test {

namespace {

using Words = std::vector<std::string>;

Words training() { return {"run", "training", "counts", "--dataset", FaultStore::dataset().string()}; }

// Something of everything.
class FullStore {
 public:
  FullStore() {
    const Path data = FaultStore::dataset();
    must({"run", "training", "counts", "--dataset", data.string(), "--name", "one", "--save-training-data"});
    must({"dataset", "add", "weather", data.string()});
    snapshot_ = Json::parse(must({"snapshot", "list", "--json"})).at(0).at("tree").at("digest").get<std::string>();
    must({"run", "evaluation", "counts", "--dataset", data.string(), "--name", "two"});
  }
  [[nodiscard]] const FaultStore& store() const { return store_; }
  [[nodiscard]] const std::string& snapshot() const { return snapshot_; }

 private:
  std::string must(const Words& words) const {
    const CommandEnd end = store_.run(words);
    if (end.code != 0) throw std::runtime_error(words[0] + " " + words[1] + ": " + end.story());
    return end.out;
  }
  FaultStore store_{FaultStore::fresh()};
  std::string snapshot_;
};

std::vector<Words> readers(const std::string& snapshot) {
  return {{"package", "list"},
          {"package", "show", "counts@1.1"},
          {"package", "diff", "counts@1.0", "counts@1.1"},
          {"dataset", "list"},
          {"dataset", "show", "weather"},
          {"runs", "list"},
          {"runs", "list", "--json"},
          {"runs", "show", "one"},
          {"runs", "logs", "one"},
          {"runs", "metrics", "one"},
          {"runs", "artifacts", "one"},
          {"runs", "artifacts", "one", "--tar", "-"},
          {"runs", "compare", "one", "two"},
          {"snapshot", "list"},
          {"snapshot", "verify", snapshot},
          {"snapshot", "cat", snapshot, "a.txt"},
          {"snapshot", "diff", snapshot, "weather@1"},
          {"snapshot", "export", snapshot, "-"},
          {"store", "du"},
          {"store", "verify"},
          {"store", "fsck"},
          {"store", "fsck", "--deep"},
          {"store", "config"},
          {"store", "gc"}};
}

std::vector<Words> writers(const std::string& snapshot) {
  const std::string data = FaultStore::dataset().string();
  return {{"package", "add", FaultStore::package("counts").string()},
          {"package", "label", "counts@1.0", "production"},
          {"package", "approve", "counts@1.0", "--why", "it is good"},
          {"package", "delete", "counts@1.1", "--why", "it is bad"},
          {"dataset", "add", "other", data},
          {"run", "training", "counts", "--dataset", data},
          {"run", "evaluation", "counts", "--dataset", "weather"},
          {"run", "training", "counts", "--dataset", data, "--detach"},
          {"runs", "rerun", "one"},
          {"runs", "delete", "one"},
          {"snapshot", "create", (Path(TRAINYARD_TEST_PACKAGES_DIR) / "slow").string()},
          {"snapshot", "remove", snapshot, "--despite-versions"},
          {"store", "config", "slots", "3"},
          {"store", "fsck", "--repair"},
          {"store", "purge", "--sha256", sha256("one\n").hex(), "--reason", "why not", "--yes"}};
}

// `reads` asks a store that is like `full` and may not be written, for `why`.
void require_reading_works(const FullStore& full, const FaultStore& reads, const std::string& why) {
  const auto told_place = [](std::string text, const FaultStore& store) {
    for (std::size_t at = text.find(store.root().string()); at != std::string::npos;
         at = text.find(store.root().string()))
      text.replace(at, store.root().size(), "STORE");
    return text;
  };
  for (const Words& words : readers(full.snapshot())) {
    const CommandEnd expected = full.store().run(words);
    const CommandEnd end = reads.run(words);
    INFO(words[0] << " " << words[1] << ": " << end.story());
    REQUIRE((expected.code == 0 || expected.code == 1));
    REQUIRE(end.code == expected.code);
    REQUIRE(told_place(end.out, reads) == told_place(expected.out, full.store()));
    REQUIRE(end.err == expected.err);
  }
  const auto before = fingerprint(reads.root());
  for (const Words& words : writers(full.snapshot())) {
    const CommandEnd end = reads.run(words);
    INFO(words[0] << " " << words[1] << ": " << end.story());
    REQUIRE(end.code == 3);
    require_orderly_end(end);
    REQUIRE(end.err.find(why) != std::string::npos);
    REQUIRE(fingerprint(reads.root()) == before);
  }
}

CommandEnd end_of(Process& runner, const Path& told) {
  const auto status = runner.wait(std::chrono::seconds(20));
  if (!status.ok() || !*status) throw std::runtime_error("it does not end: " + content(told));
  return {(*status)->code, (*status)->signal, "", content(told), {}};
}

// A training that is in a state when the store can no longer be written, and that is ended when it can be again.
void forbid_in(const std::string& state, const FaultStore& store, std::size_t next_entry,
               const std::function<void()>& forbid, const std::function<void()>& allow) {
  INFO("in the state " << state);
  const TempFolder folder;
  const Path told = folder.path() / "told";
  Process runner = store.start(training(), told, Fault{next_entry, Fault::Mode::pause});
  wait_for("the runner to pause", [&] { return is_paused(runner.pid()); });
  REQUIRE(store.last_state() == state);
  forbid();
  REQUIRE(runner.signal(SIGCONT).ok());
  const CommandEnd end = end_of(runner, told);
  INFO(end.story());
  REQUIRE(end.code == 3);
  require_orderly_end(end);
  store.wait_until_quiet();
  // It can be looked at, and says that it cannot be ended.
  const CommandEnd listed = store.run({"runs", "list", "--json"});
  INFO("a look at it: " << listed.story());
  REQUIRE(listed.code == 0);
  REQUIRE(Json::parse(listed.out).size() == 1);
  REQUIRE(listed.err.find("cannot be ended") != std::string::npos);
  allow();
  const StoreLook look = require_promises(store);
  REQUIRE(look.runs.size() == 1);
  const Json& run = look.runs[0];
  INFO(run);
  // What the job could still say counts.
  if (state == "Planned") REQUIRE(run.at("reason") == "lost");
  if (has_job(state)) REQUIRE(run.at("status") == "Successful");
  require_next_training(store, look);
}

std::vector<std::size_t> training_entries(const FaultStore& store) {
  const CommandEnd whole = store.run(training(), Fault{});
  INFO(whole.story());
  REQUIRE(whole.code == 0);
  return journal_calls(whole);
}

}  // namespace

TEST_CASE("a store on a read-only file system is read as ever, and refuses what writes", "[read_only]") {
  if (!can_mount()) return;
  const FullStore full;
  const MountedStore mounted(full.store());
  mounted.make_read_only();
  require_reading_works(full, mounted.store(), "Read-only file system");
  mounted.make_writable();
  require_promises(mounted.store());
}

TEST_CASE("a store of somebody else is read as ever, and refuses what writes", "[read_only]") {
  const FullStore full;
  FaultStore store(full.store());
  if (!store.run_as_nobody()) return;
  require_reading_works(full, store, "Permission denied");
}

TEST_CASE("a run whose store turns read-only is ended once it can be written", "[read_only_half_way]") {
  if (!can_mount()) return;
  const std::vector<std::size_t> entries = training_entries(FaultStore(FaultStore::fresh()));
  for (std::size_t i = 0; i + 1 < kStates.size(); ++i) {
    const FaultStore store(FaultStore::fresh());
    std::optional<ReadOnlyView> view;
    forbid_in(
        kStates[i], store, entries[i + 1], [&] { view.emplace(store.root()); }, [&] { view.reset(); });
  }
}

TEST_CASE("a run that loses the right to write into its store is ended once it has it again", "[read_only_half_way]") {
  FaultStore whole(FaultStore::fresh());
  if (!whole.run_as_nobody()) return;
  whole.give_to_nobody();
  const std::vector<std::size_t> entries = training_entries(whole);
  for (std::size_t i = 0; i + 1 < kStates.size(); ++i) {
    FaultStore store(FaultStore::fresh());
    REQUIRE(store.run_as_nobody());
    store.give_to_nobody();
    forbid_in(
        kStates[i], store, entries[i + 1], [&] { store.take_back(); }, [&] { store.give_to_nobody(); });
  }
}

}  // namespace trainyard::read_only_test
