// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/remote_contract.hpp"

// Who may make a version visible, and what that does.
namespace trainyard::remote_contract {

namespace {

const PackageVersion kFirst{1, 0};
constexpr std::chrono::seconds kTooLong = kClaimHolds + std::chrono::minutes(1);

void gives_the_right_to_one(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const PublicationClaim adas = claim_of(1, place.now());
  const PublicationClaim bobs = claim_of(2, place.now());
  CHECK_FALSE(must(ada->claimed(digits, kFirst)));
  CHECK_FALSE(must(ada->claim(digits, kFirst, adas)));
  CHECK_FALSE(must(ada->claim(digits, kFirst, adas)));
  for (int i = 0; i < 2; ++i) {
    const auto holder = must(bob->claim(digits, kFirst, bobs));
    REQUIRE(holder);
    CHECK(holder->publication == adas.publication);
    CHECK(holder->record == adas.record);
    CHECK(holder->publisher == adas.publisher);
  }
  CHECK(must(bob->claimed(digits, kFirst))->publication == adas.publication);
  CHECK_FALSE(must(bob->claim(digits, {1, 1}, bobs)));
  must(bob->release(digits, kFirst, bobs.publication));
  CHECK(must(bob->claimed(digits, kFirst))->publication == adas.publication);
  must(ada->release(digits, kFirst, adas.publication));
  must(ada->release(digits, kFirst, adas.publication));
  CHECK_FALSE(must(ada->claimed(digits, kFirst)));
  CHECK_FALSE(must(bob->claim(digits, kFirst, bobs)));
  CHECK(must(ada->claim(digits, kFirst, adas))->publication == bobs.publication);
}

void gives_the_right_back_to_whoever_comes_again(RemotePlace& place) {
  const PackageName digits = package_named("digits");
  const PublicationClaim adas = claim_of(1, place.now());
  CHECK_FALSE(must(place.open()->claim(digits, kFirst, adas)));
  const auto again = place.open();  // after a crash, with what the journal of the store remembers
  CHECK_FALSE(must(again->claim(digits, kFirst, adas)));
  const Content content = Content::of("weights");
  must(put_content(*again, digits, content));
  must(again->publish(digits, kFirst, content.descriptor(), adas.publication));
  must(again->release(digits, kFirst, adas.publication));
  CHECK_FALSE(must(again->claimed(digits, kFirst)));
}

void takes_over_what_was_held_too_long(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const Content adas = Content::of("ada's");
  const Content bobs = Content::of("bob's");
  must(put_content(*ada, digits, adas));
  must(put_content(*bob, digits, bobs));
  REQUIRE_FALSE(must(ada->claim(digits, kFirst, claim_of(1, place.now()))));
  place.pass(kTooLong);
  REQUIRE_FALSE(must(bob->claim(digits, kFirst, claim_of(2, place.now()))));
  CHECK(must(ada->claimed(digits, kFirst))->publication == claim_of(2, {}).publication);
  // Whoever lost the right makes nothing visible, and takes nothing from whoever has it.
  CHECK_FALSE(ada->publish(digits, kFirst, adas.descriptor(), claim_of(1, {}).publication).ok());
  CHECK_FALSE(found(*bob, digits, kFirst));
  must(ada->release(digits, kFirst, claim_of(1, {}).publication));
  CHECK(must(ada->claimed(digits, kFirst))->publication == claim_of(2, {}).publication);
  must(bob->publish(digits, kFirst, bobs.descriptor(), claim_of(2, {}).publication));
  CHECK(found(*ada, digits, kFirst) == bobs.descriptor().digest);
}

void claims_anew_what_it_held_too_long(RemotePlace& place) {
  const auto ada = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("weights");
  must(put_content(*ada, digits, content));
  REQUIRE_FALSE(must(ada->claim(digits, kFirst, claim_of(1, place.now()))));
  place.pass(kTooLong);
  const PublicationClaim again = claim_of(1, place.now());
  REQUIRE_FALSE(must(ada->claim(digits, kFirst, again)));
  must(ada->publish(digits, kFirst, content.descriptor(), again.publication));
  must(ada->release(digits, kFirst, again.publication));
  CHECK_FALSE(must(place.open()->claimed(digits, kFirst)));
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
  REQUIRE_FALSE(must(ada->claim(digits, kFirst, adas)));
  must(ada->publish(digits, kFirst, content.descriptor(), adas.publication));
  must(ada->publish(digits, kFirst, content.descriptor(), adas.publication));
  must(ada->release(digits, kFirst, adas.publication));
  const PublicationClaim bobs = claim_of(2, place.now());
  REQUIRE_FALSE(must(bob->claim(digits, kFirst, bobs)));
  CHECK(code_of(bob->publish(digits, kFirst, other.descriptor(), bobs.publication)) == Errc::exists);
  must(bob->publish(digits, kFirst, content.descriptor(), bobs.publication));
  CHECK(found(*bob, digits, kFirst) == content.descriptor().digest);
}

void takes_back_only_its_own(RemotePlace& place) {
  const auto ada = place.open();
  const auto bob = place.open();
  const PackageName digits = package_named("digits");
  const Content content = Content::of("ada's");
  const Content other = Content::of("bob's");
  publish_whole(place, *ada, digits, kFirst, content, 1);
  must(put_content(*bob, digits, other));
  const PublicationClaim bobs = claim_of(2, place.now());
  REQUIRE_FALSE(must(bob->claim(digits, kFirst, bobs)));
  static_cast<void>(bob->withdraw(digits, kFirst, other.descriptor(), bobs.publication));
  CHECK(found(*bob, digits, kFirst) == content.descriptor().digest);
  must(bob->release(digits, kFirst, bobs.publication));

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
  CHECK(must(bob->versions(digits)) == std::vector<PackageVersion>{kFirst});
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
