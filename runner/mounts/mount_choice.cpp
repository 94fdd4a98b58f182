// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/mount_choice.hpp"

#include "runner/mounts/copy_dataset_mount.hpp"
#include "runner/mounts/overlay_dataset_mount.hpp"
#include "runner/mounts/reflink_dataset_mount.hpp"

namespace trainyard {

namespace {

std::optional<std::string> overlay_obstacle(const MountFacts& facts) {
  if (!facts.overlay_works) return facts.overlay_why_not;
  if (facts.mounted_below) return "it would hide what is mounted at '" + *facts.mounted_below + "'";
  if (!facts.owner_mapped) {
    return "the dataset belongs to another user or group, whose files only root can change in an overlay";
  }
  return std::nullopt;
}

Error cannot(MountKind kind, const std::string& why) {
  return fail(Errc::invalid, "the mount '" + std::string(name_of(kind)) + "' cannot be used: " + why);
}

}  // namespace

Result<MountKind> choose_mount(MountKind wanted, const MountFacts& facts) {
  const auto obstacle = overlay_obstacle(facts);
  if (wanted == MountKind::best) {
    if (!obstacle) return MountKind::overlay;
    return facts.reflink_works ? MountKind::reflink : MountKind::copy;
  }
  if (wanted == MountKind::overlay && obstacle) return cannot(wanted, *obstacle);
  if (wanted == MountKind::reflink && !facts.reflink_works) {
    return cannot(wanted, "the dataset and the run's folder do not lie on one file system with reflinks");
  }
  return wanted;
}

std::unique_ptr<DatasetMount> make_mount(MountKind kind) {
  if (kind == MountKind::overlay) return std::make_unique<OverlayDatasetMount>();
  if (kind == MountKind::reflink) return std::make_unique<ReflinkDatasetMount>();
  return std::make_unique<CopyDatasetMount>();
}

}  // namespace trainyard
