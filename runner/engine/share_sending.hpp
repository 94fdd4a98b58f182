// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runner/core/published_version.hpp"
#include "runner/engine/remote_target.hpp"
#include "runner/engine/version_share.hpp"

namespace trainyard {

// Told from any thread, now and then.
struct SendProgress {
  std::uint64_t done = 0;  // bytes of objects that are where they have to be, or known to be there
  std::uint64_t all = 0;   // of those that are known to be needed
  std::uint64_t sent = 0;  // bytes that went to remotes
};

struct SendOptions {
  std::function<void(const SendProgress&)> progress = {};
  std::function<bool()> cancelled = [] { return false; };
};

// Brings the shares of a lineage to remotes, as the layers of a publication. What a remote has already is not sent again.
// The layers that a version came to, after those before it, are remembered in the store's cache, so that those of ancestors
// are not made again to learn their digests. For one use at a time; keeps garbage from being collected until the store's objects are released.
class ShareSending {
 public:
  // All outlive this.
  ShareSending(const Store& store, const std::vector<VersionShare>& shares, const std::vector<RemoteTarget>& targets,
               const SendOptions& options)
      : store_(store), shares_(shares), targets_(targets), options_(options), contents_(store.objects()) {}

  // When these return, every target has it. The layers of the versions themselves, and those of the data of their runs.
  Result<std::vector<PublishedStep>> send_versions();
  Result<std::vector<PublishedStep>> send_data();
  // One more blob.
  Result<OciDescriptor> send_bytes(std::string_view media_type, std::string_view bytes);
  Result<void> send_file(const OciDescriptor& blob, const Path& file);
  // Bytes, to all targets together.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  // Those that are known, or else what `make` makes.
  Result<PublishedStep> step_of(const VersionShare& share, std::string_view kind, const Digest& key,
                                const std::function<Result<std::vector<OciDescriptor>>()>& make);
  Result<bool> is_everywhere(const PublishedStep& step);
  Result<void> know_versions(std::size_t up_to);
  Result<OciDescriptor> send_records(const VersionShare& share);
  Result<void> send_bundles(const VersionShare& share, std::vector<OciDescriptor>& layers);
  void tell();
  [[nodiscard]] const PackageName& package() const { return shares_.front().version.content.name; }

  const Store& store_;
  const std::vector<VersionShare>& shares_;
  const std::vector<RemoteTarget>& targets_;
  const SendOptions& options_;
  BundleContents contents_;
  std::size_t known_ = 0;  // shares whose own objects are in contents_
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> all_ = 0;
  std::atomic<std::uint64_t> sent_ = 0;
};

}  // namespace trainyard
