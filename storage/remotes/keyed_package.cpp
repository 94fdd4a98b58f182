// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/keyed_package.hpp"

#include <algorithm>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// Annotations are the only part that may be long.
constexpr std::size_t kMostDocument = std::size_t{256} << 10U;
constexpr std::string_view kEnd = ".json";

template <class Duration>
std::int64_t microseconds(Duration duration) {
  return std::chrono::microseconds(duration).count();
}

}  // namespace

std::string_view document_name(std::string_view key, std::string_view folder) {
  if (key.size() <= folder.size() + kEnd.size() || key.substr(0, folder.size()) != folder ||
      key.substr(key.size() - kEnd.size()) != kEnd)
    return {};
  return key.substr(folder.size(), key.size() - folder.size() - kEnd.size());
}

Error damaged(const KeyStore& store, const std::string& key, const Error& error) {
  const Errc code = error.code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
  return fail(code, "'" + key + "' in " + store.text() + " is not what belongs there: " + error.message);
}

Result<std::optional<Json>> read_json(KeyStore& store, const std::string& key) {
  auto text = store.read(key, kMostDocument);
  if (!text.ok() && text.error().code == Errc::not_found) {
    // A place that is not there at all says so here.
    if (!TRY(store.size(key))) return std::optional<Json>();
    text = store.read(key, kMostDocument);
  }
  if (!text.ok() && text.error().code == Errc::invalid) return damaged(store, key, text.error());
  if (!text.ok()) return text.error();
  auto json = parse_json(*text, "it");
  if (!json.ok()) return damaged(store, key, json.error());
  return std::optional<Json>(std::move(*json));
}

Result<std::vector<PackageVersion>> visible_versions(KeyStore& store, const PackageKeys& keys) {
  std::vector<PackageVersion> versions;
  TRY(store.list(keys.versions(), [&](const KeyEntry& entry) -> Result<void> {
    const auto version = PackageVersion::parse(document_name(entry.key, keys.versions()));
    if (version.ok() && keys.version(*version) == entry.key) versions.push_back(*version);
    return {};
  }));
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<std::vector<RemoteLabel>> remote_labels(KeyStore& store, const PackageKeys& keys) {
  std::vector<std::string> names;
  TRY(store.list(keys.labels(), [&](const KeyEntry& entry) -> Result<void> {
    const auto label = VersionLabel::parse(document_name(entry.key, keys.labels()));
    if (label.ok()) names.push_back(entry.key);
    return {};
  }));
  std::vector<RemoteLabel> labels;
  for (const std::string& key : names) {
    auto label = TRY(read_document(store, key, remote_label_from));
    if (!label) continue;
    if (keys.label(label->label) != key)
      return damaged(store, key, fail(Errc::corrupt, "it is about '" + label->label.text() + "'"));
    labels.push_back(std::move(*label));
  }
  return labels;
}

Result<std::vector<KeyedAttachment>> attachments(KeyStore& store, const std::string& below, const PackageKeys& keys) {
  std::vector<KeyedAttachment> found;
  TRY(store.list(below, [&](const KeyEntry& entry) -> Result<void> {
    const std::string_view name = document_name(entry.key, keys.attached());
    const std::size_t slash = std::min(name.find('/'), name.size());
    const auto subject = Digest::parse(name.substr(0, slash));
    const auto manifest = Digest::parse(name.substr(std::min(slash + 1, name.size())));
    if (subject.ok() && manifest.ok()) found.push_back({*subject, *manifest, entry.modified});
    return {};
  }));
  std::sort(found.begin(), found.end(), [](const KeyedAttachment& a, const KeyedAttachment& b) {
    return std::pair(a.subject, a.manifest) < std::pair(b.subject, b.manifest);
  });
  return found;
}

Result<std::string> read_manifest(KeyStore& store, const PackageKeys& keys, const Digest& digest) {
  const std::string key = keys.blob(digest);
  auto text = store.read(key, kMostOciManifest);
  if (!text.ok() && text.error().code == Errc::invalid) return damaged(store, key, text.error());
  if (!text.ok()) return text.error();
  if (sha256(*text) != digest)
    return damaged(store, key, fail(Errc::corrupt, "its content has the digest " + sha256(*text).hex()));
  return std::move(*text);
}

bool is_stale(Instant since, Instant now) {
  const std::int64_t age = now.microseconds - since.microseconds;
  return age >= microseconds(kClaimHolds + kClockSkew) || age < -microseconds(std::chrono::hours(24));
}

}  // namespace trainyard
