// SPDX-License-Identifier: Apache-2.0
// The commands that take things out of a store meet every fault at every call, as the last one that was started or
// killed: what has to stay stays, and the same command given again completes them.
#include <random>

#include "storage/values/sha256.hpp"
#include "tests/fault/fault_checks.hpp"

namespace trainyard {

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

bool any_pack_has(const FaultStore& store, const std::string& bytes) {
  const Path packs = store.root() / "objects" / "packs";
  const auto names = list_folder(packs);
  for (const std::string& name : names.value()) {
    if (read_file(packs / name, std::size_t{1} << 30U).value().find(bytes) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

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

}  // namespace trainyard
