// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/packages/decisions.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// Takes a version away, for the reason that the decision tells. `exists` while it is labelled or approved, `unavailable`
// while a run that is not over uses it; the sentence names which. Its content goes with the next collection of garbage,
// as far as nothing else needs it.
Result<void> remove_version(const Store& store, const VersionRecord& version, const Decision& decision);

}  // namespace trainyard
