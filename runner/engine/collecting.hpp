// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/run_plan.hpp"
#include "runner/engine/run_ports.hpp"
#include "runner/engine/secret_leaks.hpp"
#include "storage/runs/run_folder.hpp"

namespace trainyard {

// `package_failed` when a file that the package or the artifacts would keep holds a secret; it names the file.
Result<void> refuse_secrets(const RunPlan& plan, const RunFolder& folder, const SecretForms& secrets);

// Removes what holds a secret from the artifacts, before they are moved, and from the checkpoints.
Result<std::vector<SecretLeak>> remove_secrets(const RunPlan& plan, const RunFolder& folder,
                                               const SecretForms& secrets);

// Moves the artifacts out of the workspace to where they stay. Fine when that was done before, or when there are none.
// `package_failed` when the package has put something else in their place, such as a link.
Result<void> keep_artifacts(const RunPlan& plan, const RunFolder& folder);

// Takes the artifacts of a run, where they stay, into the store as well: durable when this returns, as is everything that
// was put before.
Result<TreeSummary> store_artifacts(const RunFolder& folder, ObjectStore& objects);

// Makes the artifacts anew where they are not what was kept: a power cut takes from a folder what nobody synced. What the
// store cannot give any more stays as it is.
Result<void> restore_artifacts(const RunFolder& folder, const TreeSummary& kept, const Store& store);

// Takes the outputs of a run that succeeded into the store: of one that trains the package folder and its zip's digest, of
// one that evaluates the score, and the artifacts. All of it is durable when this returns. `package_failed` when what the
// package left is no package any more, or cannot be kept.
Result<CollectedOutputs> collect(const RunPlan& plan, const RunFolder& folder, const StagedData& data, RunPorts& ports);

// Makes the new version visible and durable. After an error `published_before` tells whether there is one all the same.
// REQUIRES: the outputs have a package.
Result<VersionRecord> publish(const RunPlan& plan, const RunFolder& folder, const CollectedOutputs& outputs,
                              RunPorts& ports);

// The version that this run made before it was interrupted, if it came so far. It is durable now.
Result<std::optional<VersionRecord>> published_before(const RunPlan& plan, const Store& store);

}  // namespace trainyard
