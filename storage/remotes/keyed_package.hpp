// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/remotes/key_store.hpp"
#include "storage/remotes/remote_documents.hpp"

// How a remote lies in a key store (the grammar stands with KeyedRemote), and how its documents are read.
namespace trainyard {

inline constexpr char kRemoteFormatKey[] = "trainyard-remote.json";
inline constexpr char kRemotePackages[] = "trainyard.packages/";

// The keys of one package.
class PackageKeys {
 public:
  explicit PackageKeys(const PackageName& package) : folded_(package.folded()) {}

  [[nodiscard]] std::string all() const { return folded_ + "/"; }
  [[nodiscard]] std::string entry() const { return kRemotePackages + folded_ + ".json"; }
  [[nodiscard]] std::string blobs() const { return folded_ + "/blobs/sha256/"; }
  [[nodiscard]] std::string blob(const Digest& digest) const { return blobs() + digest.hex(); }
  [[nodiscard]] std::string versions() const { return folded_ + "/versions/"; }
  [[nodiscard]] std::string version(const PackageVersion& version) const { return versions() + version.text() + kEnd; }
  [[nodiscard]] std::string claims() const { return folded_ + "/claims/"; }
  [[nodiscard]] std::string claim(const PackageVersion& version) const { return claims() + version.text() + kEnd; }
  [[nodiscard]] std::string labels() const { return folded_ + "/labels/"; }
  [[nodiscard]] std::string label(const VersionLabel& label) const { return labels() + label.text() + kEnd; }
  [[nodiscard]] std::string attached() const { return folded_ + "/attached/"; }
  [[nodiscard]] std::string attached(const Digest& subject) const { return attached() + subject.hex() + "/"; }
  [[nodiscard]] std::string attached(const Digest& subject, const Digest& manifest) const {
    return attached(subject) + manifest.hex() + kEnd;
  }
  [[nodiscard]] std::string collecting() const { return folded_ + "/collecting.json"; }

 private:
  static constexpr char kEnd[] = ".json";
  std::string folded_;
};

// "1.4" of "digits/versions/1.4.json" below "digits/versions/"; empty when there is no such name.
std::string_view document_name(std::string_view key, std::string_view folder);

// The JSON under a key, or none. `corrupt` when it is no JSON, or longer than any of these documents is.
Result<std::optional<Json>> read_json(KeyStore& store, const std::string& key);
// Of what is there under a key, and is not what belongs there.
Error damaged(const KeyStore& store, const std::string& key, const Error& error);

template <class Read>
auto read_document(KeyStore& store, const std::string& key, Read read)
    -> Result<std::optional<typename decltype(read(std::declval<const Json&>()))::Value>> {
  using Value = typename decltype(read(std::declval<const Json&>()))::Value;
  const std::optional<Json> json = TRY(read_json(store, key));
  if (!json) return std::optional<Value>();
  auto value = read(*json);
  if (!value.ok()) return damaged(store, key, value.error());
  return std::optional<Value>(std::move(*value));
}

// What is visible of a package: versions and their manifests. Names of another kind are nobody's versions.
Result<std::vector<PackageVersion>> visible_versions(KeyStore& store, const PackageKeys& keys);
Result<std::vector<RemoteLabel>> remote_labels(KeyStore& store, const PackageKeys& keys);

struct KeyedAttachment {
  Digest subject;
  Digest manifest;
  Instant modified;
};
Result<std::vector<KeyedAttachment>> attachments(KeyStore& store, const std::string& below, const PackageKeys& keys);

// The text of a manifest, which has that digest.
Result<std::string> read_manifest(KeyStore& store, const PackageKeys& keys, const Digest& digest);

// How far the clocks of those who share a remote may be apart.
inline constexpr std::chrono::minutes kClockSkew{1};
// Whether what began then, and holds for kClaimHolds, is over whoever's clock is asked. A day ahead is no time.
bool is_stale(Instant since, Instant now);

}  // namespace trainyard
