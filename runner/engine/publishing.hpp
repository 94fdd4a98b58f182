// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/engine/share_sending.hpp"
#include "runner/engine/visibility.hpp"

namespace trainyard {

struct PublishWish {
  std::vector<RemoteTarget> targets;  // one at least
  std::optional<VersionLabel> label = {};
  enum class Data { left_out, included } data = Data::left_out;
  std::optional<Path> capsule = {};  // a file that is attached
  SendOptions sending = {};
};

struct PublishReport {
  std::vector<PublishedAt> places;        // in the order of the targets
  std::uint64_t sent = 0;                 // bytes, to all places together
  std::vector<std::string> missing = {};  // sentences: what is not published because the store has it no more
};

// Publishes a version with its whole lineage: on all targets or on none, but for those where it is already, which get what
// is attached. Content goes first; then the right to make it visible is taken on every target; and only then it becomes
// visible, one target after another. What fails on the way is taken back. `exists` when a target has another version under
// that name and number.
//
// A process that is killed leaves either nothing visible, or a pending publication in the store (store/publications),
// with which finish_publications goes on.
Result<PublishReport> publish_version(const VersionRecord& version, const PublishWish& wish, const Store& store,
                                      const Publisher& publisher);

}  // namespace trainyard
