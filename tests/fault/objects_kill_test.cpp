// SPDX-License-Identifier: Apache-2.0
// Two processes at a time work upon one store of objects, and are killed at a moment that chance chooses.
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "tests/fault/objects_fault_store.hpp"
#include "tests/support/pack_store.hpp"

namespace trainyard::objects_kill_test {

namespace {

// TRAINYARD_KILL_ROUNDS makes it more.
int rounds() {
  const char* const text = std::getenv("TRAINYARD_KILL_ROUNDS");
  return text == nullptr ? 150 : std::atoi(text);
}

class Chance {
 public:
  explicit Chance(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine_); }

 private:
  std::mt19937 engine_;
};

struct Actor {
  std::vector<std::string> words;
  Path told;
  std::optional<Process> process = std::nullopt;
  std::optional<int> code = std::nullopt;
};

const std::vector<std::vector<std::string>> kPairs = {{"put", "put"},     {"put", "sweep"},    {"read", "sweep"},
                                                      {"put", "repair"},  {"read", "repair"},  {"forget", "put"},
                                                      {"sweep", "sweep"}, {"forget", "sweep"}, {"read", "put"}};

}  // namespace

TEST_CASE("processes that are killed at any moment lose nothing that was acknowledged", "[objects_kill]") {
  const ObjectsFaultStore store;
  Chance chance(20'240'517);
  // As long as two of them need when nobody disturbs them.
  const auto begun = std::chrono::steady_clock::now();
  store.run({"put", "first", "1"});
  store.run({"sweep"});
  const auto longest = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
  std::set<std::string> expected = {"first"};  // records that were acknowledged and that nobody tried to remove since
  int killed = 0;
  for (int round = 0; round < rounds(); ++round) {
    std::vector<Actor> actors;
    const auto& pair = kPairs[chance.below(kPairs.size())];
    for (std::size_t i = 0; i < pair.size(); ++i) {
      const std::string name = std::to_string(round) + "-" + std::to_string(i);
      Actor actor{{pair[i]}, store.file("told-" + name)};
      if (pair[i] == "put") actor.words.insert(actor.words.end(), {name, std::to_string(chance.below(8))});
      if (pair[i] == "forget") {
        const auto records = store.records();
        if (records.size() < 4) continue;
        auto victim = records.begin();
        std::advance(victim, chance.below(records.size()));
        actor.words.push_back(*victim);
        expected.erase(*victim);
      }
      actors.push_back(std::move(actor));
    }
    for (Actor& actor : actors) actor.process.emplace(store.start(actor.words, actor.told));
    std::this_thread::sleep_for(std::chrono::microseconds(chance.below(static_cast<std::size_t>(longest.count()))));
    for (Actor& actor : actors) must(actor.process->signal(SIGKILL));
    for (Actor& actor : actors) {
      const auto status = must(actor.process->wait());
      const std::string told = must(read_file(actor.told, 100'000));
      INFO("round " << round << ": " << actor.words[0] << " told: " << told);
      if (status->code) {
        REQUIRE(*status->code == 0);
      } else {
        ++killed;
      }
      if (actor.words[0] == "put" && told == "put " + actor.words[1] + "\n") expected.insert(actor.words[1]);
      REQUIRE(remove_file(actor.told).ok());
    }
    const auto records = store.records();
    for (const std::string& name : expected) {
      INFO("round " << round << ": the record " << name);
      REQUIRE(records.contains(name));
    }
    INFO("round " << round);
    REQUIRE(store.lost_objects() == "");
    if (round % 10 == 9) REQUIRE(store.damage() == "");
  }
  const ActorEnd repaired = store.run({"repair"});
  REQUIRE(repaired.out == "repaired\n");
  REQUIRE(store.damage() == "");
  REQUIRE(store.lost_objects() == "");
  store.run({"sweep"});
  REQUIRE(store.lost_objects() == "");
  REQUIRE(must(list_folder(store.root() / "tmp")).size() <= static_cast<std::size_t>(rounds()));
  std::cout << "killed " << killed << " processes in " << rounds() << " rounds, " << expected.size() << " records left"
            << std::endl;
}

}  // namespace trainyard::objects_kill_test
