// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/copy_dataset_mount.hpp"

#include <unistd.h>

#include <array>

#include "runner/mounts/copy_tree.hpp"
#include "runner/mounts/dataset_folder.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kAtOnce = std::size_t{1} << 30U;
constexpr std::size_t kBufferBytes = std::size_t{128} << 10U;

Result<void> copy_content(int from, const Path& source, int to, const Path& copy) {
  // Stays in the kernel where it can. Which file systems can differs by kernel, and some end early with success, so the
  // plain way always finishes what is left.
  while (::copy_file_range(from, nullptr, to, nullptr, kAtOnce, 0) > 0) {
  }
  std::array<std::byte, kBufferBytes> buffer;
  for (;;) {
    const std::size_t got = TRY(read_some(from, buffer, source));
    if (got == 0) return {};
    TRY(write_all(to, {reinterpret_cast<const char*>(buffer.data()), got}, copy));
  }
}

}  // namespace

Result<MountedDataset> CopyDatasetMount::prepare(const Path& dataset, const Path& target, const Path& /*layer*/) {
  const Path source = TRY(resolve_dataset(dataset));
  TRY(require_outside(source, target));
  TRY(copy_tree(source, target, copy_content));
  return MountedDataset{MountKind::copy, target, std::nullopt};
}

}  // namespace trainyard
