// SPDX-License-Identifier: Apache-2.0
// A publisher is killed at a moment that chance chooses.
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "tests/endtoend/published_store.hpp"

namespace trainyard::publish_kill_test {
namespace {

// TRAINYARD_KILL_ROUNDS makes it more.
int rounds() {
  const char* const text = std::getenv("TRAINYARD_KILL_ROUNDS");
  return text == nullptr ? 6 : std::atoi(text);
}

// Every blob that what is published needs: by the manifests alone.
std::set<std::string> needed_on(const Path& remote) {
  std::set<std::string> needed;
  const Path package = remote / "counts";
  const auto add = [&](const std::string& digest) {
    needed.insert(digest);
    const Json manifest = read_json(package / "blobs" / "sha256" / digest);
    needed.insert(manifest.at("config").at("digest").get<std::string>().substr(7));
    for (const Json& layer : manifest.at("layers")) needed.insert(layer.at("digest").get<std::string>().substr(7));
  };
  if (!boost::filesystem::exists(package / "versions")) return needed;
  for (const auto& marker : boost::filesystem::directory_iterator(package / "versions")) {
    const std::string digest = read_json(marker.path()).at("manifest").at("digest").get<std::string>().substr(7);
    add(digest);
    const Path attached = package / "attached" / digest;
    if (!boost::filesystem::exists(attached)) continue;
    for (const auto& each : boost::filesystem::directory_iterator(attached)) add(each.path().stem().string());
  }
  return needed;
}

std::uintmax_t bytes_of(const std::map<std::string, std::uintmax_t>& blobs) {
  return std::accumulate(blobs.begin(), blobs.end(), std::uintmax_t{0},
                         [](std::uintmax_t sum, const auto& blob) { return sum + blob.second; });
}

}  // namespace

TEST_CASE("a publisher that is killed leaves a version on all remotes or on none, and what arrived is not sent again") {
  PublishedStore one;
  one.store.temp().write("data/big.bin", noise(4U << 20U, 3));
  one.train("counts@1.2");
  std::mt19937 chance(20261129);  // NOLINT(cert-msc51-cpp): the same moments each time
  for (const char* const name : {"first", "second"}) one.add_remote(name);
  const auto begun = std::chrono::steady_clock::now();
  one.store.must({"publish", "counts@1.3", "--data", "--to", "first", "--to", "second"});
  const auto takes = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  std::uniform_int_distribution<std::int64_t> moment(0, takes.count() * 5 / 4);
  int killed = 0;
  int visible = 0;
  for (int round = 0; round < rounds(); ++round) {
    INFO("round " << round);
    const std::vector<std::string> names = {"left" + std::to_string(round), "right" + std::to_string(round)};
    for (const std::string& name : names) one.add_remote(name);
    const Arguments publish = {"publish", "counts@1.3", "--data", "--to", names[0], "--to", names[1]};
    RunningProgram publisher = one.store.start(publish);
    std::this_thread::sleep_for(std::chrono::microseconds(moment(chance)));
    publisher.signal(SIGKILL);
    if (publisher.wait().status.signal) ++killed;
    // What one process left half visible, the next makes whole.
    one.store.must({"publish", "--resume"});
    const std::string left = shown_on(one.store, names[0]);
    REQUIRE(left == shown_on(one.store, names[1]));
    if (!left.empty()) {
      ++visible;
      for (const std::string& name : names) REQUIRE(one.store.run({"remote", "verify", name}).status.code == 0);
    }
    std::map<std::string, std::uintmax_t> before = blobs_in(one.remote(names[0]));
    const std::uintmax_t arrived = bytes_of(before) + bytes_of(blobs_in(one.remote(names[1])));
    Arguments again = publish;
    const std::uintmax_t sent = one.store.json(again).at("bytes_sent").get<std::uintmax_t>();
    const std::uintmax_t now = bytes_of(blobs_in(one.remote(names[0]))) + bytes_of(blobs_in(one.remote(names[1])));
    REQUIRE(sent + arrived <= now + (64U << 10U));
    for (const std::string& name : names) {
      REQUIRE(shown_on(one.store, name) == "1.3");
      one.store.must({"remote", "gc", name, "--older-than", "0s", "--apply"});
      std::set<std::string> there;
      for (const auto& [digest, bytes] : blobs_in(one.remote(name))) there.insert(digest);
      REQUIRE(there == needed_on(one.remote(name)));
      REQUIRE(one.store.run({"remote", "verify", name}).status.code == 0);
      const auto rest = list_folder(one.remote(name) / "tmp");
      INFO((rest.ok() && !rest->empty() ? rest->front() : std::string()));
      if (rest.ok()) REQUIRE(rest->empty());
      one.store.must({"remote", "remove", name});
      boost::filesystem::remove_all(one.remote(name));
    }
    const auto pending = list_folder(one.store.root() / "publications");
    // Of a publisher who was killed before it had said anything there is a lock, which goes after an hour.
    for (const std::string& name : pending.ok() ? *pending : std::vector<std::string>()) {
      REQUIRE(name.ends_with(".lock"));
      const Path lock = one.store.root() / "publications" / name;
      REQUIRE_FALSE(is_there(Path(lock).replace_extension(".json")));
      boost::filesystem::last_write_time(lock, std::time(nullptr) - 3601);
    }
    one.store.must({"publish", "--resume"});
    const auto later = list_folder(one.store.root() / "publications");
    if (later.ok()) REQUIRE(later->empty());
  }
  WARN("killed " << killed << " publishers in " << rounds() << " rounds; " << visible
                 << " had made the version visible");
  CHECK(killed > 0);
}

}  // namespace trainyard::publish_kill_test
