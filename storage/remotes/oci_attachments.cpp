// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <thread>

#include "storage/remotes/oci_remote.hpp"
#include "storage/values/sha256.hpp"

// Manifests that are about another one: distribution-spec 1.1, "Listing Referrers" and "Pushing Manifests with Subject".
namespace trainyard {

namespace {

constexpr int kMostIndexWrites = 20;
constexpr std::size_t kSubjectDigits = 32;
constexpr std::size_t kOwnDigits = 40;

std::string index_tag(const Digest& subject) { return "sha256-" + subject.hex(); }

std::string tags_of(const Digest& subject) { return "_attached." + subject.hex().substr(0, kSubjectDigits) + "."; }

std::string own_tag(const Digest& subject, const Digest& own) {
  return tags_of(subject) + own.hex().substr(0, kOwnDigits);
}

// As a list of referrers has it.
Result<OciDescriptor> descriptor_of(std::string_view text) {
  OciManifest manifest = TRY(OciManifest::parse(text));
  OciDescriptor descriptor = OciManifest::descriptor(text, std::move(manifest.artifact_type));
  descriptor.annotations = std::move(manifest.annotations);
  return descriptor;
}

std::string index_of(const std::map<Digest, OciDescriptor>& attachments) {
  Json list = Json::array();
  for (const auto& [digest, descriptor] : attachments) list.push_back(to_json(descriptor));
  return canonical({{"schemaVersion", 2}, {"mediaType", kOciIndexType}, {"manifests", std::move(list)}});
}

void read_index(std::string_view text, std::map<Digest, OciDescriptor>& into) {
  const auto json = parse_json(text, "an index");
  if (!json.ok() || !json->is_object() || !json->contains("manifests")) return;
  for (const Json& each : (*json)["manifests"])
    if (auto descriptor = oci_descriptor_from(each); descriptor.ok()) into.emplace(descriptor->digest, *descriptor);
}

// Writers that met do not meet again.
void rest_by_chance(int attempt) {
  std::array<std::uint8_t, 1> chance{};
  fill_random(chance);
  std::this_thread::sleep_for(std::chrono::milliseconds((1 + chance[0] % 16) * (attempt + 1)));
}

}  // namespace

Result<std::map<Digest, OciDescriptor>> OciRemote::attachments(const std::string& repository, const Digest& subject) {
  std::map<Digest, OciDescriptor> found;
  if (const auto told = TRY(registry_.referrers(repository, subject)))
    for (const OciDescriptor& each : *told) found.emplace(each.digest, each);
  if (const auto index = TRY(registry_.read(repository, index_tag(subject)))) read_index(*index, found);
  const std::string prefix = tags_of(subject);
  for (const std::string& tag : TRY(registry_.tags(repository))) {
    if (tag.substr(0, prefix.size()) != prefix) continue;
    const std::string digits = tag.substr(prefix.size());
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const auto& each) { return each.first.hex().substr(0, kOwnDigits) == digits; });
    if (known) continue;
    const auto text = TRY(registry_.read(repository, tag));
    if (!text) continue;
    const auto manifest = OciManifest::parse(*text);
    if (!manifest.ok() || !manifest->subject || manifest->subject->digest != subject) continue;
    OciDescriptor descriptor = TRY(descriptor_of(*text));
    found.emplace(descriptor.digest, std::move(descriptor));
  }
  return found;
}

Result<void> OciRemote::write_index(const std::string& repository, const Digest& subject,
                                    const OciDescriptor& attachment) {
  for (int attempt = 0; attempt < kMostIndexWrites; ++attempt) {
    std::map<Digest, OciDescriptor> in_index;
    if (const auto index = TRY(registry_.read(repository, index_tag(subject)))) read_index(*index, in_index);
    if (attempt > 0 && in_index.contains(attachment.digest)) return {};
    auto wanted = TRY(attachments(repository, subject));
    wanted.emplace(attachment.digest, attachment);
    // A registry takes no index of what is not there.
    for (auto each = wanted.begin(); each != wanted.end();) {
      const bool there = TRY(registry_.look(repository, oci_digest(each->first))).has_value();
      each = there ? std::next(each) : wanted.erase(each);
    }
    if (wanted == in_index) return {};
    TRY(registry_.write(repository, index_tag(subject), kOciIndexType, index_of(wanted)));
    rest_by_chance(attempt);
  }
  return fail(Errc::unavailable,
              "'" + text() + "': others keep writing what is attached to " + oci_digest(subject) + "; try again");
}

Result<void> OciRemote::attach(const PackageName& package, std::string_view manifest) {
  const std::string repository = TRY(repository_of(package));
  const auto parsed = TRY(OciManifest::parse(manifest));
  if (!parsed.subject) return fail(Errc::invalid, "a manifest without a subject is attached to nothing");
  const Digest subject = parsed.subject->digest;
  const OciDescriptor attachment = TRY(descriptor_of(manifest));
  TRY(registry_.write(repository, oci_digest(attachment.digest), kOciManifestType, manifest));
  // Some registries say in a header that they know subjects, and do not; the list tells.
  if (const auto told = TRY(registry_.referrers(repository, subject)))
    for (const OciDescriptor& each : *told)
      if (each.digest == attachment.digest) return {};
  TRY(registry_.write(repository, own_tag(subject, attachment.digest), kOciManifestType, manifest));
  return write_index(repository, subject, attachment);
}

Result<std::vector<OciDescriptor>> OciRemote::attached(const PackageName& package, const Digest& subject) {
  std::vector<OciDescriptor> sorted;
  for (auto& [digest, descriptor] : TRY(attachments(TRY(repository_of(package)), subject)))
    sorted.push_back(std::move(descriptor));
  return sorted;
}

}  // namespace trainyard
