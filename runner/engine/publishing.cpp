// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/publishing.hpp"

#include "runner/core/documents/cyclonedx_bom.hpp"
#include "runner/engine/attesting.hpp"
#include "runner/engine/capsule_folder.hpp"
#include "runner/engine/lineage_reading.hpp"
#include "runner/engine/publication_evidence.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// What is attached: the same layers for every subject.
struct Attachment {
  std::string_view type;
  std::vector<OciDescriptor> layers;  // none: there is nothing to attach
};

Result<OciDescriptor> send_named(ShareSending& sending, std::string_view media_type, const std::string& name,
                                 std::string_view bytes) {
  const OciDescriptor blob = TRY(sending.send_bytes(media_type, bytes));
  return named_layer(media_type, name, blob.digest, blob.bytes);
}

Result<Attachment> send_attestations(const std::vector<VersionShare>& shares, const Store& store,
                                     ShareSending& sending) {
  const Attestations attestations(store.packages(), store.journal());
  Attachment attachment{media_type::kAttestations, {}};
  for (const VersionShare& share : shares) {
    const Path file = attestations.file_of(share.version.content.name, share.version.version);
    if (!is_there(file)) continue;
    const std::string name = share.version.content.name.text() + "-" + share.version.version.text();
    const std::string bytes = TRY(read_file(file, kMostOciManifest));
    attachment.layers.push_back(
        TRY(send_named(sending, "application/jsonl", name + std::string(kAttestationsSuffix), bytes)));
  }
  return attachment;
}

Result<Attachment> send_signature(const VersionRecord& version, const Store& store, ShareSending& sending,
                                  std::vector<std::string>& missing) {
  Attachment attachment{media_type::kModelSignature, {}};
  const auto bundle = model_signature(version, store, std::nullopt);
  if (bundle.ok()) {
    attachment.layers.push_back(
        TRY(send_named(sending, media_type::kModelSignature, "model.sig", readable(to_json(*bundle)))));
  } else {
    missing.push_back("a model signature: " + bundle.error().message);
  }
  return attachment;
}

Result<Attachment> send_evidence(const std::vector<VersionShare>& shares, const Store& store, ShareSending& sending,
                                 std::vector<std::string>& missing) {
  const PublicationEvidence evidence = TRY(evidence_of(shares, store));
  missing.insert(missing.end(), evidence.missing.begin(), evidence.missing.end());
  Attachment attachment{media_type::kEvidence, {}};
  for (const EvidenceFile& file : evidence.files)
    attachment.layers.push_back(TRY(send_named(sending, file.media_type, file.name, file.bytes)));
  return attachment;
}

// Without the evaluations, of which there may be more tomorrow.
Result<Attachment> send_bill(const VersionRecord& version, const Store& store, ShareSending& sending) {
  const PackageReference reference{version.content.name, version.version};
  const Lineage lineage = TRY(read_lineage(
      store, reference, [](const PackageName&) { return std::vector<std::pair<PackageVersion, RunId>>(); }));
  Attachment attachment{media_type::kBill, {}};
  attachment.layers.push_back(
      TRY(send_named(sending, media_type::kBill, "bom.cdx.json", readable(cyclonedx_bom(lineage)))));
  return attachment;
}

Result<Attachment> send_capsule(const Path& file, ShareSending& sending) {
  const ZipSummary zip = TRY(bytes_of(file));
  OciDescriptor layer = named_layer("application/zip", file.filename().string(), zip.digest, zip.bytes);
  TRY(sending.send_file(layer, file));
  return Attachment{media_type::kCapsule, {std::move(layer)}};
}

Result<Attachment> send_data(ShareSending& sending, std::vector<std::string>& missing) {
  Attachment attachment{media_type::kData, {}};
  for (const PublishedStep& step : TRY(sending.send_data()))
    attachment.layers.insert(attachment.layers.end(), step.layers.begin(), step.layers.end());
  if (attachment.layers.empty()) missing.push_back("the data: the store has not kept it");
  return attachment;
}

Result<void> attach(const std::vector<Attachment>& attachments, const PackageName& package, const RemoteTarget& target,
                    const OciDescriptor& subject) {
  for (const Attachment& each : attachments) {
    if (each.layers.empty()) continue;
    TRY(target.remote->attach(package, attachment(each.type, subject, each.layers).text()));
  }
  return {};
}

Result<OciManifest> send_version(const VersionRecord& version, const std::string& record, ShareSending& sending) {
  std::vector<PublishedStep> steps = TRY(sending.send_versions());
  OciDescriptor config = TRY(sending.send_bytes(media_type::kRecord, record));
  return manifest_of({version.content.name, version.version, std::move(config), std::move(steps)}, version);
}

}  // namespace

Result<PublishReport> publish_version(const VersionRecord& version, const PublishWish& wish, const Store& store,
                                      const Publisher& publisher) {
  const PackageName& package = version.content.name;
  const std::vector<VersionShare> shares = TRY(shares_of(version, store));
  const std::string& record = shares.back().record;
  std::vector<RemoteTarget> lacking;
  PublishReport report;
  for (const RemoteTarget& target : wish.targets) {
    auto shown = TRY(shown_on(target, package, version.version, sha256(record)));
    if (shown) {
      report.places.push_back({target.name, target.remote->text(), PublishedAt::State::was_there, std::move(*shown)});
    } else {
      lacking.push_back(target);
    }
  }
  ShareSending to_all(store, shares, wish.targets, wish.sending);
  std::vector<Attachment> attachments;
  attachments.push_back(TRY(send_attestations(shares, store, to_all)));
  attachments.push_back(TRY(send_signature(version, store, to_all, report.missing)));
  if (wish.capsule) attachments.push_back(TRY(send_capsule(*wish.capsule, to_all)));
  if (wish.data == PublishWish::Data::included) attachments.push_back(TRY(send_data(to_all, report.missing)));
  TRY(to_all.send_bytes(oci_empty_config().media_type, kOciEmptyConfig));
  ShareSending to_lacking(store, shares, lacking, wish.sending);
  if (!lacking.empty()) {
    const OciManifest manifest = TRY(send_version(version, record, to_lacking));
    const std::string text = manifest.text();
    if (text.size() > kMostOciManifest)
      return fail(Errc::invalid, package.text() + "@" + version.version.text() +
                                     " comes from so many versions that its manifest is longer than registries take "
                                     "(4 MiB)");
    const OciDescriptor subject = OciManifest::descriptor(text, std::string(media_type::kPublication));
    // What is attached lies there before the version can be seen. What the journal says goes with it once: it says more
    // each time.
    std::vector<Attachment> first = attachments;
    first.push_back(TRY(send_evidence(shares, store, to_lacking, report.missing)));
    first.push_back(TRY(send_bill(version, store, to_lacking)));
    for (const RemoteTarget& target : lacking) {
      TRY(target.remote->put_manifest(package, text));
      TRY(attach(first, package, target, subject));
    }
    for (PublishedAt& place : TRY(make_visible({package, version.version, sha256(record), subject, manifest.blobs()},
                                               lacking, wish.sending.cancelled, store, publisher)))
      report.places.push_back(std::move(place));
  }
  for (const RemoteTarget& target : wish.targets) {
    for (const PublishedAt& place : report.places) {
      if (place.remote != target.name) continue;
      if (place.state == PublishedAt::State::was_there) TRY(attach(attachments, package, target, place.manifest));
      if (wish.label) TRY(target.remote->set_label(package, *wish.label, place.manifest));
    }
  }
  report.sent = to_all.sent() + to_lacking.sent();
  return report;
}

}  // namespace trainyard
