// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/names.hpp"
#include "storage/values/oci_manifest.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// Who is about to make a version visible on a remote.
struct PublicationClaim {
  std::string publication;  // a UUID: this attempt, and no other
  Digest record;            // the SHA-256 of the version's record, so that others learn whether it is the same version
  std::string publisher;    // "ada on host7", for people
  Instant since;

  friend bool operator==(const PublicationClaim&, const PublicationClaim&) = default;
};

Json to_json(const PublicationClaim& claim);
Result<PublicationClaim> publication_claim_from(const Json& json);

// How long a claim holds: whoever has not made his version visible by then must claim again, and others may break the claim.
inline constexpr std::chrono::minutes kClaimHolds{10};

// What a remote has no more use for.
struct RemoteGarbage {
  std::uint64_t blobs = 0;             // that no visible version, label or attachment needs
  std::uint64_t bytes = 0;             // of those
  std::uint64_t claims = 0;            // of publishers that are gone
  std::uint64_t uploads = 0;           // that were begun and not finished
  std::vector<std::string> left = {};  // sentences: what only the remote itself can remove, and how
};

enum class Garbage { list, remove };

// A place where versions are published to, and pulled from by others. What is published is content by its digest, put
// together by OCI manifests; what makes a version visible is one small thing written last, which appears whole or not at
// all and never changes. Nobody sees anything before that, and what was put for nothing is garbage.
//
// The content of one package is apart from that of others. Thread-safe. A method that fails with `unavailable` may work
// later; all can be repeated after any error and after a crash. Errors name the remote.
class Remote {
 public:
  Remote() = default;
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;
  virtual ~Remote() = default;

  // Tries the remote out: whether it can be reached and written, and whether many may publish the same version at once
  // and one of them wins. `incompatible` says why not. Leaves nothing behind.
  virtual Result<void> probe() = 0;

  // Content. `put` is of a whole file of exactly these bytes; what is there already is fine and costs next to nothing. The
  // remote has compared the digest when it returns. `moved` is told of bytes as they go, from any thread.
  using Moved = std::function<void(std::uint64_t bytes)>;
  virtual Result<bool> has(const PackageName& package, const OciDescriptor& blob) = 0;
  virtual Result<void> put(const PackageName& package, const OciDescriptor& blob, const Path& file,
                           const Moved& moved) = 0;
  // In order. `not_found`; `corrupt` when the bytes are not those of the digest, some of which the sink has had by then.
  using Sink = std::function<Result<void>(std::string_view piece)>;
  virtual Result<void> get(const PackageName& package, const OciDescriptor& blob, const Sink& sink) = 0;

  // Manifests, by digest; what they name is there already. Not visible by itself.
  virtual Result<void> put_manifest(const PackageName& package, std::string_view manifest) = 0;
  // `not_found`; `corrupt` when it is not the text of the digest.
  virtual Result<std::string> manifest(const PackageName& package, const Digest& digest) = 0;

  // What is visible. Sorted; a package nobody has published to has no versions. Packages are those with a version or a
  // label. `incompatible` when the remote does not tell which packages it has.
  virtual Result<std::vector<PackageName>> packages() = 0;
  virtual Result<std::vector<PackageVersion>> versions(const PackageName& package) = 0;
  // The manifest of a visible version.
  virtual Result<std::optional<OciDescriptor>> find(const PackageName& package, const PackageVersion& version) = 0;

  // The right to make a version visible: none when it is this publisher's now, or was before; else who has it. One that
  // has outlived kClaimHolds is taken over. While somebody removes garbage from the package it is `unavailable`.
  virtual Result<std::optional<PublicationClaim>> claim(const PackageName& package, const PackageVersion& version,
                                                        const PublicationClaim& mine) = 0;
  // Who has the right now, if anybody.
  virtual Result<std::optional<PublicationClaim>> claimed(const PackageName& package,
                                                          const PackageVersion& version) = 0;
  // Gives it back; fine when it was lost or given back before.
  virtual Result<void> release(const PackageName& package, const PackageVersion& version,
                               const std::string& publication) = 0;
  // Makes the version visible. REQUIRES: the manifest is there, and the claim is this publication's. `exists` when the
  // version is visible with another manifest; with the same one it is done.
  virtual Result<void> publish(const PackageName& package, const PackageVersion& version, const OciDescriptor& manifest,
                               const std::string& publication) = 0;
  // Takes back what this publication made visible; what another one made stays. REQUIRES: the claim is this publication's.
  virtual Result<void> withdraw(const PackageName& package, const PackageVersion& version,
                                const OciDescriptor& manifest, const std::string& publication) = 0;

  // Labels: names that can be moved from version to version, last writer wins.
  virtual Result<std::map<VersionLabel, OciDescriptor>> labels(const PackageName& package) = 0;
  virtual Result<void> set_label(const PackageName& package, const VersionLabel& label,
                                 const OciDescriptor& manifest) = 0;

  // Manifests with a subject: signatures, provenance, capsules. `attach` repeated is fine. Those attached come in the order
  // of their digests, with their artifact types and annotations.
  virtual Result<void> attach(const PackageName& package, std::string_view manifest) = 0;
  virtual Result<std::vector<OciDescriptor>> attached(const PackageName& package, const Digest& subject) = 0;

  // Looks for garbage older than `older_than`. Keeps publishers of the package away meanwhile; `unavailable` while one is
  // at work.
  virtual Result<RemoteGarbage> collect(const PackageName& package, std::chrono::seconds older_than, Garbage what,
                                        Instant now) = 0;

  // `unavailable` while somebody removes garbage of the package, who may not have seen what was named since he began. Where
  // only the remote itself removes content nobody does.
  virtual Result<void> check_nobody_collects(const PackageName& package) = 0;

  // "file:///srv/models": for errors and people.
  [[nodiscard]] virtual std::string text() const = 0;
};

}  // namespace trainyard
