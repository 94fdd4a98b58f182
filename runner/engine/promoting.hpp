// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/engine/found_publication.hpp"
#include "runner/engine/publishing.hpp"

namespace trainyard {

// Publishes what one remote has on another one: the very same bytes, and all that is attached to it, also where the version
// is already. Everything else as publish_version has it.
Result<PublishReport> promote_version(const FoundPublication& found, const RemoteTarget& from, const RemoteTarget& to,
                                      const std::optional<VersionLabel>& label, const SendOptions& options,
                                      const Store& store, const Publisher& publisher);

}  // namespace trainyard
