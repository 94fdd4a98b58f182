// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/pull_folder.hpp"

#include <fcntl.h>

#include "runner/engine/side_by_side.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kPullsAtOnce = 4;
constexpr std::int64_t kForgottenSeconds = std::int64_t{7} * 24 * 60 * 60;

}  // namespace

Result<PullFolder> PullFolder::open(const Path& folder, Remote& remote, const PackageName& package) {
  TRY(make_folders(folder));
  auto lock = TRY(FileLock::try_lock(folder / "lock"));
  if (!lock)
    return fail(Errc::unavailable,
                "another process pulls the same version from '" + remote.text() + "' right now; wait until it is done");
  return PullFolder(folder, std::move(*lock), remote, package);
}

Result<void> PullFolder::remove_forgotten(const Path& folders, Instant now) {
  const auto names = list_folder(folders);
  if (!names.ok()) return names.error().code == Errc::not_found ? Result<void>() : names.error();
  for (const std::string& name : *names) {
    const auto status = TRY(status_of(folders / name));
    if (!status || !S_ISDIR(status->st_mode) ||
        now.microseconds / 1'000'000 - status->st_mtim.tv_sec < kForgottenSeconds)
      continue;
    const auto lock = TRY(FileLock::try_lock(folders / name / "lock"));
    if (lock) TRY(remove_tree(folders / name));
  }
  return {};
}

Result<void> PullFolder::fetch(std::span<const OciDescriptor> blobs, const Progress& progress,
                               const std::function<bool()>& cancelled) {
  std::uint64_t all = 0;
  for (const OciDescriptor& blob : blobs) all += blob.bytes;
  std::atomic<std::uint64_t> done = 0;
  const auto moved = [&](std::uint64_t bytes) {
    done += bytes;
    if (progress) progress(done, all);
  };
  return side_by_side(blobs.size(), kPullsAtOnce, [&](std::size_t which) -> Result<void> {
    if (cancelled()) return fail(Errc::cancelled, "the pull was given up; the store is as it was");
    const OciDescriptor& blob = blobs[which];
    const auto status = TRY(status_of(file_of(blob)));
    if (!status) return fetch_one(blob, moved);
    moved(blob.bytes);
    return {};
  });
}

Result<void> PullFolder::fetch_one(const OciDescriptor& blob, const std::function<void(std::uint64_t)>& moved) {
  const Path growing = scratch_name(folder_, "part");
  const auto receive = [&]() -> Result<void> {
    const UniqueFd fd = TRY(open_file(growing, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    TRY(remote_->get(package_, blob, [&](std::string_view piece) -> Result<void> {
      *received_ += piece.size();
      moved(piece.size());
      return write_all(fd.get(), piece, growing);
    }));
    return rename_path(growing, file_of(blob));
  };
  const auto received = receive();
  if (!received.ok()) static_cast<void>(remove_file(growing));
  return received;
}

Result<Path> PullFolder::make_work_folder(const std::string& name) {
  const Path folder = folder_ / name;
  TRY(remove_tree(folder));
  TRY(make_folder(folder));
  return folder;
}

Result<void> PullFolder::remove() { return remove_tree(folder_); }

}  // namespace trainyard
