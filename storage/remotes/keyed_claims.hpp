// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "storage/remotes/keyed_package.hpp"

namespace trainyard {

// The claims on versions of packages in a key store, and who may collect garbage there. Both sides write first and look
// afterwards, so a publisher and a collector never miss each other: one of them gives way, or both.
class KeyedClaims {
 public:
  KeyedClaims(KeyStore& store, std::function<Instant()> now) : store_(store), now_(std::move(now)) {}

  Result<std::optional<PublicationClaim>> claim(const PackageKeys& keys, const PackageVersion& version,
                                                const PublicationClaim& mine);
  Result<std::optional<PublicationClaim>> claimed(const PackageKeys& keys, const PackageVersion& version);
  Result<void> release(const PackageKeys& keys, const PackageVersion& version, const std::string& publication);
  // The claim, when it is this publication's and has not outlived kClaimHolds by the clock of its publisher; else
  // `unavailable`.
  Result<PublicationClaim> held(const PackageKeys& keys, const PackageVersion& version, const std::string& publication);
  // `unavailable` while somebody collects garbage.
  Result<void> check_nobody_collects(const PackageKeys& keys);

 private:
  // Puts a claim there; whose it is, where it is somebody else's.
  Result<std::optional<PublicationClaim>> take(const PackageKeys& keys, const PackageVersion& version,
                                               const PublicationClaim& mine);

  KeyStore& store_;
  std::function<Instant()> now_;
};

}  // namespace trainyard
