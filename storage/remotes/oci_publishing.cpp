// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "storage/remotes/oci_remote.hpp"

// What makes a version visible in a registry, and what removes what was left.
namespace trainyard {

Result<std::optional<PublicationClaim>> OciRemote::claim(const PackageName& package, const PackageVersion& version,
                                                         const PublicationClaim& mine) {
  return election_.claim(TRY(repository_of(package)), version, mine);
}

Result<std::optional<PublicationClaim>> OciRemote::claimed(const PackageName& package, const PackageVersion& version) {
  return election_.claimed(TRY(repository_of(package)), version);
}

Result<void> OciRemote::release(const PackageName& package, const PackageVersion& version,
                                const std::string& publication) {
  const std::string repository = TRY(repository_of(package));
  TRY(election_.release(repository, version, publication));
  const std::lock_guard lock(mutex_);
  made_visible_.erase({repository, version, publication});
  found_visible_.erase({repository, version, publication});
  return {};
}

Result<void> OciRemote::publish(const PackageName& package, const PackageVersion& version,
                                const OciDescriptor& manifest, const std::string& publication) {
  const std::string repository = TRY(repository_of(package));
  const std::string name = "'" + text() + "': version " + version.text() + " of '" + package.text() + "'";
  const auto tags = TRY(registry_.tags(repository));
  const auto latest = TRY(election_.relied_on_until(repository, version, publication, tags));
  if (const auto visible = TRY(registry_.look(repository, version.text()))) {
    if (visible->digest != manifest.digest)
      return fail(Errc::exists, name + " is published already, with the manifest " + oci_digest(visible->digest));
    election_.note(repository, version, publication, OciElection::Begun::answered);
    const std::lock_guard lock(mutex_);
    if (!made_visible_.contains({repository, version, publication}))
      found_visible_.insert({repository, version, publication});
    return {};
  }
  election_.note(repository, version, publication, OciElection::Begun::unanswered);
  {
    const std::lock_guard lock(mutex_);
    made_visible_.insert({repository, version, publication});
  }
  TRY(copy_tag(repository, version.text(), manifest, latest));
  const auto visible = TRY(registry_.look(repository, version.text()));
  election_.note(repository, version, publication, OciElection::Begun::answered);
  if (!visible) return fail(Errc::unavailable, name + " does not appear, although the registry took it; try again");
  if (visible->digest != manifest.digest)
    return fail(Errc::exists,
                name + " was published by somebody else, with the manifest " + oci_digest(visible->digest));
  return {};
}

Result<void> OciRemote::withdraw(const PackageName& package, const PackageVersion& version,
                                 const OciDescriptor& manifest, const std::string& publication) {
  const std::string repository = TRY(repository_of(package));
  const auto tags = TRY(registry_.tags(repository));
  TRY(election_.relied_on_until(repository, version, publication, tags));
  {
    const std::lock_guard lock(mutex_);
    if (found_visible_.contains({repository, version, publication})) return {};
  }
  const auto visible = TRY(registry_.look(repository, version.text()));
  if (!visible || visible->digest != manifest.digest) return {};
  // A registry removes a manifest with all of its tags.
  for (const std::string& tag : tags) {
    if (tag == version.text() || !PackageVersion::parse(tag).ok()) continue;
    const auto other = TRY(registry_.look(repository, tag));
    if (other && other->digest == manifest.digest)
      return fail(Errc::exists, "'" + text() + "': version " + version.text() + " of '" + package.text() +
                                    "' cannot be taken back, because version " + tag + " is the same manifest");
  }
  return registry_.remove(repository, manifest.digest);
}

Result<RemoteGarbage> OciRemote::collect(const PackageName& package, std::chrono::seconds older_than, Garbage what,
                                         Instant now) {
  const std::string repository = TRY(repository_of(package));
  const std::int64_t before = now.microseconds - std::chrono::microseconds(older_than).count();
  RemoteGarbage garbage;
  for (const OciTicket& each : TRY(election_.abandoned(repository, now))) {
    if (each.since.microseconds > before) continue;
    ++garbage.claims;
    if (what == Garbage::remove) TRY(election_.remove(repository, each));
  }
  garbage.left.push_back(
      "content that no manifest names is freed by the registry itself, by the policy of its provider or "
      "with 'docker-registry garbage-collect CONFIG' while nobody publishes");
  return garbage;
}

Result<void> OciRemote::check_nobody_collects(const PackageName& /*package*/) { return {}; }

}  // namespace trainyard
