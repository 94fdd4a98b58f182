// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/overlay_probe.hpp"

#include <fcntl.h>

#include <cstdio>

#include "runner/worker/private_overlay.hpp"

namespace trainyard {

namespace {

Result<MappedIds> probe(const Path& lower, const Path& scratch) {
  const MappedIds ids = mapped_ids();
  const OverlayMount overlay{lower.string(), (scratch / "upper").string(), (scratch / "work").string(),
                             (scratch / "target").string()};
  for (const std::string& folder : {overlay.upper, overlay.work, overlay.target}) TRY(make_folder(folder));
  TRY(enter_private_overlays({overlay}));
  // Each of these asks the file system of the layer for something else: a file, a rename with a whiteout behind it, a
  // removal.
  const Path first = scratch_name(overlay.target, "probe");
  const Path second = scratch_name(overlay.target, "probe");
  TRY(open_file(first, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(rename_path(first, second));
  TRY(remove_file(second));
  TRY(make_folder(first));
  TRY(remove_tree(first));
  return ids;
}

}  // namespace

int run_overlay_probe(const Path& lower, const Path& scratch) {
  const auto ids = probe(lower, scratch);
  if (!ids.ok()) {
    std::fprintf(stderr, "%s\n", ids.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", std::string(name_of(*ids)).c_str());
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace trainyard
