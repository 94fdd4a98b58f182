// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "runner/core/job_spec.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// A dataset made ready for one job.
struct MountedDataset {
  MountKind kind = MountKind::copy;
  // The folder whose files are exactly what the code will see: hash this one. For an overlay it is the user's own
  // folder, which may change under the job; for the others it is private.
  Path visible;
  // What the worker has to mount before it starts the code; none when the data already lies at the target.
  std::optional<OverlayMount> overlay;
};

// Presents a dataset folder to a job so that the job sees its files, can write below the folder, and can change nothing
// of the user's. Stateless; thread-safe.
class DatasetMount {
 public:
  DatasetMount() = default;
  DatasetMount(const DatasetMount&) = delete;
  DatasetMount& operator=(const DatasetMount&) = delete;
  virtual ~DatasetMount() = default;

  // `dataset` is the user's folder. `target` is where the code will find it: an empty folder that exists. `layer` is an
  // empty folder of the run, on the file system of `target`, for whatever the mount needs. Nothing outside these two is
  // written; after an error they may hold a part, which is the caller's to remove.
  //
  // Errors: not_found when there is no dataset; invalid when it is not a folder, contains the run's own folders, or
  // cannot be presented this way; each names the path.
  virtual Result<MountedDataset> prepare(const Path& dataset, const Path& target, const Path& layer) = 0;
};

}  // namespace trainyard
