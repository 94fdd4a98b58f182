// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/cli/command.hpp"
#include "runner/cli/exit_code.hpp"

namespace trainyard {

// Each does what its command asks for and prints the answer to stdout. An error is for the caller to print.
Result<ExitCode> perform(const command::Init& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Doctor& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Diff& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Reproduce& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageValidate& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackagePack& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageAdd& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageShow& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageLabel& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageUnlabel& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageApprove& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageReject& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageDelete& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageExport& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PackageImport& command, const Invocation& invocation);
Result<ExitCode> perform(const command::DatasetAdd& command, const Invocation& invocation);
Result<ExitCode> perform(const command::DatasetList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::DatasetShow& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunTraining& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunEvaluation& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunFull& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Sweep& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SweepsList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SweepsShow& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsStop& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsSend& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsDelete& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsRerun& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsCompare& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsMetrics& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsShow& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsLogs& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RunsArtifacts& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotCreate& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotCheckout& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotVerify& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotDiff& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotCat& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotExport& command, const Invocation& invocation);
Result<ExitCode> perform(const command::SnapshotRemove& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Audit& command, const Invocation& invocation);
Result<ExitCode> perform(const command::JournalList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::JournalVerify& command, const Invocation& invocation);
Result<ExitCode> perform(const command::JournalHead& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Uses& command, const Invocation& invocation);
Result<ExitCode> perform(const command::ProofRoot& command, const Invocation& invocation);
Result<ExitCode> perform(const command::ProofMake& command, const Invocation& invocation);
Result<ExitCode> perform(const command::ProofVerify& command, const Invocation& invocation);
Result<ExitCode> perform(const command::StoreConfigure& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PlansList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PlansSet& command, const Invocation& invocation);
Result<ExitCode> perform(const command::PlansRemove& command, const Invocation& invocation);
Result<ExitCode> perform(const command::StoreDu& command, const Invocation& invocation);
Result<ExitCode> perform(const command::StoreVerify& command, const Invocation& invocation);
Result<ExitCode> perform(const command::StoreFsck& command, const Invocation& invocation);
Result<ExitCode> perform(const command::StoreGc& command, const Invocation& invocation);
Result<ExitCode> perform(const command::StorePurge& command, const Invocation& invocation);
Result<ExitCode> perform(const command::KeysGenerate& command, const Invocation& invocation);
Result<ExitCode> perform(const command::KeysList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::KeysExport& command, const Invocation& invocation);
Result<ExitCode> perform(const command::KeysImport& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Sign& command, const Invocation& invocation);
Result<ExitCode> perform(const command::ShowAttestations& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Trace& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Capsule& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RemoteAdd& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RemoteRemove& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RemoteLists& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RemoteShow& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RemoteVerify& command, const Invocation& invocation);
Result<ExitCode> perform(const command::RemoteCollect& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Publish& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Pull& command, const Invocation& invocation);
Result<ExitCode> perform(const command::Promote& command, const Invocation& invocation);
Result<ExitCode> perform(const command::ExportArgo& command, const Invocation& invocation);
Result<ExitCode> perform(const command::OutboxList& command, const Invocation& invocation);
Result<ExitCode> perform(const command::OutboxDeliver& command, const Invocation& invocation);

}  // namespace trainyard
