// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/overlay_dataset_mount.hpp"

#include "runner/mounts/dataset_folder.hpp"

namespace trainyard {

Result<MountedDataset> OverlayDatasetMount::prepare(const Path& dataset, const Path& target, const Path& layer) {
  const Path lower = TRY(resolve_dataset(dataset));
  TRY(require_outside(lower, target));
  TRY(require_outside(lower, layer));
  if (const auto point = TRY(mounted_below(lower))) {
    return fail(Errc::invalid, "'" + point->string() +
                                   "' is a mount below the dataset, which an overlay would hide; use the mount 'copy'");
  }
  OverlayMount overlay{lower.string(), (layer / "upper").string(), (layer / "work").string(), target.string()};
  TRY(make_folder(overlay.upper));
  TRY(make_folder(overlay.work));
  return MountedDataset{MountKind::overlay, lower, std::move(overlay)};
}

}  // namespace trainyard
