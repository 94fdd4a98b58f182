// SPDX-License-Identifier: Apache-2.0
// Two commands at a time work upon one store, and are killed at a moment that chance chooses.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "storage/trees/capture.hpp"
#include "tests/fault/fault_checks.hpp"

namespace trainyard::random_kill_test {

namespace {

// TRAINYARD_KILL_ROUNDS makes it more.
int rounds() {
  const char* const text = std::getenv("TRAINYARD_KILL_ROUNDS");
  return text == nullptr ? 60 : std::atoi(text);
}

class RandomKills {
 public:
  RandomKills() {
    for (const char* const name : {"a", "b"}) change(name);
    for (const char* const name : {"a", "b"}) REQUIRE(store_.run({"snapshot", "create", data(name)}).code == 0);
    note_acknowledged();
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(store_.run({"store", "gc", "--apply-now"}).code == 0);
    longest_ = 2 * std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  }

  void round(int number) {
    std::vector<std::vector<std::string>> commands = {any_command(number, "a"), any_command(number, "b")};
    std::vector<Process> processes;
    for (std::size_t i = 0; i < commands.size(); ++i) processes.push_back(store_.start(commands[i], told(i)));
    std::this_thread::sleep_for(std::chrono::microseconds(below(static_cast<std::size_t>(longest_.count()))));
    for (std::size_t i = 0; i < commands.size(); ++i) {
      REQUIRE(processes[i].signal(SIGKILL).ok());
      const auto status = processes[i].wait();
      REQUIRE(status.ok());
      const std::string said = read_file(told(i), 100'000).value();
      INFO("round " << number << ": " << commands[i][0] << " " << commands[i][1] << " told: " << said);
      if ((*status)->signal) ++killed_;
      if ((*status)->code) REQUIRE(*(*status)->code == 0);
      const std::size_t id = said.find("as snapshot ");
      if (id != std::string::npos) kept_.insert(said.substr(id + 12, 64));
    }
    INFO("round " << number);
    for (const std::string& id : kept_) REQUIRE(store_.run({"snapshot", "verify", id}).code == 0);
    // A checkout is there whole or not at all.
    for (const auto& [folder, id] : checkouts_) {
      if (!is_there(folder)) continue;
      REQUIRE(capture(folder, {})->tree.digest().hex() == id);
      REQUIRE(remove_tree(folder).ok());
    }
    checkouts_.clear();
    if (number % 10 == 9) require_promises(store_);
  }

  void end() {
    REQUIRE(store_.run({"store", "fsck", "--deep", "--repair"}).code == 0);
    REQUIRE(store_.run({"store", "gc", "--apply-now"}).code == 0);
    for (const std::string& id : kept_) REQUIRE(store_.run({"snapshot", "verify", id}).code == 0);
    require_promises(store_);
    std::cout << "killed " << killed_ << " commands in " << rounds() << " rounds, " << kept_.size() << " snapshots left"
              << std::endl;
  }

 private:
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
  [[nodiscard]] std::string data(const std::string& name) const { return (files_.path() / name).string(); }
  [[nodiscard]] Path told(std::size_t i) const { return files_.path() / ("told-" + std::to_string(i)); }

  // Some new bytes, some that shrink, some that were there before.
  void change(const std::string& name) {
    for (int i = 0; i < 6; ++i) {
      std::string bytes(200 + below(60'000), 'x');
      for (std::size_t at = 0; at < bytes.size(); at += 1 + below(50)) bytes[at] = static_cast<char>(random_());
      files_.write(name + "/file-" + std::to_string(below(12)), bytes);
    }
    if (below(4) == 0)
      files_.write(name + "/large", std::string(1'500'000 + below(1'000'000), static_cast<char>(random_())));
  }

  void note_acknowledged() {
    const CommandEnd listed = store_.run({"snapshot", "list", "--json"});
    REQUIRE(listed.code == 0);
    for (const Json& snapshot : Json::parse(listed.out))
      kept_.insert(snapshot.at("tree").at("digest").get<std::string>());
  }

  std::vector<std::string> any_command(int number, const std::string& name) {
    switch (below(6)) {
      case 0: return {"store", "gc", "--apply-now"};
      case 1: return {"store", "fsck", "--repair"};
      case 2: {
        const auto id = std::next(kept_.begin(), static_cast<std::ptrdiff_t>(below(kept_.size())));
        const Path folder = files_.path() / ("out-" + std::to_string(number) + name);
        checkouts_.emplace_back(folder, *id);
        return {"snapshot", "checkout", *id, folder.string()};
      }
      case 3: {
        if (kept_.size() < 4) break;
        // The other command may be about to read the one that came last.
        const std::string id = *kept_.begin();
        const bool read =
            std::any_of(checkouts_.begin(), checkouts_.end(), [&](const auto& each) { return each.second == id; });
        if (read) break;
        kept_.erase(kept_.begin());
        return {"snapshot", "remove", id};
      }
      default: break;
    }
    change(name);
    return {"snapshot", "create", data(name)};
  }

  TempFolder files_;
  FaultStore store_{FaultStore::fresh()};
  std::mt19937 random_{20'240'518};  // NOLINT(cert-msc51-cpp): the same choices every time
  std::chrono::microseconds longest_{0};
  std::set<std::string> kept_;  // snapshots that were acknowledged and that nobody tried to remove since
  std::vector<std::pair<Path, std::string>> checkouts_;
  int killed_ = 0;
};

}  // namespace

TEST_CASE("commands that are killed at any moment lose nothing that was acknowledged", "[random_kill]") {
  RandomKills kills;
  for (int round = 0; round < rounds(); ++round) kills.round(round);
  kills.end();
}

}  // namespace trainyard::random_kill_test
