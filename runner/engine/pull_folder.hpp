// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "storage/objects/pack_objects.hpp"
#include "storage/remotes/remote.hpp"
#include "storage/values/instant.hpp"

namespace trainyard {

// Where the blobs of one publication arrive: each a file that has its name only when it is whole and right, so that a pull
// that was interrupted goes on with what is there. One process at a time.
class PullFolder {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

  // `unavailable` while another process pulls the same.
  static Result<PullFolder> open(const Path& folder, Remote& remote, const PackageName& package);

  // Removes the folders among these that nobody has gone on with for a week.
  static Result<void> remove_forgotten(const Path& folders, Instant now);

  // Fetches what is not there, several at a time.
  Result<void> fetch(std::span<const OciDescriptor> blobs, const Progress& progress,
                     const std::function<bool()>& cancelled);
  [[nodiscard]] Path file_of(const OciDescriptor& blob) const { return folder_ / blob.digest.hex(); }
  // An empty folder in it for what is made of the blobs.
  Result<Path> make_work_folder(const std::string& name);
  [[nodiscard]] std::uint64_t received() const { return *received_; }
  // Nothing of it is left.
  Result<void> remove();

 private:
  PullFolder(Path folder, FileLock lock, Remote& remote, PackageName package)
      : folder_(std::move(folder)), lock_(std::move(lock)), remote_(&remote), package_(std::move(package)) {}
  Result<void> fetch_one(const OciDescriptor& blob, const std::function<void(std::uint64_t)>& moved);

  Path folder_;
  FileLock lock_;
  Remote* remote_;
  PackageName package_;
  std::unique_ptr<std::atomic<std::uint64_t>> received_ = std::make_unique<std::atomic<std::uint64_t>>(0);
};

}  // namespace trainyard
