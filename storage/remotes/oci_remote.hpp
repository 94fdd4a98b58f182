// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/remotes/oci_election.hpp"
#include "storage/remotes/oci_registry.hpp"
#include "storage/remotes/remote.hpp"

namespace trainyard {

// A remote in a registry of container images (OCI distribution-spec 1.1). A package is the repository
// <prefix>/<name in lower case>, in which tags are
//
//   1.4                                     a version
//   production                              a label
//   _choosing.… _ticket.…                   who is about to publish (OciTicket)
//   sha256-<hex>                            the index of what is attached to that manifest, for a registry that does not
//                                           know it itself (distribution-spec 1.1, "Referrers tag schema")
//   _attached.<hex, 32>.<hex, 40>           one manifest that is attached, after the first digits of the subject's digest
//                                           and its own; there too only
//
// An index is written whole, so two who attach at once may lose one of the two entries; the tags of single manifests tell
// what was lost, and keep a collector that removes what has no tag away from them.
class OciRemote final : public Remote {
 public:
  // Logins are looked for in the files that `environment` names. `http` and `limit`, which may be null, outlive it.
  OciRemote(const RemoteAddress& address, HttpClient& http, Environment environment, OciElection::Clock now,
            RateLimit* limit = nullptr);

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
  // After a crash it cannot be told who made a version visible whose manifest is the same; then it is taken back.
  Result<void> withdraw(const PackageName& package, const PackageVersion& version, const OciDescriptor& manifest,
                        const std::string& publication) override;
  Result<std::map<VersionLabel, OciDescriptor>> labels(const PackageName& package) override;
  Result<void> set_label(const PackageName& package, const VersionLabel& label, const OciDescriptor& manifest) override;
  Result<void> attach(const PackageName& package, std::string_view manifest) override;
  Result<std::vector<OciDescriptor>> attached(const PackageName& package, const Digest& subject) override;
  Result<RemoteGarbage> collect(const PackageName& package, std::chrono::seconds older_than, Garbage what,
                                Instant now) override;
  Result<void> check_nobody_collects(const PackageName& package) override;
  [[nodiscard]] std::string text() const override { return registry_.text(); }

 private:
  // `invalid` when a registry takes no such name.
  Result<std::string> repository_of(const PackageName& package) const;
  Result<void> copy_tag(const std::string& repository, const std::string& tag, const OciDescriptor& manifest,
                        std::optional<OciRegistry::Deadline> latest);
  // By the registry, by the index and by the tags of this subject; whichever says most about each.
  Result<std::map<Digest, OciDescriptor>> attachments(const std::string& repository, const Digest& subject);
  Result<void> write_index(const std::string& repository, const Digest& subject, const OciDescriptor& attachment);

  const std::string prefix_;  // empty, or with a '/' at the end
  OciRegistry registry_;
  OciElection election_;
  std::mutex mutex_;
  // Repository, version and publication.
  using Publication = std::tuple<std::string, PackageVersion, std::string>;
  // Which began to make theirs visible, and which found it visible with the same manifest. Guarded by mutex_.
  std::set<Publication> made_visible_;
  std::set<Publication> found_visible_;
};

}  // namespace trainyard
