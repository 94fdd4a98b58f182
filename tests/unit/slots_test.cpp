// SPDX-License-Identifier: Apache-2.0
#include "runner/core/slots.hpp"

#include <array>
#include <catch2/catch.hpp>

namespace trainyard::slots_test {
namespace {

using Gpus = std::vector<std::uint32_t>;

// Runs that began one after the other: 0 first.
RunId run(int number) {
  const std::array<std::uint8_t, 10> random{};
  return RunId::from(Instant{1'767'225'600'000'000 + number * 1'000'000LL}, random);
}

Ticket waits(int number, std::uint32_t gpus = 0, int priority = 0) { return {run(number), gpus, priority, false, {}}; }

Ticket holds(int number, const Gpus& gpus = {}) {
  return {run(number), static_cast<std::uint32_t>(gpus.size()), 0, true, gpus};
}

}  // namespace

TEST_CASE("a ticket is a file name that sorts as the line goes", "[slots]") {
  const std::string id = run(0).text();
  CHECK(name_of(waits(0, 2, 7)) == "wait.093." + id + ".2");
  CHECK(name_of(waits(0, 0, -100)) == "wait.200." + id + ".0");
  CHECK(name_of(holds(0)) == "hold." + id + ".-");
  CHECK(name_of(holds(0, {0, 12})) == "hold." + id + ".0,12");
  CHECK(name_of(waits(1, 0, 1)) < name_of(waits(0, 9, 0)));
  CHECK(name_of(waits(0)) < name_of(waits(1)));
  for (const Ticket& ticket : {waits(3, 2, -7), waits(3), holds(3), holds(3, {5})})
    CHECK(parse_ticket(name_of(ticket)).value() == ticket);
  for (const std::string& wrong :
       std::vector<std::string>{"lock", "wait.", "hold.", "wait.93.", "hold." + id, "hold." + id + ".",
                                "hold." + id + ".1,", "hold." + id + ".01", "wait.201." + id + ".0",
                                "wait.93." + id + ".0", "wait.093." + id + ".-1", "wait.093.x.0", "hold.x.-"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_ticket(wrong).ok());
  }
}

TEST_CASE("who is given a slot", "[slots]") {
  struct Row {
    const char* what;
    std::vector<Ticket> tickets;
    Ticket mine;
    Slots slots;
    std::variant<Gpus, std::string> answer;  // the GPUs, or why it waits
  };
  const Slots two{2, {}};
  const Slots gpus{1, {0, 1, 2, 3}};
  const Row rows[] = {
      {"nobody else is there", {}, waits(0), two, Gpus{}},
      {"one slot is free", {holds(0)}, waits(1), two, Gpus{}},
      {"its own ticket does not count", {holds(0), waits(1)}, waits(1), two, Gpus{}},
      {"none is free", {holds(0), holds(1)}, waits(2), two, "2 of 2 slots are taken"},
      {"one of one is taken", {holds(0)}, waits(1), {1, {}}, "1 of 1 slot is taken"},
      {"more are held than there are now", {holds(0), holds(1), holds(2)}, waits(3), two, "2 of 2 slots are taken"},
      {"somebody came before",
       {holds(0), waits(1)},
       waits(2),
       two,
       "1 of 2 slots are taken, and 1 run waits before it"},
      {"two came before", {waits(0), waits(1)}, waits(2), two, "0 of 2 slots are taken, and 2 runs wait before it"},
      {"who comes later does not count", {holds(0), waits(2)}, waits(1), two, Gpus{}},
      {"higher priority goes first", {holds(0), waits(1)}, waits(2, 0, 1), two, Gpus{}},
      {"lower priority goes last",
       {holds(0), waits(2)},
       waits(1, 0, -1),
       two,
       "1 of 2 slots are taken, and 1 run waits before it"},
      {"it holds its slot already", {holds(0), holds(1), holds(2)}, holds(2), two, Gpus{}},
      {"GPUs are of another line", {holds(0), holds(1)}, waits(2, 1), gpus, Gpus{0}},
      {"runs with GPUs take no other slot", {holds(0, {0, 1, 2, 3})}, waits(1), gpus, Gpus{}},
      {"the lowest free numbers", {holds(0, {0, 2})}, waits(1, 2), gpus, Gpus{1, 3}},
      {"those before it choose first", {holds(0, {0}), waits(1, 1)}, waits(2, 2), gpus, Gpus{2, 3}},
      {"too few are free", {holds(0, {0, 2})}, waits(1, 3), gpus, "it needs 3 GPUs, and 2 of 4 GPUs are taken"},
      {"nobody overtakes one that needs many",
       {holds(0, {0}), waits(1, 4)},
       waits(2, 1),
       gpus,
       "it needs 1 GPU, and 1 of 4 GPUs are taken, and 1 run waits before it"},
      {"one that waits in vain is in nobody's way", {waits(0, 5)}, waits(1, 4), gpus, Gpus{0, 1, 2, 3}},
      {"a GPU that is gone frees none", {holds(0, {9})}, waits(1, 4), gpus, Gpus{0, 1, 2, 3}},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const SlotAnswer answer = decide_slot(row.tickets, row.mine, row.slots);
    if (const auto* const granted = std::get_if<Gpus>(&row.answer)) {
      REQUIRE(std::holds_alternative<SlotGranted>(answer));
      CHECK(std::get<SlotGranted>(answer).gpus == *granted);
    } else {
      REQUIRE(std::holds_alternative<SlotAwaited>(answer));
      CHECK(std::get<SlotAwaited>(answer).reason == std::get<std::string>(row.answer));
    }
  }
  const SlotAnswer waiting = decide_slot({waits(1), holds(0), holds(5, {1}), waits(9)}, waits(2), {1, {1}});
  CHECK(std::get<SlotAwaited>(waiting).ahead == std::vector<RunId>{run(0), run(1)});
}

TEST_CASE("a run that needs more than there is waits in vain", "[slots]") {
  CHECK(std::get<SlotAwaited>(decide_slot({}, waits(0, 2), {1, {0}})).in_vain);
  CHECK_FALSE(std::get<SlotAwaited>(decide_slot({holds(0, {0})}, waits(1, 1), {1, {0}})).in_vain);
}

TEST_CASE("a line is served in its order, whoever asks when", "[slots]") {
  // Each asks in turn, the last first; who is granted a slot keeps it.
  std::vector<Ticket> tickets;
  for (int i = 0; i < 6; ++i) tickets.push_back(waits(i, i % 2 == 0 ? 0 : 1));
  const Slots slots{2, {4, 7}};
  std::vector<int> served;
  for (int i = 5; i >= 0; --i) {
    const SlotAnswer answer = decide_slot(tickets, tickets[static_cast<std::size_t>(i)], slots);
    if (const auto* const granted = std::get_if<SlotGranted>(&answer)) {
      served.push_back(i);
      tickets[static_cast<std::size_t>(i)].holds = true;
      tickets[static_cast<std::size_t>(i)].held = granted->gpus;
    }
  }
  CHECK(served == std::vector<int>{3, 2, 1, 0});
  CHECK(tickets[1].held == Gpus{4});
  CHECK(tickets[3].held == Gpus{7});
}

}  // namespace trainyard::slots_test
