// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/mount_choice.hpp"

#include <catch2/catch.hpp>

namespace trainyard::mount_choice_test {

namespace {

MountFacts everything_works() { return {true, "", true, std::nullopt, true}; }

MountFacts nothing_works() { return {false, "no such kernel", false, "/data/disk", false}; }

struct Row {
  MountKind wanted;
  MountFacts facts;
  MountKind chosen;
};

MountFacts with(MountFacts facts, void (*change)(MountFacts&)) {
  change(facts);
  return facts;
}

}  // namespace

TEST_CASE("the first of overlay, reflink and copy that works is the best", "[mount]") {
  const auto all = everything_works();
  const auto without_overlay = with(all, [](MountFacts& facts) { facts.overlay_works = false; });
  const auto foreign = with(all, [](MountFacts& facts) { facts.owner_mapped = false; });
  const auto two_disks = with(all, [](MountFacts& facts) { facts.mounted_below = "/data/disk"; });
  const auto foreign_without_reflink = with(foreign, [](MountFacts& facts) { facts.reflink_works = false; });
  const Row rows[] = {{MountKind::best, all, MountKind::overlay},
                      {MountKind::best, without_overlay, MountKind::reflink},
                      {MountKind::best, foreign, MountKind::reflink},
                      {MountKind::best, two_disks, MountKind::reflink},
                      {MountKind::best, foreign_without_reflink, MountKind::copy},
                      {MountKind::best, nothing_works(), MountKind::copy},
                      {MountKind::overlay, all, MountKind::overlay},
                      {MountKind::reflink, all, MountKind::reflink},
                      {MountKind::reflink, without_overlay, MountKind::reflink},
                      {MountKind::copy, all, MountKind::copy},
                      {MountKind::copy, nothing_works(), MountKind::copy}};
  for (const Row& row : rows) {
    INFO("wanted " << name_of(row.wanted) << ", expected " << name_of(row.chosen));
    const auto chosen = choose_mount(row.wanted, row.facts);
    REQUIRE(chosen.ok());
    CHECK(*chosen == row.chosen);
  }
}

TEST_CASE("a mount that is wanted and cannot work is refused with the reason", "[mount]") {
  struct {
    MountKind wanted;
    void (*change)(MountFacts&);
    const char* reason;
  } const rows[] = {
      {MountKind::overlay,
       [](MountFacts& facts) {
         facts.overlay_works = false;
         facts.overlay_why_not = "no such kernel";
       },
       "no such kernel"},
      {MountKind::overlay, [](MountFacts& facts) { facts.mounted_below = "/data/disk"; }, "/data/disk"},
      {MountKind::overlay, [](MountFacts& facts) { facts.owner_mapped = false; }, "belongs to another user"},
      {MountKind::reflink, [](MountFacts& facts) { facts.reflink_works = false; }, "file system with reflinks"},
  };
  for (const auto& row : rows) {
    const auto refused = choose_mount(row.wanted, with(everything_works(), row.change));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Errc::invalid);
    CHECK_THAT(refused.error().message,
               Catch::Contains(std::string(name_of(row.wanted))) && Catch::Contains(row.reason));
  }
}

}  // namespace trainyard::mount_choice_test
