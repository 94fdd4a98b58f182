// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/remote_contract.hpp"

// Who may make a version visible, and what that does.
namespace trainyard::remote_contract {

namespace {

const PackageVersion kOneZero{1, 0};
constexpr std::chrono::seconds kTooLong = kClaimHolds + std::chrono::minutes(1);

void gives_the_right_to_one(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const PublicationClaim adas = claim_of(1, place.now());
  const PublicationClaim bobs = claim_of(2, place.now());
  CHECK_FALSE(must(ada->claimed(digits, kOneZero)));
  CHECK_FALSE(must(ada->claim(digits, kOneZero, adas)));
  CHECK_FALSE(must(ada->claim(digits, kOneZero, adas)));
  for (int i = 0; i < 2; ++i) {
    const auto holder = must(bob->claim(digits, kOneZero, bobs));
    REQUIRE(holder);
    CHECK(holder->publication == adas.publication);
    CHECK(holder->record == adas.record);
    CHECK(holder->publisher == adas.publisher);
  }
  CHECK(must(bob->claimed(digits, kOneZero))->publication == adas.publication);
  CHECK_FALSE(must(bob->claim(digits, {1, 1}, bobs)));
  must(bob->release(digits, kOneZero, bobs.publication));
  CHECK(must(bob->claimed(digits, kOneZero))->publication == adas.publication);
  must(ada->release(digits, kOneZero, adas.publication));
  must(ada->release(digits, kOneZero, adas.publication));
  CHECK_FALSE(must(ada->claimed(digits, kOneZero)));
  CHECK_FALSE(must(bob->claim(digits, kOneZero, bobs)));
  CHECK(must(ada->claim(digits, kOneZero, adas))->publication == bobs.publication);
}

void gives_the_right_back_to_whoever_comes_again(RemotePlace& place) {
  const PackageName digits = package_named("digits");
  const PublicationClaim adas = claim_of(1, place.now());
  CHECK_FALSE(must(place.open()->claim(digits, kOneZero, adas)));
  const auto again = place.open();  // after a crash, with what the journal of the store remembers
  CHECK_FALSE(must(again->claim(digits, kOneZero, adas)));
  const Content content = Content::of("weights");
  must(put_content(*again, digits, content));
  must(again->publish(digits, kOneZero, content.descriptor(), adas.publication));
  must(again->release(digits, kOneZero, adas.publication));
  CHECK_FALSE(must(again->claimed(digits, kOneZero)));
}

void takes_over_what_was_held_too_long(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const Content adas = Content::of("ada's");
  const Content bobs = Content::of("bob's");
  must(put_content(*ada, digits, adas));
  must(put_content(*bob, digits, bobs));
  REQUIRE_FALSE(must(ada->claim(digits, kOneZero, claim_of(1, place.now()))));
  place.pass(kTooLong);
  REQUIRE_FALSE(must(bob->claim(digits, kOneZero, claim_of(2, place.now()))));
  CHECK(must(ada->claimed(digits, kOneZero))->publication == claim_of(2, {}).publication);
  // Whoever lost the right makes nothing visible, and takes nothing from whoever has it.
  CHECK_FALSE(ada->publish(digits, kOneZero, adas.descriptor(), claim_of(1, {}).publication).ok());
  CHECK_FALSE(found(*bob, digits, kOneZero));
  must(ada->release(digits, kOneZero, claim_of(1, {}).publication));
  CHECK(must(ada->claimed(digits, kOneZero))->publication == claim_of(2, {}).publication);
  must(bob->publish(digits, kOneZero, bobs.descriptor(), claim_of(2, {}).publication));
  CHECK(found(*ada, digits, kOneZero) == bobs.descriptor().digest);
}

void claims_anew_what_it_held_too_long(RemotePlace& place) {
  const auto ada = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  must(put_content(*ada, digits, content));
  REQUIRE_FALSE(must(ada->claim(digits, kOneZero, claim_of(1, place.now()))));
  place.pass(kTooLong);
  const PublicationClaim again = claim_of(1, place.now());
  REQUIRE_FALSE(must(ada->claim(digits, kOneZero, again)));
  must(ada->publish(digits, kOneZero, content.descriptor(), again.publication));
  must(ada->release(digits, kOneZero, again.publication));
  CHECK_FALSE(must(place.open()->claimed(digits, kOneZero)));
}

void publishes_once(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("ada's");
  const Content other = Content::of("bob's");
  must(put_content(*ada, digits, content));
  must(put_content(*bob, digits, other));
  const PublicationClaim adas = claim_of(1, place.now());
  REQUIRE_FALSE(must(ada->claim(digits, kOneZero, adas)));
  must(ada->publish(digits, kOneZero, content.descriptor(), adas.publication));
  must(ada->publish(digits, kOneZero, content.descriptor(), adas.publication));
  must(ada->release(digits, kOneZero, adas.publication));
  const PublicationClaim bobs = claim_of(2, place.now());
  REQUIRE_FALSE(must(bob->claim(digits, kOneZero, bobs)));
  CHECK(code_of(bob->publish(digits, kOneZero, other.descriptor(), bobs.publication)) == Errc::exists);
  must(bob->publish(digits, kOneZero, content.descriptor(), bobs.publication));
  CHECK(found(*bob, digits, kOneZero) == content.descriptor().digest);
}

void takes_back_only_its_own(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("ada's");
  const Content other = Content::of("bob's");
  publish_whole(place, *ada, digits, kOneZero, content, 1);
  must(put_content(*bob, digits, other));
  const PublicationClaim bobs = claim_of(2, place.now());
  REQUIRE_FALSE(must(bob->claim(digits, kOneZero, bobs)));
  static_cast<void>(bob->withdraw(digits, kOneZero, other.descriptor(), bobs.publication));
  CHECK(found(*bob, digits, kOneZero) == content.descriptor().digest);
  must(bob->release(digits, kOneZero, bobs.publication));

  const PackageVersion second{1, 1};
  const PublicationClaim adas = claim_of(3, place.now());
  const Content next = Content::of("ada's next");
  must(put_content(*ada, digits, next));
  REQUIRE_FALSE(must(ada->claim(digits, second, adas)));
  must(ada->publish(digits, second, next.descriptor(), adas.publication));
  must(ada->withdraw(digits, second, next.descriptor(), adas.publication));
  must(ada->withdraw(digits, second, next.descriptor(), adas.publication));
  must(ada->release(digits, second, adas.publication));
  CHECK_FALSE(found(*bob, digits, second));
  CHECK(must(bob->versions(digits)) == std::vector<PackageVersion>{kOneZero});
  publish_whole(place, *bob, digits, second, other, 4);
  CHECK(found(*ada, digits, second) == other.descriptor().digest);
}

}  // namespace

std::vector<Promise> promises_about_publishing() {
  return {{"one at a time has the right to publish a version", gives_the_right_to_one},
          {"whoever comes again has the right still", gives_the_right_back_to_whoever_comes_again},
          {"a right that was held too long is taken over", takes_over_what_was_held_too_long},
          {"a right that was held too long can be claimed anew", claims_anew_what_it_held_too_long},
          {"a version is published once", publishes_once},
          {"only what a publication made visible is taken back", takes_back_only_its_own}};
}

}  // namespace trainyard::remote_contract
