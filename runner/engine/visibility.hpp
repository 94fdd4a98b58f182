// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/engine/publishing.hpp"

namespace trainyard {

// What is ready on all targets, and not visible yet.
struct ReadyPublication {
  PackageName package;
  PackageVersion version;
  Digest record;
  OciDescriptor manifest;
};

// Makes it visible on all targets or on none. `is_whole` is asked for each target once nobody can take anything away any
// more: whether everything is there. Where somebody else is about to do the same, it waits for him: yields those targets
// on which it was he who did it.
Result<std::vector<std::string>> make_visible(const ReadyPublication& ready, std::vector<RemoteTarget> targets,
                                              const std::function<Result<void>(Remote& remote)>& is_whole,
                                              const std::function<bool()>& cancelled, const Store& store,
                                              const Publisher& publisher);

// A version that a target shows, if it shows it: its manifest where its record is this one, `exists` where it is another.
Result<std::optional<OciDescriptor>> shown_on(const RemoteTarget& target, const PackageName& package,
                                              const PackageVersion& version, const Digest& record);

}  // namespace trainyard
