// SPDX-License-Identifier: Apache-2.0
// What makes things visible, of KeyedRemote.
#include "storage/remotes/keyed_remote.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

Result<std::optional<PublicationClaim>> KeyedRemote::claim(const PackageName& package, const PackageVersion& version,
                                                           const PublicationClaim& mine) {
  return claims_.claim(TRY(enter(package)), version, mine);
}

Result<std::optional<PublicationClaim>> KeyedRemote::claimed(const PackageName& package,
                                                             const PackageVersion& version) {
  return claims_.claimed(TRY(look(package)), version);
}

Result<void> KeyedRemote::release(const PackageName& package, const PackageVersion& version,
                                  const std::string& publication) {
  return claims_.release(TRY(look(package)), version, publication);
}

Result<void> KeyedRemote::check_whole(const PackageKeys& keys, const Digest& manifest) {
  const OciManifest parsed = TRY(OciManifest::parse(TRY(read_manifest(*store_, keys, manifest))));
  for (const OciDescriptor& part : parsed.blobs()) {
    const std::string key = keys.blob(part.digest);
    if (TRY(store_->size(key)) != part.bytes)
      return fail(Errc::not_found, "'" + key + "', which the manifest " + manifest.hex() + " needs, is not in " +
                                       text() + "; put it there and try again");
  }
  return {};
}

Result<void> KeyedRemote::publish(const PackageName& package, const PackageVersion& version,
                                  const OciDescriptor& manifest, const std::string& publication) {
  const PackageKeys keys = TRY(enter(package));
  const PublicationClaim mine = TRY(claims_.held(keys, version, publication));
  const std::string key = keys.version(version);
  const auto created = store_->create(key, remote_document(Publication{manifest, publication, mine.publisher, now_()}));
  if (!created.ok() && created.error().code != Errc::exists) return created.error();
  if (!created.ok()) {
    const auto there = TRY(read_document(*store_, key, publication_from));
    if (!there) return fail(Errc::unavailable, "'" + key + "' in " + text() + " was just withdrawn; try again");
    if (there->manifest.digest == manifest.digest) return {};
    return fail(Errc::exists, there->publisher + " published another " + package.text() + " " + version.text() +
                                  " to " + text() + " at " + there->published_at.short_text() + ", with the manifest " +
                                  there->manifest.digest.hex());
  }
  // Who was held up between the claim and here may have been taken for dead, and content been removed that he saw.
  if (claims_.held(keys, version, publication).ok()) return {};
  const auto whole = check_whole(keys, manifest.digest);
  if (whole.ok()) return {};
  TRY(store_->remove(key));
  return within("it took so long to publish " + version.text() + " that its claim was lost",
                fail(Errc::unavailable, whole.error().message));
}

Result<void> KeyedRemote::withdraw(const PackageName& package, const PackageVersion& version,
                                   const OciDescriptor& manifest, const std::string& publication) {
  const PackageKeys keys = TRY(look(package));
  const auto there = TRY(read_document(*store_, keys.version(version), publication_from));
  if (!there || there->publication != publication || there->manifest.digest != manifest.digest) return {};
  TRY(claims_.held(keys, version, publication));
  return store_->remove(keys.version(version));
}

Result<std::map<VersionLabel, OciDescriptor>> KeyedRemote::labels(const PackageName& package) {
  std::map<VersionLabel, OciDescriptor> labels;
  for (RemoteLabel& each : TRY(remote_labels(*store_, TRY(look(package)))))
    labels.emplace(std::move(each.label), std::move(each.manifest));
  return labels;
}

Result<void> KeyedRemote::set_label(const PackageName& package, const VersionLabel& label,
                                    const OciDescriptor& manifest) {
  const PackageKeys keys = TRY(enter(package));
  TRY(read_manifest(*store_, keys, manifest.digest));
  return store_->replace(keys.label(label), remote_document(RemoteLabel{label, manifest}));
}

// Nobody needs a claim to attach something, so a collector may be at work: the attachment is there before it is asked
// for, and what it needs is looked for last.
Result<void> KeyedRemote::attach(const PackageName& package, std::string_view manifest) {
  const OciManifest parsed = TRY(OciManifest::parse(manifest));
  if (!parsed.subject) return fail(Errc::invalid, "a manifest without a subject can be attached to nothing");
  const PackageKeys keys = TRY(enter(package));
  TRY(put_manifest(package, manifest));
  OciDescriptor descriptor = OciManifest::descriptor(manifest, parsed.artifact_type);
  descriptor.annotations = parsed.annotations;
  const std::string key = keys.attached(parsed.subject->digest, descriptor.digest);
  const auto created = store_->create(key, remote_document(Attachment{descriptor}));
  if (!created.ok() && created.error().code == Errc::exists) return check_whole(keys, descriptor.digest);
  TRY(created);
  auto safe = claims_.check_nobody_collects(keys);
  if (safe.ok()) safe = check_whole(keys, descriptor.digest);
  if (!safe.ok()) TRY(store_->remove(key));
  return safe;
}

Result<std::vector<OciDescriptor>> KeyedRemote::attached(const PackageName& package, const Digest& subject) {
  const PackageKeys keys = TRY(look(package));
  std::vector<OciDescriptor> found;
  for (const KeyedAttachment& each : TRY(attachments(*store_, keys.attached(subject), keys))) {
    const std::string key = keys.attached(each.subject, each.manifest);
    auto attachment = TRY(read_document(*store_, key, attachment_from));
    if (!attachment) continue;
    if (attachment->manifest.digest != each.manifest)
      return damaged(*store_, key, fail(Errc::corrupt, "it is about " + attachment->manifest.digest.hex()));
    found.push_back(std::move(attachment->manifest));
  }
  return found;
}

}  // namespace trainyard
