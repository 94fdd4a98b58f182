// SPDX-License-Identifier: Apache-2.0
// The commands that look after a store meet every fault at every call: what has to stay stays, and the same command
// given again completes them.
#include <random>

#include "storage/trees/capture.hpp"
#include "storage/values/sha256.hpp"
#include "tests/fault/fault_checks.hpp"

namespace trainyard::keeping_test {

namespace {

// Bytes that nothing compresses, so that they lie in a pack as they are.
const std::string kSecret = [] {
  std::mt19937 random(9);  // NOLINT(cert-msc51-cpp): the same bytes every time
  std::string bytes(5000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}();

// A store with a snapshot that stays, and one that was removed when `forget` says so. A file of both is kSecret.
class TwoSnapshots {
 public:
  explicit TwoSnapshots(bool forget) {
    for (const char* const name : {"stays", "goes"}) {
      data_.write(std::string(name) + "/secret", kSecret);
      data_.write(std::string(name) + "/own", std::string("content of ") + name);
      for (int i = 0; i < 8; ++i) data_.write(std::string(name) + "/more/" + std::to_string(i), std::to_string(i));
      REQUIRE(store_.run({"snapshot", "create", (data_.path() / name).string()}).code == 0);
    }
    for (const Json& snapshot : snapshots(store_)) {
      const auto id = snapshot.at("tree").at("digest").get<std::string>();
      (snapshot.at("source").get<std::string>().ends_with("goes") ? goes_ : stays_) = id;
    }
    if (forget) REQUIRE(store_.run({"snapshot", "remove", goes_}).code == 0);
  }

  static Json snapshots(const FaultStore& store) { return Json::parse(store.run({"snapshot", "list", "--json"}).out); }

  [[nodiscard]] const FaultStore& store() const { return store_; }
  [[nodiscard]] const std::string& goes() const { return goes_; }
  [[nodiscard]] const std::string& stays() const { return stays_; }

 private:
  TempFolder data_;
  FaultStore store_{FaultStore::fresh()};
  std::string goes_;
  std::string stays_;
};

void require_success(const FaultStore& store, const std::vector<std::string>& words) {
  const CommandEnd end = store.run(words);
  INFO(end.story());
  REQUIRE(end.code == 0);
}

std::uint64_t garbage_bytes(const FaultStore& store) {
  return Json::parse(store.run({"store", "du", "--json"}).out).at("garbage_bytes").get<std::uint64_t>();
}

std::optional<Path> pack_with(const FaultStore& store, const std::string& bytes) {
  const Path packs = store.root() / "objects" / "packs";
  const auto names = list_folder(packs);
  for (const std::string& name : names.value()) {
    if (read_file(packs / name, std::size_t{1} << 30U).value().find(bytes) != std::string::npos) return packs / name;
  }
  return std::nullopt;
}

bool any_pack_has(const FaultStore& store, const std::string& bytes) { return pack_with(store, bytes).has_value(); }

}  // namespace

TEST_CASE("a checkout that meets any fault is there whole or not at all", "[failing_checkout]") {
  const TwoSnapshots start(false);
  const TempFolder out;
  std::size_t number = 0;
  const Path data = out.path() / "data";
  const std::vector<std::string> words = {"snapshot", "checkout", start.stays(), data.string()};
  const auto is_whole = [&](const Path& folder) {
    const auto captured = capture(folder, {});
    REQUIRE(captured.ok());
    return captured->tree.digest().hex() == start.stays();
  };
  const FaultRound round{[&] { REQUIRE(remove_tree(data).ok()); }};
  every_fault(
      "snapshot checkout", start.store(), words,
      [&](const FaultStore& store, const CommandEnd& end) {
        if (is_there(data)) REQUIRE(is_whole(data));
        if (end.code == 0) REQUIRE(is_there(data));
        const Path again = out.path() / ("again-" + std::to_string(number++));
        require_success(store, {"snapshot", "checkout", start.stays(), again.string()});
        REQUIRE(is_whole(again));
        REQUIRE(remove_tree(again).ok());
        require_promises(store);
      },
      round);
}

TEST_CASE("a repair that meets any fault is completed by the next one", "[failing_repair]") {
  const TwoSnapshots start(false);
  // The index is gone, and an object is corrupt.
  const Path objects = start.store().root() / "objects";
  REQUIRE(remove_tree(objects / "index").ok());
  REQUIRE(make_folders(objects / "index").ok());
  const Path pack = pack_with(start.store(), kSecret).value();
  std::string bytes = read_file(pack, std::size_t{1} << 30U).value();
  bytes[bytes.find(kSecret) + 1000] ^= 1;
  REQUIRE(remove_file(pack).ok());
  REQUIRE(publish_file(pack.parent_path(), pack, bytes, 0444, Durable::no).ok());
  const std::vector<std::string> words = {"store", "fsck", "--repair", "--deep"};
  every_fault(
      "store fsck --repair", start.store(), words,
      [&](const FaultStore& store, const CommandEnd&) {
        const CommandEnd repaired = store.run(words);
        INFO(repaired.story());
        const CommandEnd checked = store.run({"store", "fsck", "--deep"});
        INFO(checked.story());
        // What is lost stays lost, and is named by those who need it; everything else is there.
        REQUIRE(checked.err.find("snapshot " + start.stays() + ": secret") != std::string::npos);
        REQUIRE(checked.err.find("own") == std::string::npos);
        require_success(store, {"snapshot", "cat", start.stays(), "own"});
        require_success(store, {"snapshot", "cat", start.goes(), "own"});
        REQUIRE(is_there(store.root() / "objects" / "quarantine" / sha256(kSecret).hex()));
      },
      FaultRound{[] {},
                 [](const CommandEnd& end) {
                   // Every damage is a sentence of its own.
                   REQUIRE((end.code == 0 || end.code == 3));
                   REQUIRE(end.err.find("mistake of Trainyard itself") == std::string::npos);
                 }});
}

TEST_CASE("a collection that meets any fault loses nothing that is needed", "[failing_collection]") {
  const TwoSnapshots start(true);
  REQUIRE(garbage_bytes(start.store()) > 0);
  const std::vector<std::string> words = {"store", "gc", "--apply-now"};
  every_fault("store gc", start.store(), words, [&](const FaultStore& store, const CommandEnd& end) {
    require_promises(store);
    require_success(store, {"snapshot", "verify", start.stays()});
    if (end.code == 0) REQUIRE(garbage_bytes(store) == 0);
    require_success(store, words);
    REQUIRE(garbage_bytes(store) == 0);
    require_promises(store);
    require_success(store, {"store", "fsck", "--deep"});
  });
}

TEST_CASE("a purge that meets any fault is completed by the next one, and takes nothing else", "[failing_purge]") {
  const TwoSnapshots start(false);
  REQUIRE(any_pack_has(start.store(), kSecret));
  const std::vector<std::string> words = {"store",    "purge",   "--sha256", sha256(kSecret).hex(),
                                          "--reason", "why not", "--yes"};
  every_fault("store purge", start.store(), words, [&](const FaultStore& store, const CommandEnd& end) {
    if (end.code == 0) REQUIRE_FALSE(any_pack_has(store, kSecret));
    require_success(store, words);
    REQUIRE_FALSE(any_pack_has(store, kSecret));
    require_success(store, {"snapshot", "cat", start.goes(), "own"});
    require_success(store, {"snapshot", "cat", start.stays(), "own"});
    REQUIRE(store.run({"snapshot", "verify", start.stays()}).out.find("incomplete by purge: 1 file") !=
            std::string::npos);
    require_success(store, {"store", "fsck", "--deep"});
  });
}

TEST_CASE("a snapshot whose removal meets any fault is there whole or not at all", "[failing_removal]") {
  const TwoSnapshots start(false);
  const std::vector<std::string> words = {"snapshot", "remove", start.goes()};
  const std::vector<std::string> calls = FaultStore(start.store()).run(words, Fault{}).calls;
  REQUIRE_FALSE(calls.empty());
  for (std::size_t at = 1; at <= calls.size(); ++at) {
    for (const Fault& fault :
         {Fault{at, Fault::Mode::kill}, Fault{at, Fault::Mode::fail, EIO}, Fault{at, Fault::Mode::fail_on, ENOSPC}}) {
      const FaultStore store(start.store());
      const CommandEnd end = store.run(words, fault);
      INFO(story_of(fault, end));
      REQUIRE(end.reached(at));
      if (end.code) require_orderly_end(end);
      require_promises(store);
      const std::size_t left = TwoSnapshots::snapshots(store).size();
      REQUIRE((left == 1 || left == 2));
      if (end.code == 0) REQUIRE(left == 1);
      if (left == 2) require_success(store, words);
      REQUIRE(TwoSnapshots::snapshots(store).size() == 1);
      require_success(store, {"snapshot", "verify", start.stays()});
    }
  }
}

}  // namespace trainyard::keeping_test
