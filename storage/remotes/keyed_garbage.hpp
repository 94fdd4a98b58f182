// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "storage/remotes/keyed_package.hpp"

namespace trainyard {

// One look for the garbage of one package in a key store.
class KeyedGarbage {
 public:
  KeyedGarbage(KeyStore& store, const PackageKeys& keys, std::function<Instant()> clock,
               std::chrono::seconds older_than, Instant now);

  Result<RemoteGarbage> collect(Garbage what);

 private:
  struct Sweep {
    std::vector<KeyEntry> blobs;
    std::vector<std::string> attachments;  // of what is not visible any more
    std::vector<std::string> claims;
  };

  // Keeps publishers away, or is `unavailable`.
  Result<void> begin();
  Result<void> check_still_ours();
  Result<void> end();
  // Looks only. Nothing is found where anything that is visible cannot be read.
  Result<Sweep> find();
  // What is stale; `unavailable` when a claim is not.
  Result<std::vector<std::string>> stale_claims();
  // The blobs that a manifest needs, itself among them.
  Result<void> mark(const Digest& manifest);
  Result<std::vector<std::string>> mark_attachments();
  Result<void> remove(const Sweep& sweep);

  [[nodiscard]] Instant now() const;  // by the clock, beginning with the time that was told

  KeyStore& store_;
  PackageKeys keys_;
  std::function<Instant()> clock_;
  Instant began_;      // by the clock
  Instant told_now_;   // by the caller
  Instant old_;        // what was modified before is old enough
  std::string own_;    // the name of this collection
  Instant last_said_;  // that it is still at work
  std::set<Digest> visible_;
  std::set<Digest> needed_;
};

}  // namespace trainyard
