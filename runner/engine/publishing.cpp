// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/publishing.hpp"

#include <fcntl.h>

#include <set>

#include "runner/engine/attesting.hpp"
#include "runner/engine/capsule_folder.hpp"
#include "runner/engine/publication_evidence.hpp"
#include "runner/engine/side_by_side.hpp"
#include "runner/engine/visibility.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kQuestionsAtOnce = 8;
constexpr std::string_view kNoConfig = "{}";

std::string text_of(const PackageName& package, const PackageVersion& version) {
  return package.text() + "@" + version.text();
}

// Every blob that a manifest names.
std::vector<OciDescriptor> blobs_of(const OciManifest& manifest) {
  std::vector<OciDescriptor> blobs{manifest.config};
  std::set<Digest> seen{manifest.config.digest};
  for (const OciDescriptor& layer : manifest.layers) {
    if (seen.insert(layer.digest).second) blobs.push_back(layer);
  }
  return blobs;
}

std::function<Result<void>(Remote&)> whole(const PackageName& package, const std::vector<OciDescriptor>& blobs) {
  return [&](Remote& remote) -> Result<void> {
    return side_by_side(blobs.size(), kQuestionsAtOnce, [&](std::size_t which) -> Result<void> {
      if (TRY(remote.has(package, blobs[which]))) return {};
      return fail(Errc::unavailable, "the blob sha256:" + blobs[which].digest.hex() + " vanished from '" +
                                         remote.text() + "' while the version was published; publish it again");
    });
  };
}

// Targets sorted by whether they show the version already.
struct Standings {
  std::vector<RemoteTarget> lacking;
  std::vector<PublishedAt> there;
};

Result<Standings> standings_on(const std::vector<RemoteTarget>& targets, const PackageName& package,
                               const PackageVersion& version, const Digest& record) {
  Standings standings;
  for (const RemoteTarget& target : targets) {
    auto shown = TRY(shown_on(target, package, version, record));
    if (!shown) {
      standings.lacking.push_back(target);
    } else {
      standings.there.push_back({target.name, target.remote->text(), PublishedAt::State::was_there, std::move(*shown)});
    }
  }
  return standings;
}

Result<void> set_labels(const PublishWish& wish, const PackageName& package, const std::vector<PublishedAt>& places) {
  if (!wish.label) return {};
  for (const RemoteTarget& target : wish.targets) {
    for (const PublishedAt& place : places) {
      if (place.address == target.remote->text()) TRY(target.remote->set_label(package, *wish.label, place.manifest));
    }
  }
  return {};
}

// What is attached to a published version, sent to the targets that the sending has.
class Attaching {
 public:
  Attaching(const VersionRecord& version, const Store& store, ShareSending& sending, const RemoteTarget& target,
            const OciDescriptor& subject)
      : version_(version), store_(store), sending_(sending), target_(target), subject_(subject) {}

  Result<void> attach(std::string_view artifact_type, std::vector<OciDescriptor> layers) {
    if (layers.empty()) return {};
    const OciManifest manifest = attachment(artifact_type, subject_, std::move(layers));
    TRY(sending_.send_bytes(manifest.config, kNoConfig));
    return target_.remote->attach(version_.content.name, manifest.text());
  }

  Result<void> attestations(const std::vector<VersionShare>& shares) {
    const Attestations attestations(store_.packages(), store_.journal());
    std::vector<OciDescriptor> layers;
    for (const VersionShare& share : shares) {
      const Path file = attestations.file_of(share.version.content.name, share.version.version);
      if (!is_there(file)) continue;
      const std::string name = share.version.content.name.text() + "-" + share.version.version.text();
      layers.push_back(TRY(sending_.send_bytes(
          named_layer("application/jsonl", name + std::string(kAttestationsSuffix), subject_.digest, 0),
          TRY(read_file(file, kMostOciManifest)))));
    }
    return attach(media_type::kAttestations, std::move(layers));
  }

  Result<void> model_signature(std::vector<std::string>& missing) {
    const auto bundle = trainyard::model_signature(version_, store_, std::nullopt);
    if (!bundle.ok()) {
      missing.push_back("a model signature: " + bundle.error().message);
      return {};
    }
    std::vector<OciDescriptor> layers;
    layers.push_back(TRY(sending_.send_bytes(named_layer(media_type::kModelSignature, "model.sig", subject_.digest, 0),
                                             readable(to_json(*bundle)))));
    return attach(media_type::kModelSignature, std::move(layers));
  }

  Result<void> evidence(const std::vector<VersionShare>& shares, std::vector<std::string>& missing) {
    const PublicationEvidence evidence = TRY(evidence_of(shares, store_));
    missing.insert(missing.end(), evidence.missing.begin(), evidence.missing.end());
    std::vector<OciDescriptor> layers;
    for (const EvidenceFile& file : evidence.files)
      layers.push_back(
          TRY(sending_.send_bytes(named_layer(file.media_type, file.name, subject_.digest, 0), file.bytes)));
    return attach(media_type::kEvidence, std::move(layers));
  }

  Result<void> capsule(const Path& file) {
    const ZipSummary zip = TRY(bytes_of(file));
    OciDescriptor layer = named_layer("application/zip", file.filename().string(), zip.digest, zip.bytes);
    TRY(sending_.send_file(layer, file));
    return attach(media_type::kCapsule, {std::move(layer)});
  }

 private:
  const VersionRecord& version_;
  const Store& store_;
  ShareSending& sending_;
  const RemoteTarget& target_;
  const OciDescriptor& subject_;
};

}  // namespace

Result<PublishReport> publish_version(const VersionRecord& version, const PublishWish& wish, const Store& store,
                                      const Publisher& publisher) {
  const PackageName& package = version.content.name;
  const std::vector<VersionShare> shares = TRY(shares_of(version, store));
  const std::string& record = shares.back().record;
  const Digest identity = sha256(record);
  PublishReport report;
  Standings standings = TRY(standings_on(wish.targets, package, version.version, identity));
  ShareSending sending(store, shares, standings.lacking, wish.sending);
  OciDescriptor manifest = OciManifest::descriptor("", std::string(media_type::kPublication));
  std::vector<OciDescriptor> blobs;
  if (!standings.lacking.empty()) {
    PublishedVersion publication{
        package, version.version, OciDescriptor{std::string(media_type::kRecord), identity, 0, {}, {}}, {}};
    publication.steps = TRY(sending.send(ShareObjects::own));
    publication.record = TRY(sending.send_bytes(publication.record, record));
    const OciManifest whole_manifest = manifest_of(publication, version);
    const std::string text = whole_manifest.text();
    if (text.size() > kMostOciManifest)
      return fail(Errc::invalid, text_of(package, version.version) +
                                     " comes from so many versions that its manifest is "
                                     "longer than registries take (4 MiB)");
    for (const RemoteTarget& target : standings.lacking) TRY(target.remote->put_manifest(package, text));
    manifest = OciManifest::descriptor(text, std::string(media_type::kPublication));
    blobs = blobs_of(whole_manifest);
  }
  // What is attached lies there before the version can be seen.
  std::vector<PublishedAt> places = standings.there;
  for (const RemoteTarget& target : standings.lacking)
    places.push_back({target.name, target.remote->text(), PublishedAt::State::published, manifest});
  for (const RemoteTarget& target : wish.targets) {
    const auto place = std::find_if(places.begin(), places.end(),
                                    [&](const PublishedAt& each) { return each.address == target.remote->text(); });
    const std::vector<RemoteTarget> one{target};
    ShareSending to_one(store, shares, one, wish.sending);
    Attaching attaching(version, store, to_one, target, place->manifest);
    std::vector<std::string> missing;
    TRY(attaching.attestations(shares));
    TRY(attaching.model_signature(missing));
    if (place->state == PublishedAt::State::published) TRY(attaching.evidence(shares, missing));
    if (wish.capsule) TRY(attaching.capsule(*wish.capsule));
    if (wish.data == PublishWish::Data::included) {
      std::vector<OciDescriptor> layers;
      for (const PublishedStep& step : TRY(to_one.send(ShareObjects::data)))
        layers.insert(layers.end(), step.layers.begin(), step.layers.end());
      if (layers.empty()) missing.push_back("the data: the store has not kept it");
      TRY(attaching.attach(media_type::kData, std::move(layers)));
    }
    report.missing = std::move(missing);
    report.sent += to_one.sent();
  }
  if (!standings.lacking.empty()) {
    const auto by_others = TRY(make_visible({package, version.version, identity, manifest}, standings.lacking,
                                            whole(package, blobs), wish.sending.cancelled, store, publisher));
    for (PublishedAt& place : places) {
      if (std::find(by_others.begin(), by_others.end(), place.remote) != by_others.end())
        place.state = PublishedAt::State::was_there;
    }
  }
  TRY(set_labels(wish, package, places));
  report.places = std::move(places);
  report.sent += sending.sent();
  return report;
}

namespace {

// Brings a blob from one remote to others by way of a file.
Result<std::uint64_t> carry(const PackageName& package, const OciDescriptor& blob, Remote& from,
                            const std::vector<RemoteTarget>& targets, const Store& store) {
  std::vector<const RemoteTarget*> lacking;
  for (const RemoteTarget& target : targets) {
    if (!TRY(target.remote->has(package, blob))) lacking.push_back(&target);
  }
  if (lacking.empty()) return std::uint64_t{0};
  const Path file = scratch_name(store.scratch(), "promote");
  const auto bring = [&]() -> Result<void> {
    {
      const UniqueFd fd = TRY(open_file(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
      TRY(from.get(package, blob, [&](std::string_view piece) { return write_all(fd.get(), piece, file); }));
    }
    for (const RemoteTarget* const target : lacking)
      TRY(target->remote->put(package, blob, file, [](std::uint64_t) {}));
    return {};
  };
  const auto brought = bring();
  TRY(remove_file(file));
  TRY(brought);
  return blob.bytes * lacking.size();
}

}  // namespace

Result<PublishReport> promote_version(const PackageName& package, const PackageVersion& version,
                                      const RemoteTarget& from, const PublishWish& wish, const Store& store,
                                      const Publisher& publisher) {
  const FoundPublication found = TRY(find_publication(*from.remote, {package, version}));
  const Digest& identity = found.publication.record.digest;
  Standings standings = TRY(standings_on(wish.targets, package, version, identity));
  std::atomic<std::uint64_t> sent = 0;
  std::atomic<std::uint64_t> done = 0;
  const auto carry_all = [&](const std::vector<OciDescriptor>& blobs) {
    std::uint64_t all = 0;
    for (const OciDescriptor& blob : blobs) all += blob.bytes;
    return side_by_side(blobs.size(), kAtOnce, [&, all](std::size_t which) -> Result<void> {
      if (wish.sending.cancelled()) return fail(Errc::cancelled, "promoting was given up; nothing of it can be seen");
      sent += TRY(carry(package, blobs[which], *from.remote, standings.lacking, store));
      done += blobs[which].bytes;
      if (wish.sending.progress) wish.sending.progress({done, all, sent});
      return {};
    });
  };
  const std::vector<OciDescriptor> blobs = blobs_of(TRY(OciManifest::parse(found.text)));
  if (!standings.lacking.empty()) {
    TRY(carry_all(blobs));
    for (const RemoteTarget& target : standings.lacking) TRY(target.remote->put_manifest(package, found.text));
    for (const OciDescriptor& each : TRY(from.remote->attached(package, found.manifest.digest))) {
      const std::string text = TRY(from.remote->manifest(package, each.digest));
      TRY(carry_all(blobs_of(TRY(OciManifest::parse(text)))));
      for (const RemoteTarget& target : standings.lacking) TRY(target.remote->attach(package, text));
    }
    TRY(make_visible({package, version, identity, found.manifest}, standings.lacking, whole(package, blobs),
                     wish.sending.cancelled, store, publisher));
  }
  PublishReport report{std::move(standings.there), sent, {}};
  for (const RemoteTarget& target : standings.lacking)
    report.places.push_back({target.name, target.remote->text(), PublishedAt::State::published, found.manifest});
  TRY(set_labels(wish, package, report.places));
  return report;
}

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
                                   text_of(publication->package, publication->version));
  return FoundPublication{std::move(*shown), std::move(text), std::move(*publication)};
}

}  // namespace trainyard
