// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/remotes/folder_keys.hpp"
#include "storage/remotes/keyed_remote.hpp"
#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

inline const PackageName kDigits = PackageName::parse("digits").value();
inline constexpr Instant kNoon{1'767'268'800'000'000};

inline OciDescriptor blob_of(std::string_view bytes) {
  return {"application/octet-stream", sha256(bytes), bytes.size()};
}

inline PublicationClaim claim_of(const std::string& publication, Instant since) {
  return {publication, sha256("record"), "ada on host7", since};
}

// A version with one layer of these bytes.
struct TestVersion {
  std::string layer;
  std::string text;
  OciDescriptor manifest;

  explicit TestVersion(const std::string& bytes)
      : layer(bytes),
        text(OciManifest{"application/vnd.test", blob_of("{}"), {blob_of(layer)}}.text()),
        manifest(OciManifest::descriptor(text, "application/vnd.test")) {}
};

// A remote in a fresh folder, by a clock that stands still unless it is moved.
struct KeyedPlace {
  TempFolder temporary;
  Path root = temporary.path() / "remote";
  RateLimit limit;
  std::atomic<std::int64_t> time = kNoon.microseconds;
  FolderKeys keys{root, limit};

  KeyedPlace() { REQUIRE(open()->probe().ok()); }

  std::unique_ptr<KeyedRemote> open() {
    return std::make_unique<KeyedRemote>(std::make_unique<FolderKeys>(root, limit), [this] { return Instant{time}; });
  }
  void pass(std::chrono::seconds much) { time += std::chrono::microseconds(much).count(); }

  // These need no test around them, and so may run in threads and forks.
  Result<void> put(KeyedRemote& remote, const std::string& bytes) {
    const TempFolder folder;
    return remote.put(kDigits, blob_of(bytes), folder.write("blob", bytes), nullptr);
  }
  Result<void> put(KeyedRemote& remote, const TestVersion& version) {
    TRY(put(remote, "{}"));
    TRY(put(remote, version.layer));
    return remote.put_manifest(kDigits, version.text);
  }
  // As a publisher does it: puts, claims, looks again, publishes, releases. False when somebody else has the claim.
  Result<bool> publish(KeyedRemote& remote, PackageVersion number, const TestVersion& version,
                       const std::string& publication) {
    TRY(put(remote, version));
    if (TRY(remote.claim(kDigits, number, claim_of(publication, Instant{time})))) return false;
    TRY(put(remote, version));
    TRY(remote.publish(kDigits, number, version.manifest, publication));
    TRY(remote.release(kDigits, number, publication));
    return true;
  }

  std::set<std::string> listed(const std::string& prefix) {
    std::set<std::string> all;
    const auto done = keys.list(prefix, [&](const KeyEntry& entry) -> Result<void> {
      all.insert(entry.key.substr(prefix.size()));
      return {};
    });
    REQUIRE(done.ok());
    return all;
  }
  // Of whatever age it is: files have the time of the system, and not of the clock here.
  Result<RemoteGarbage> collect(KeyedRemote& remote, Garbage what) {
    return remote.collect(kDigits, -std::chrono::hours(24 * 365 * 30), what, Instant{time});
  }
};

}  // namespace trainyard
