// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "storage/remotes/keyed_claims.hpp"
#include "storage/remotes/keyed_package.hpp"
#include "storage/remotes/remote.hpp"

namespace trainyard {

// A remote in a key store: a shared folder or a bucket. `package` is a name in lower case, `hex` a SHA-256:
//
//   trainyard-remote.json                               RemoteFormat: a newer one is refused
//   trainyard.packages/<package>.json                   RemotePackage: the name as its first publisher wrote it; no package
//                                                       is called so, because of the dot
//   <package>/blobs/sha256/<hex>                        content and manifests
//   <package>/versions/<major>.<minor>.json             Publication: its presence makes the version visible; never changed
//   <package>/claims/<major>.<minor>.json               PublicationClaim
//   <package>/labels/<label>.json                       RemoteLabel; replaced
//   <package>/attached/<hex of subject>/<hex of manifest>.json   Attachment
//   <package>/collecting.json                           Collecting; stale as a claim is
//
// Publishers and the collector of garbage. A publisher puts content, claims the version, looks whether all of it is there,
// puts what is missing, and makes the version visible. A collector creates collecting.json, gives way where a claim holds,
// marks what is needed and removes the rest. Each creates his own sign before he looks for the other's, so one of them sees
// the other and gives way. Content that is removed before the claim is noticed by the look after it; after the claim none
// is removed. Clocks that share a remote may be kClockSkew apart: claims are broken only so much later than their
// publishers stop to rely on them.
class KeyedRemote final : public Remote {
 public:
  KeyedRemote(std::unique_ptr<KeyStore> store, std::function<Instant()> now);

  Result<void> probe() override;
  Result<bool> has(const PackageName& package, const OciDescriptor& blob) override;
  Result<void> put(const PackageName& package, const OciDescriptor& blob, const Path& file,
                   const Moved& moved) override;
  Result<void> get(const PackageName& package, const OciDescriptor& blob, const Sink& sink) override;
  Result<void> put_manifest(const PackageName& package, std::string_view manifest) override;
  Result<std::string> manifest(const PackageName& package, const Digest& digest) override;
  Result<std::vector<PackageName>> packages() override;
  Result<std::vector<PackageVersion>> versions(const PackageName& package) override;
  Result<std::optional<OciDescriptor>> find(const PackageName& package, const PackageVersion& version) override;
  Result<std::optional<PublicationClaim>> claim(const PackageName& package, const PackageVersion& version,
                                                const PublicationClaim& mine) override;
  Result<std::optional<PublicationClaim>> claimed(const PackageName& package, const PackageVersion& version) override;
  Result<void> release(const PackageName& package, const PackageVersion& version,
                       const std::string& publication) override;
  Result<void> publish(const PackageName& package, const PackageVersion& version, const OciDescriptor& manifest,
                       const std::string& publication) override;
  Result<void> withdraw(const PackageName& package, const PackageVersion& version, const OciDescriptor& manifest,
                        const std::string& publication) override;
  Result<std::map<VersionLabel, OciDescriptor>> labels(const PackageName& package) override;
  Result<void> set_label(const PackageName& package, const VersionLabel& label, const OciDescriptor& manifest) override;
  Result<void> attach(const PackageName& package, std::string_view manifest) override;
  Result<std::vector<OciDescriptor>> attached(const PackageName& package, const Digest& subject) override;
  Result<RemoteGarbage> collect(const PackageName& package, std::chrono::seconds older_than, Garbage what,
                                Instant now) override;
  Result<void> check_nobody_collects(const PackageName& package) override;
  [[nodiscard]] std::string text() const override { return store_->text(); }

 private:
  // Whether the place is one that this Trainyard understands; once.
  Result<void> check_format();
  // The keys of a package that is there, or is made. `exists` when it is another one but for the case of letters.
  Result<PackageKeys> enter(const PackageName& package);
  // The keys of a package that need not be there.
  Result<PackageKeys> look(const PackageName& package);
  // `not_found` names what is missing of a manifest and its parts.
  Result<void> check_whole(const PackageKeys& keys, const Digest& manifest);

  std::unique_ptr<KeyStore> store_;
  std::function<Instant()> now_;
  KeyedClaims claims_;
  std::mutex mutex_;
  bool known_format_ = false;      // guarded by mutex_
  std::set<std::string> entered_;  // the same
};

}  // namespace trainyard
