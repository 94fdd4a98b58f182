// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/engine/share_sending.hpp"
#include "storage/remotes/pending_publications.hpp"

namespace trainyard {

struct PublishWish {
  std::vector<RemoteTarget> targets;  // one at least
  std::optional<VersionLabel> label = {};
  enum class Data { left_out, included } data = Data::left_out;
  std::optional<Path> capsule = {};  // a file that is attached
  SendOptions sending = {};
};

struct PublishedAt {
  std::string remote;
  std::string address;
  enum class State { published, was_there } state = State::published;
  OciDescriptor manifest;
};

struct PublishReport {
  std::vector<PublishedAt> places;
  std::uint64_t sent = 0;                 // bytes, to all places together
  std::vector<std::string> missing = {};  // sentences: what is not published because the store has it no more
};

// Who publishes, and when.
struct Publisher {
  std::string name;  // "ada on host7"
  std::function<Instant()> now;
};

// Publishes a version with its whole lineage: on all targets or on none, but for those where it is already. Content goes
// first; then the right to make it visible is taken on every target; and only then it becomes visible, one target after
// another. What fails on the way is taken back. `exists` when a target has another version under that name and number.
//
// A process that is killed leaves either nothing visible, or a pending publication in the store (store/publications),
// with which finish_publications goes on.
Result<PublishReport> publish_version(const VersionRecord& version, const PublishWish& wish, const Store& store,
                                      const Publisher& publisher);

// The same for what another remote has: the very same bytes, with everything that is attached to it.
Result<PublishReport> promote_version(const PackageName& package, const PackageVersion& version,
                                      const RemoteTarget& from, const PublishWish& wish, const Store& store,
                                      const Publisher& publisher);

// Goes on with what dead processes left. Yields a sentence about each.
using OpenRemote = std::function<Result<std::shared_ptr<Remote>>(const std::string& address)>;
Result<std::vector<std::string>> finish_publications(const Store& store, const Publisher& publisher,
                                                     const OpenRemote& open);

// Of what a remote shows. `not_found` names what is near, `corrupt` for what is no publication of that version.
struct FoundPublication {
  OciDescriptor manifest;
  std::string text;  // of the manifest
  PublishedVersion publication;
};
Result<FoundPublication> find_publication(Remote& remote, const PackageReference& reference);

}  // namespace trainyard
