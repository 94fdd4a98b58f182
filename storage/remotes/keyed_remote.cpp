// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/keyed_remote.hpp"

#include <algorithm>

#include "storage/remotes/keyed_garbage.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

KeyedRemote::KeyedRemote(std::unique_ptr<KeyStore> store, std::function<Instant()> now)
    : store_(std::move(store)), now_(std::move(now)), claims_(*store_, now_) {}

Result<void> KeyedRemote::probe() {
  TRY(store_->probe());
  const auto created = store_->create(kRemoteFormatKey, remote_document(RemoteFormat{}));
  if (!created.ok() && created.error().code != Errc::exists) return created.error();
  return check_format();
}

Result<void> KeyedRemote::check_format() {
  {
    const std::lock_guard lock(mutex_);
    if (known_format_) return {};
  }
  const auto format = TRY(read_document(*store_, kRemoteFormatKey, remote_format_from));
  const std::lock_guard lock(mutex_);
  known_format_ = format.has_value();
  return {};
}

Result<PackageKeys> KeyedRemote::look(const PackageName& package) {
  TRY(check_format());
  return PackageKeys(package);
}

Result<PackageKeys> KeyedRemote::enter(const PackageName& package) {
  PackageKeys keys = TRY(look(package));
  {
    const std::lock_guard lock(mutex_);
    if (entered_.count(package.text()) != 0) return keys;
  }
  auto there = TRY(read_document(*store_, keys.entry(), remote_package_from));
  if (!there) {
    const auto created = store_->create(keys.entry(), remote_document(RemotePackage{package}));
    if (!created.ok() && created.error().code != Errc::exists) return created.error();
    there = TRY(read_document(*store_, keys.entry(), remote_package_from));
  }
  if (there && there->name != package)
    return fail(Errc::exists, "'" + package.text() + "' cannot be published to " + text() +
                                  ", which has the package '" + there->name.text() +
                                  "', another name only by the case of its letters");
  const std::lock_guard lock(mutex_);
  entered_.insert(package.text());
  return keys;
}

Result<bool> KeyedRemote::has(const PackageName& package, const OciDescriptor& blob) {
  const PackageKeys keys = TRY(look(package));
  const auto size = TRY(store_->size(keys.blob(blob.digest)));
  if (size && *size != blob.bytes)
    return damaged(
        *store_, keys.blob(blob.digest),
        fail(Errc::corrupt, "it has " + std::to_string(*size) + " bytes instead of " + std::to_string(blob.bytes)));
  return size.has_value();
}

Result<void> KeyedRemote::put(const PackageName& package, const OciDescriptor& blob, const Path& file,
                              const Moved& moved) {
  const PackageKeys keys = TRY(enter(package));
  return store_->put(keys.blob(blob.digest), file, blob.bytes, blob.digest, moved);
}

Result<void> KeyedRemote::get(const PackageName& package, const OciDescriptor& blob, const Sink& sink) {
  const PackageKeys keys = TRY(look(package));
  const std::string key = keys.blob(blob.digest);
  Sha256 hash;
  std::uint64_t bytes = 0;
  TRY(store_->stream(key, [&](std::string_view piece) -> Result<void> {
    bytes += piece.size();
    if (bytes > blob.bytes)
      return damaged(*store_, key, fail(Errc::corrupt, "it has more than " + std::to_string(blob.bytes) + " bytes"));
    hash.update(piece);
    return sink(piece);
  }));
  if (bytes != blob.bytes)
    return damaged(
        *store_, key,
        fail(Errc::corrupt, "it has " + std::to_string(bytes) + " bytes instead of " + std::to_string(blob.bytes)));
  const Digest got = hash.finish();
  if (got != blob.digest) return damaged(*store_, key, fail(Errc::corrupt, "its content has the digest " + got.hex()));
  return {};
}

Result<void> KeyedRemote::put_manifest(const PackageName& package, std::string_view manifest) {
  if (manifest.size() > kMostOciManifest)
    return fail(Errc::invalid, "a manifest of " + std::to_string(manifest.size()) + " bytes is too long to publish; " +
                                   std::to_string(kMostOciManifest) + " may it have");
  const PackageKeys keys = TRY(enter(package));
  const Digest digest = sha256(manifest);
  for (int i = 0; i < 8; ++i) {
    const auto created = store_->create(keys.blob(digest), manifest);
    if (created.ok() || created.error().code != Errc::exists) return created;
    const auto there = read_manifest(*store_, keys, digest);
    if (there.ok()) return {};
    // It was garbage, which somebody just removed.
    if (there.error().code != Errc::not_found) return there.error();
  }
  return fail(Errc::unavailable, "'" + keys.blob(digest) + "' comes and goes in " + text() + "; try again");
}

Result<std::string> KeyedRemote::manifest(const PackageName& package, const Digest& digest) {
  return read_manifest(*store_, TRY(look(package)), digest);
}

Result<std::vector<PackageName>> KeyedRemote::packages() {
  TRY(check_format());
  std::vector<std::string> entries;
  TRY(store_->list(kRemotePackages, [&](const KeyEntry& entry) -> Result<void> {
    if (!document_name(entry.key, kRemotePackages).empty()) entries.push_back(entry.key);
    return {};
  }));
  std::vector<PackageName> packages;
  for (const std::string& key : entries) {
    const auto package = TRY(read_document(*store_, key, remote_package_from));
    if (!package) continue;
    const PackageKeys keys(package->name);
    if (keys.entry() != key)
      return damaged(*store_, key, fail(Errc::corrupt, "it is about '" + package->name.text() + "'"));
    if (!TRY(visible_versions(*store_, keys)).empty() || !TRY(remote_labels(*store_, keys)).empty())
      packages.push_back(package->name);
  }
  std::sort(packages.begin(), packages.end());
  return packages;
}

Result<std::vector<PackageVersion>> KeyedRemote::versions(const PackageName& package) {
  return visible_versions(*store_, TRY(look(package)));
}

Result<std::optional<OciDescriptor>> KeyedRemote::find(const PackageName& package, const PackageVersion& version) {
  const PackageKeys keys = TRY(look(package));
  auto published = TRY(read_document(*store_, keys.version(version), publication_from));
  if (!published) return std::optional<OciDescriptor>();
  return std::optional(std::move(published->manifest));
}

Result<RemoteGarbage> KeyedRemote::collect(const PackageName& package, std::chrono::seconds older_than, Garbage what,
                                           Instant now) {
  return KeyedGarbage(*store_, TRY(look(package)), now_, older_than, now).collect(what);
}

Result<void> KeyedRemote::check_nobody_collects(const PackageName& package) {
  return claims_.check_nobody_collects(TRY(look(package)));
}

}  // namespace trainyard
