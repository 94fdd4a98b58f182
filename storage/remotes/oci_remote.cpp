// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_remote.hpp"

#include <algorithm>
#include <utility>

#include "storage/remotes/random_name.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostRepository = 255;

// A part of a repository's name: distribution-spec 1.1, "Pulling manifests": [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_repository_part(std::string_view name) {
  const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  while (!name.empty()) {
    const auto word = static_cast<std::size_t>(std::find_if_not(name.begin(), name.end(), is_word) - name.begin());
    if (word == 0) return false;
    name.remove_prefix(word);
    if (name.empty()) return true;
    const std::size_t end = std::min(name.find_first_not_of(name.front()), name.size());
    if (name.front() != '-' && end > 2) return false;
    name.remove_prefix(end);
  }
  return false;
}

}  // namespace

OciRemote::OciRemote(const RemoteAddress& address, HttpClient& http, Environment environment, OciElection::Clock now,
                     RateLimit* limit)
    : prefix_(address.prefix.empty() ? "" : address.prefix + "/"),
      registry_(address, http, std::move(environment), limit),
      election_(registry_, std::move(now)) {}

Result<std::string> OciRemote::repository_of(const PackageName& package) const {
  std::string repository = prefix_ + package.folded();
  if (!is_repository_part(package.folded()) || repository.size() > kMostRepository)
    return fail(Errc::invalid, "'" + text() + "': a registry takes no package named '" + package.text() +
                                   "'; a name there ends with a letter or a digit, has at most two '_' in a row, no "
                                   "'_' beside '-', and is not longer than 255 with what stands before it");
  return repository;
}

Result<void> OciRemote::probe() {
  TRY(registry_.check());
  // No package is called so, because of the dot.
  const std::string repository = prefix_ + "trainyard.probe";
  const std::string chance = random_name();
  const std::string tag = "_probe." + chance;
  const OciDescriptor empty = oci_empty_config();
  const std::string manifest =
      OciManifest{"application/vnd.trainyard.probe.v1", empty, {empty}, {}, {{"trainyard.probe", chance}}}.text();
  const Digest digest = sha256(manifest);
  const auto is_listed = [&]() -> Result<bool> {
    const auto tags = TRY(registry_.tags(repository));
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
  };
  TRY(registry_.put_bytes(repository, kOciEmptyConfig));
  TRY(registry_.write(repository, tag, kOciManifestType, manifest));
  const auto listed = is_listed();
  const auto there = registry_.look(repository, tag);
  TRY(registry_.remove(repository, digest));
  if (!TRY(listed))
    return fail(Errc::incompatible, "'" + text() +
                                        "' does not list a tag at once, so publishers cannot agree who of "
                                        "them is first; publish to another kind of remote");
  const auto descriptor = TRY(there);
  if (!descriptor || descriptor->digest != digest)
    return fail(Errc::incompatible, "'" + text() + "' changes the manifests that it is sent");
  if (TRY(is_listed()))
    return fail(Errc::incompatible, "'" + text() +
                                        "' keeps the tag of a manifest that was removed, so publishers "
                                        "cannot agree who of them is first; publish to another kind of remote");
  return {};
}

Result<bool> OciRemote::has(const PackageName& package, const OciDescriptor& blob) {
  return registry_.has_blob(TRY(repository_of(package)), blob.digest);
}

Result<void> OciRemote::put(const PackageName& package, const OciDescriptor& blob, const Path& file,
                            const Moved& moved) {
  return registry_.put_blob(TRY(repository_of(package)), blob.digest, blob.bytes, file, moved);
}

Result<void> OciRemote::get(const PackageName& package, const OciDescriptor& blob, const Sink& sink) {
  return registry_.get_blob(TRY(repository_of(package)), blob.digest, blob.bytes, sink);
}

Result<void> OciRemote::put_manifest(const PackageName& package, std::string_view manifest) {
  const std::string repository = TRY(repository_of(package));
  if (TRY(registry_.look(repository, oci_digest(sha256(manifest))))) return {};
  return registry_.write(repository, oci_digest(sha256(manifest)), kOciManifestType, manifest);
}

Result<std::string> OciRemote::manifest(const PackageName& package, const Digest& digest) {
  const std::string repository = TRY(repository_of(package));
  auto text = TRY(registry_.read(repository, oci_digest(digest)));
  if (!text)
    return fail(Errc::not_found,
                "'" + registry_.text() + "' has no manifest " + oci_digest(digest) + " in '" + repository + "'");
  return std::move(*text);
}

Result<std::vector<PackageName>> OciRemote::packages() {
  std::vector<PackageName> packages;
  for (const std::string& repository : TRY(registry_.repositories())) {
    if (repository.substr(0, prefix_.size()) != prefix_) continue;
    const auto package = PackageName::parse(std::string_view(repository).substr(prefix_.size()));
    if (!package.ok() || !repository_of(*package).ok()) continue;
    // A registry keeps repositories that nothing is in.
    const auto tags = TRY(registry_.tags(repository));
    const bool shows = std::any_of(tags.begin(), tags.end(), [](const std::string& tag) {
      return PackageVersion::parse(tag).ok() || VersionLabel::parse(tag).ok();
    });
    if (shows) packages.push_back(*package);
  }
  std::sort(packages.begin(), packages.end());
  return packages;
}

Result<std::vector<PackageVersion>> OciRemote::versions(const PackageName& package) {
  std::vector<PackageVersion> versions;
  for (const std::string& tag : TRY(registry_.tags(TRY(repository_of(package)))))
    if (const auto version = PackageVersion::parse(tag); version.ok()) versions.push_back(*version);
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<std::optional<OciDescriptor>> OciRemote::find(const PackageName& package, const PackageVersion& version) {
  return registry_.look(TRY(repository_of(package)), version.text());
}

Result<std::map<VersionLabel, OciDescriptor>> OciRemote::labels(const PackageName& package) {
  const std::string repository = TRY(repository_of(package));
  std::map<VersionLabel, OciDescriptor> labels;
  for (const std::string& tag : TRY(registry_.tags(repository))) {
    const auto label = VersionLabel::parse(tag);
    if (!label.ok()) continue;
    if (auto manifest = TRY(registry_.look(repository, tag))) labels.emplace(*label, std::move(*manifest));
  }
  return labels;
}

Result<void> OciRemote::set_label(const PackageName& package, const VersionLabel& label,
                                  const OciDescriptor& manifest) {
  return copy_tag(TRY(repository_of(package)), label.text(), manifest, std::nullopt);
}

Result<void> OciRemote::copy_tag(const std::string& repository, const std::string& tag, const OciDescriptor& manifest,
                                 std::optional<OciRegistry::Deadline> latest) {
  const auto text = TRY(registry_.read(repository, oci_digest(manifest.digest)));
  if (!text)
    return fail(Errc::not_found, "'" + registry_.text() + "' has no manifest " + oci_digest(manifest.digest) + " in '" +
                                     repository + "' to tag as '" + tag + "'");
  return registry_.write(repository, tag, kOciManifestType, *text, latest);
}

}  // namespace trainyard
