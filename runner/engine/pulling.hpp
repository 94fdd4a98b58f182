// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runner/engine/publishing.hpp"

namespace trainyard {

struct PullWish {
  PublishWish::Data data = PublishWish::Data::left_out;  // the data of its runs, where that was published too
  // Whether the public keys that were published with it become known keys, so that what they signed counts as signed.
  enum class Keys { only_told, trusted } keys = Keys::only_told;
  // Of bytes that have arrived; from any thread.
  std::function<void(std::uint64_t done, std::uint64_t all)> progress = {};
  std::function<bool()> cancelled = [] { return false; };
};

struct PulledVersion {
  PackageVersion version;
  enum class State { pulled, was_there } state = State::pulled;
};

struct PullReport {
  PackageName package;
  std::vector<PulledVersion> versions;  // the oldest first; the last one is the one that was asked for
  Digest manifest;
  std::uint64_t received = 0;             // bytes
  std::vector<std::string> unknown_keys;  // their ids
  std::vector<std::string> missing = {};  // sentences
};

// Brings a published version with its whole lineage into the store, under the same names and numbers and byte for byte:
// records, content, runs, attestations. Everything is verified before the store shows any of it; what a remote says is
// taken as hostile. `exists` when the store has another version under a name and number of the lineage; nothing is
// changed then. What arrived before an interruption is not fetched again (store/cache/pulls).
Result<PullReport> pull_version(const RemoteTarget& from, const PackageReference& reference, const PullWish& wish,
                                const Store& store, const std::function<Instant()>& now);

}  // namespace trainyard
