// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "runner/core/data_source.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

// Whether the store has all files of a tree; else a sentence about what is missing.
Result<std::optional<std::string>> missing_of(const Digest& tree, ObjectStore& objects);

// The content of a user's own folder, by the stat cache where that knows it. Keeps the cache for whoever reads it next.
Result<TreeSummary> read_folder(const Path& folder, RunPorts& ports);

// What lies below the address of a bucket, in the store.
Result<BucketData> read_bucket(const RemoteAddress& address, RunPorts& ports);

// Finds data that a run once read: as the store has it, else where it came from, if it is still the same there. `given` is
// what was named then. The answer is the source, or a sentence about why there is none; what was found in the store stays
// there until a run names it or the store's objects are released.
Result<std::variant<DataSource, std::string>> find_again(const DataSource& source, const std::string& given,
                                                         const TreeSummary& tree, RunPorts& ports);

}  // namespace trainyard
