// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/found_publication.hpp"

#include <atomic>

#include "runner/engine/side_by_side.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kBlobsAtOnce = 4;

}  // namespace

Result<FoundPublication> find_publication(Remote& remote, const PackageReference& reference) {
  std::optional<OciDescriptor> shown;
  if (reference.version) {
    shown = TRY(remote.find(reference.name, *reference.version));
  } else if (reference.label) {
    const auto labels = TRY(remote.labels(reference.name));
    if (const auto found = labels.find(*reference.label); found != labels.end()) shown = found->second;
  } else if (const auto versions = TRY(remote.versions(reference.name)); !versions.empty()) {
    shown = TRY(remote.find(reference.name, versions.back()));
  }
  if (!shown) {
    std::string known;
    for (const PackageVersion& version : TRY(remote.versions(reference.name)))
      known += (known.empty() ? "; it has " : ", ") + version.text();
    return fail(Errc::not_found, "'" + remote.text() + "' has no " + reference.text() + known);
  }
  std::string text = TRY(remote.manifest(reference.name, shown->digest));
  const auto manifest = OciManifest::parse(text);
  auto publication = manifest.ok() ? publication_from(*manifest) : manifest.error();
  if (!publication.ok()) {
    const Errc code = publication.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
    return fail(code, "what '" + remote.text() + "' shows as " + reference.text() +
                          " cannot be read: " + publication.error().message);
  }
  const bool same = publication->package.folded() == reference.name.folded() &&
                    (!reference.version || publication->version == *reference.version);
  if (!same)
    return fail(Errc::corrupt, "what '" + remote.text() + "' shows as " + reference.text() + " is " +
                                   publication->package.text() + "@" + publication->version.text());
  return FoundPublication{std::move(*shown), std::move(text), std::move(*publication)};
}

Result<std::uint64_t> verify_publication(Remote& remote, const PackageReference& reference,
                                         const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const FoundPublication found = TRY(find_publication(remote, reference));
  const PackageName& package = found.publication.package;
  std::vector<OciDescriptor> blobs = TRY(OciManifest::parse(found.text)).blobs();
  for (const OciDescriptor& each : TRY(remote.attached(package, found.manifest.digest))) {
    const auto more = TRY(OciManifest::parse(TRY(remote.manifest(package, each.digest)))).blobs();
    blobs.insert(blobs.end(), more.begin(), more.end());
  }
  std::uint64_t all = 0;
  for (const OciDescriptor& blob : blobs) all += blob.bytes;
  std::atomic<std::uint64_t> done = 0;
  TRY(side_by_side(blobs.size(), kBlobsAtOnce, [&](std::size_t which) {
    return remote.get(package, blobs[which], [&](std::string_view piece) -> Result<void> {
      done += piece.size();
      if (progress) progress(done, all);
      return {};
    });
  }));
  return done.load();
}

}  // namespace trainyard
