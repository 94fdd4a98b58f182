// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/keyed_claims.hpp"

namespace trainyard {

namespace {

constexpr int kTries = 8;

bool outlived(const PublicationClaim& claim, Instant now) {
  return now.microseconds - claim.since.microseconds >= std::chrono::microseconds(kClaimHolds).count();
}

}  // namespace

Result<std::optional<PublicationClaim>> KeyedClaims::take(const PackageKeys& keys, const PackageVersion& version,
                                                          const PublicationClaim& mine) {
  const std::string key = keys.claim(version);
  for (int i = 0; i < kTries; ++i) {
    const auto created = store_.create(key, remote_document(mine));
    if (created.ok()) return std::optional<PublicationClaim>();
    if (created.error().code != Errc::exists) return created.error();
    auto there = TRY(read_document(store_, key, publication_claim_from));
    if (!there) continue;
    if (there->publication == mine.publication && !outlived(*there, now_())) {
      // Nobody takes it over yet, so it may be made to hold longer.
      if (*there != mine) TRY(store_.replace(key, remote_document(mine)));
      return std::optional<PublicationClaim>();
    }
    if (there->publication != mine.publication && !is_stale(there->since, now_())) return there;
    // Two who do this at once may both believe that they have it; `held` tells one of them, and the version itself can be
    // created only once.
    TRY(store_.remove(key));
  }
  return fail(Errc::unavailable,
              "others are claiming " + version.text() + " in " + store_.text() + " at the same time; try again");
}

Result<std::optional<PublicationClaim>> KeyedClaims::claim(const PackageKeys& keys, const PackageVersion& version,
                                                           const PublicationClaim& mine) {
  auto other = TRY(take(keys, version, mine));
  if (other) return other;
  const auto alone = check_nobody_collects(keys);
  if (alone.ok()) return std::optional<PublicationClaim>();
  TRY(release(keys, version, mine.publication));
  return alone.error();
}

Result<std::optional<PublicationClaim>> KeyedClaims::claimed(const PackageKeys& keys, const PackageVersion& version) {
  auto there = TRY(read_document(store_, keys.claim(version), publication_claim_from));
  if (there && is_stale(there->since, now_())) return std::optional<PublicationClaim>();
  return there;
}

Result<void> KeyedClaims::release(const PackageKeys& keys, const PackageVersion& version,
                                  const std::string& publication) {
  const auto there = TRY(read_document(store_, keys.claim(version), publication_claim_from));
  if (!there || there->publication != publication) return {};
  return store_.remove(keys.claim(version));
}

Result<PublicationClaim> KeyedClaims::held(const PackageKeys& keys, const PackageVersion& version,
                                           const std::string& publication) {
  auto there = TRY(read_document(store_, keys.claim(version), publication_claim_from));
  const std::string what = "the claim of this publication on " + version.text() + " in " + store_.text();
  if (!there) return fail(Errc::unavailable, what + " is gone; claim the version again");
  if (there->publication != publication)
    return fail(Errc::unavailable, what + " was taken over by " + there->publisher + " at " +
                                       there->since.short_text() + "; claim the version again");
  if (outlived(*there, now_()))
    return fail(Errc::unavailable,
                what + " is of " + there->since.short_text() + " and holds no longer; claim the version again");
  return std::move(*there);
}

Result<void> KeyedClaims::check_nobody_collects(const PackageKeys& keys) {
  const auto collecting = TRY(read_document(store_, keys.collecting(), collecting_from));
  if (!collecting || is_stale(collecting->since, now_())) return {};
  return fail(Errc::unavailable, "garbage is being removed from '" + keys.all() + "' in " + store_.text() + " since " +
                                     collecting->since.short_text() + "; try again when that is done");
}

}  // namespace trainyard
