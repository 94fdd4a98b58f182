// SPDX-License-Identifier: Apache-2.0
// What is missing from a store or damaged, by accident or on purpose, and whom it concerns.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"
#include "tests/endtoend/two_folders.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard::store_damage_test {
namespace {

// Changes one byte in the middle of the pack that has these bytes as they are.
void damage(const TestStore& store, const std::string& bytes) {
  const Path packs = store.root() / "objects" / "packs";
  for (const auto& [name, content] : contents(packs)) {
    const std::size_t at = content.find(bytes);
    if (at == std::string::npos) continue;
    const Path path = packs / name;
    boost::filesystem::permissions(path, boost::filesystem::owner_write | boost::filesystem::add_perms);
    const int fd = ::open(path.c_str(), O_WRONLY);
    REQUIRE(fd >= 0);
    const char other = static_cast<char>(content[at + bytes.size() / 2] ^ 1);
    REQUIRE(::pwrite(fd, &other, 1, static_cast<off_t>(at + bytes.size() / 2)) == 1);
    ::close(fd);
    return;
  }
  FAIL("no pack has the bytes");
}

}  // namespace

TEST_CASE("A purged file leaves its snapshots incomplete, not corrupt") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  const std::string two = snapshot_of(store, folders.two);
  const std::string digest = sha256(kOther).hex();
  const Arguments purge = {"store", "purge", "--sha256", digest, "--reason", "asked to be forgotten"};

  const Fingerprint before = fingerprint(store.root());
  const std::string shown = store.must(purge);
  CHECK(has(shown, "snapshot " + two + ": other.bin"));
  CHECK(has(shown, "nothing was changed"));
  CHECK_FALSE(has(shown, one));
  CHECK(difference(before, fingerprint(store.root())) == "");

  Arguments yes = purge;
  yes.emplace_back("--yes");
  store.must(yes);
  for (const auto& [name, content] : contents(store.root())) {
    INFO(name);
    CHECK(content.find(kOther.substr(1000, 1000)) == std::string::npos);
  }
  const Path record = store.root() / "objects" / "tombstones" / (digest + ".json");
  CHECK(schema_mistakes("tombstone", record) == "");
  const Json tombstone = read_json(record);
  CHECK(tombstone.at("reason") == "asked to be forgotten");
  CHECK(tombstone.at("bytes") == kOther.size());
  CHECK(tombstone.at("needed_by") == Json::array({"snapshot " + two}));

  store.must({"snapshot", "verify", one});
  const ProgramOutput verified = store.run({"snapshot", "verify", two});
  CHECK(verified.status.code == 1);
  CHECK(has(verified.out, "incomplete by purge: 1 file"));
  CHECK(has(verified.out, "other.bin"));
  CHECK(has(verified.out, "asked to be forgotten"));
  CHECK(verified.err == "");
  const std::string whole = store.must({"store", "verify"});
  CHECK(has(whole, "1 file incomplete by purge"));
  store.must({"store", "fsck", "--deep"});
  store.must({"store", "gc", "--apply-now"});

  CHECK(store.run({"snapshot", "cat", two, "other.bin"}).status.code != 0);
  CHECK(store.run({"snapshot", "cat", two, "again/shared.bin"}).out == kShared);
  const ProgramOutput again = store.run({"snapshot", "create", folders.two.string()});
  CHECK(again.status.code == 2);
  CHECK(has(again.err, "purged"));
}

TEST_CASE("A purge that was interrupted is completed by the next one") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  snapshot_of(store, folders.two);
  const Path packs = store.root() / "objects" / "packs";
  const auto before = contents(packs);
  const std::string digest = sha256(kOther).hex();
  const Arguments purge = {"store", "purge", "--sha256", digest, "--reason", "why not"};
  Arguments yes = purge;
  yes.emplace_back("--yes");
  store.must(yes);
  // As if it had ended before it removed the old packs.
  for (const auto& [name, content] : before) store.temp().write("store/objects/packs/" + name, content);

  CHECK(has(store.must(purge), "purged already"));
  CHECK(store.json(purge).at("purged_before").is_string());
  CHECK(has(store.must(yes), "purged " + digest));
  for (const auto& [name, content] : contents(store.root())) {
    INFO(name);
    CHECK(content.find(kOther.substr(1000, 1000)) == std::string::npos);
  }
  store.must(yes);
  store.must({"store", "fsck", "--deep"});
}

TEST_CASE("Damage is named by what needs the damaged file") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  store.add("counts");
  const std::string one = snapshot_of(store, folders.one);
  const std::string two = snapshot_of(store, folders.two);
  store.must({"store", "fsck", "--deep"});
  damage(store, kBig.substr(350'000, 1'000));

  const ProgramOutput found = store.run({"store", "fsck", "--deep"});
  INFO(found.err);
  CHECK(found.status.code == 3);
  CHECK(has(found.out, "the store is damaged"));
  CHECK(has(found.err, "snapshot " + one + ": big.bin"));
  CHECK_FALSE(has(found.err, two));
  CHECK_FALSE(has(found.err, "counts"));
  const ProgramOutput verified = store.run({"store", "verify"});
  CHECK(verified.status.code == 3);
  CHECK(has(verified.err, "snapshot " + one + ": big.bin"));
  CHECK(store.run({"snapshot", "verify", one}).status.code == 3);
  store.must({"snapshot", "verify", two});

  const Json repaired = Json::parse(store.run({"store", "fsck", "--deep", "--repair", "--json"}).out);
  REQUIRE(repaired.at("repair").at("lost").size() >= 1);
  const Path quarantine = repaired.at("repair").at("quarantine").get<std::string>();
  CHECK(is_there(quarantine / repaired.at("repair").at("lost")[0].get<std::string>()));
  CHECK(repaired.at("sound") == false);
  CHECK(has(repaired.at("needs").dump(), "snapshot " + one + ": big.bin"));

  // The folder is still there, so the store can have its file back.
  CHECK(snapshot_of(store, folders.one) == one);
  store.must({"store", "fsck", "--deep"});
  store.must({"snapshot", "verify", one});
}

TEST_CASE("A version whose file is damaged is named by its number and path") {
  const TestStore store;
  store.temp().write("data/x.csv", "1,2\n");
  store.add("counts");
  const Json version = store.json({"package", "show", "counts@1.0"});
  // All that is in the store is the package, so the middle of its largest pack is the package's library.
  std::string largest;
  for (const auto& [name, content] : contents(store.root() / "objects" / "packs")) {
    if (content.size() > largest.size()) largest = content;
  }
  damage(store, largest.substr(largest.size() / 2, 64));
  const ProgramOutput found = store.run({"store", "fsck", "--deep"});
  CHECK(found.status.code == 3);
  CHECK(has(found.err, "version counts@1.0: "));
}

TEST_CASE("An index that was lost is made anew from the packs") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  store.add("counts");
  for (const auto& [name, content] : contents(store.root() / "objects" / "index"))
    boost::filesystem::remove(store.root() / "objects" / "index" / name);
  CHECK(store.run({"snapshot", "verify", one}).status.code == 3);
  CHECK(store.run({"store", "gc", "--apply-now"}).status.code == 3);
  const ProgramOutput found = store.run({"store", "fsck"});
  CHECK(found.status.code == 3);
  CHECK(has(found.out, "no index names"));
  store.must({"store", "fsck", "--repair"});
  store.must({"store", "fsck", "--deep"});
  store.must({"snapshot", "verify", one});
  store.must({"store", "verify"});
}

TEST_CASE("An index that is garbage keeps everything else from working, but not its repair") {
  const TwoFolders folders;
  const TestStore& store = folders.store;
  const std::string one = snapshot_of(store, folders.one);
  for (const auto& [name, content] : contents(store.root() / "objects" / "index")) {
    boost::filesystem::remove(store.root() / "objects" / "index" / name);
    store.temp().write("store/objects/index/" + name, "garbage");
  }
  const ProgramOutput verified = store.run({"snapshot", "verify", one});
  CHECK(verified.status.code == 3);
  CHECK(has(verified.err, "fsck"));
  CHECK(store.run({"store", "fsck"}).status.code == 3);
  store.must({"store", "fsck", "--repair"});
  store.must({"snapshot", "verify", one});
  store.must({"store", "fsck", "--deep"});
}

TEST_CASE("A sample reads a part, the same one for the same seed") {
  const TestStore store;
  for (int n = 0; n < 200; ++n)
    store.temp().write("data/" + std::to_string(n), noise(100, 77U + static_cast<unsigned>(n)));
  const std::string id = snapshot_of(store, store.temp().path() / "data");
  const auto read = [&](const std::string& share, const std::string& seed) {
    return store.json({"store", "verify", "--sample", share, "--seed", seed}).at("objects").get<int>();
  };
  CHECK(store.json({"store", "verify"}).at("objects") == 201);
  CHECK(read("100%", "1") == 201);
  CHECK(read("10%", "1") > 2);
  CHECK(read("10%", "1") < 60);
  CHECK(read("10%", "7") == read("10%", "7"));
  CHECK(read("0.0001%", "1") == 1);
  CHECK(has(store.must({"snapshot", "verify", id, "--sample", "10%"}), "with --seed "));
}

TEST_CASE("A purge takes the copies in the folders of runs too") {
  TestStore store;
  store.add("counts");
  store.temp().write("data/x.csv", "1,2\n");
  const EndedRun run = store.train("counts", store.temp().path() / "data");
  const Path report = run.folder / "artifacts" / "report.txt";
  const Arguments purge = {"store", "purge", "--sha256", sha256(read_text(report)).hex(), "--reason", "why not"};
  CHECK(has(store.must(purge), report.string()));
  CHECK(is_there(report));
  Arguments yes = purge;
  yes.emplace_back("--yes");
  store.must(yes);
  CHECK_FALSE(is_there(report));
  store.must({"store", "verify"});
}

}  // namespace trainyard::store_damage_test
