// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runner/core/publication.hpp"
#include "runner/engine/version_share.hpp"
#include "storage/remotes/remote.hpp"

namespace trainyard {

struct RemoteTarget {
  std::string name;  // as the store knows it, or its address
  std::shared_ptr<Remote> remote;
};

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
// The layers that a version came to are remembered in the store's cache, so that those of ancestors are not made again to
// learn their digests. For one use at a time; keeps garbage from being collected until the store's objects are released.
class ShareSending {
 public:
  // All outlive this.
  ShareSending(const Store& store, const std::vector<VersionShare>& shares, const std::vector<RemoteTarget>& targets,
               const SendOptions& options)
      : store_(store), shares_(shares), targets_(targets), options_(options), contents_(store.objects()) {}

  // When it returns, every target has the layers. Data after own.
  Result<std::vector<PublishedStep>> send(ShareObjects which);
  // One more small blob.
  Result<OciDescriptor> send_bytes(OciDescriptor described, std::string_view bytes);
  Result<void> send_file(const OciDescriptor& blob, const Path& file);
  // Of what went to a target, by its place among the targets.
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  Result<PublishedStep> send_step(std::size_t number, ShareObjects which);
  Result<bool> is_everywhere(const PublishedStep& step);
  Result<void> know_up_to(std::size_t number, ShareObjects which);
  Result<OciDescriptor> send_records(const VersionShare& share);
  Result<void> send_bundles(const VersionShare& share, std::vector<OciDescriptor>& layers);
  void tell();
  [[nodiscard]] const PackageName& package() const { return shares_.front().version.content.name; }

  const Store& store_;
  const std::vector<VersionShare>& shares_;
  const std::vector<RemoteTarget>& targets_;
  const SendOptions& options_;
  BundleContents contents_;
  std::size_t known_own_ = 0;   // shares whose own objects are in contents_
  std::size_t known_data_ = 0;  // the same of their data
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> all_ = 0;
  std::atomic<std::uint64_t> sent_ = 0;
};

}  // namespace trainyard
