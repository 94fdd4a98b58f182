// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/engine/remote_target.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// Who publishes, and when.
struct Publisher {
  std::string name;  // "ada on host7"
  std::function<Instant()> now;
};

struct PublishedAt {
  std::string remote;
  std::string address;
  enum class State { published, was_there } state = State::published;
  OciDescriptor manifest;
};

// A version that a target shows, if it shows it: its manifest where its record is this one, `exists` where it is another.
Result<std::optional<OciDescriptor>> shown_on(const RemoteTarget& target, const PackageName& package,
                                              const PackageVersion& version, const Digest& record);

// What lies ready on all targets that do not show it yet.
struct ReadyPublication {
  PackageName package;
  PackageVersion version;
  Digest record;
  OciDescriptor manifest;
  std::vector<OciDescriptor> blobs;  // that the manifest names
};

// Makes it visible on all targets or on none. Looks whether every blob is there once nobody can take anything away any
// more. Where somebody else is about to do the same, it waits for him. Yields for each target, in their order, whether it
// was this one who did it. `exists` where another version is shown by then, or about to be.
Result<std::vector<PublishedAt>> make_visible(const ReadyPublication& ready, const std::vector<RemoteTarget>& targets,
                                              const std::function<bool()>& cancelled, const Store& store,
                                              const Publisher& publisher);

// Goes on with what dead processes left. Yields a sentence about each.
using OpenRemote = std::function<Result<std::shared_ptr<Remote>>(const std::string& address)>;
Result<std::vector<std::string>> finish_publications(const Store& store, const Publisher& publisher,
                                                     const OpenRemote& open);

}  // namespace trainyard
