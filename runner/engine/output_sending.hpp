// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/engine/share_sending.hpp"
#include "storage/values/names.hpp"

// What a run has left, on a remote: for those who look for a run's outputs where others keep theirs.
//
// It is one OCI manifest among the things of the package that ran, with the artifact type
// application/vnd.trainyard.run-outputs.v1:
//
//   config   _results.json of the run, byte for byte
//   layers   artifacts.tar, data.tar, evaluation-data.tar: each a tree as storage/archives/tar_writer.hpp writes it, as far
//            as the run has it; without any, results.json again, since a manifest has at least one layer
//
// and the label run-<id of the run> names it, so that nobody has to remember a digest, and no garbage collection takes it.
// 'trainyard remote show REMOTE PACKAGE' lists it; from a registry, 'oras pull registry/models/digits:run-<id>' fetches the
// tars by their names, and from a bucket or a folder, <package>/labels/run-<id>.json leads to the manifest, and that to
// <package>/blobs/sha256/<hex>. The same run has the same manifest everywhere, and what a remote has is not sent again.
namespace trainyard {

struct SentOutputs {
  std::string label;
  OciDescriptor manifest;
  std::uint64_t sent = 0;                 // bytes that went
  std::vector<std::string> missing = {};  // sentences: what the run had and the store has no more
};

// `not_found` when the run is not over, or was deleted.
Result<SentOutputs> send_outputs(const RunId& run, const RemoteTarget& to, const SendOptions& options,
                                 const Store& store);

}  // namespace trainyard
