// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/share_sending.hpp"

#include "runner/engine/side_by_side.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// Bundles under way at a time: enough that one is read and compressed while others wait for the network.
constexpr std::size_t kAtOnce = 4;
constexpr std::size_t kQuestionsAtOnce = 8;

constexpr std::string_view kLayersSchema = "trainyard.published-layers/1";

// What the layers of a share were when they were made last, for as long as nothing was taken out of the store.
struct KnownLayers {
  Digest record;
  std::uint64_t generation = 0;
  std::vector<OciDescriptor> layers;
};

Path known_layers_file(const Store& store, const VersionShare& share, ShareObjects which) {
  const std::string kind = which == ShareObjects::own ? "own" : "data";
  return store.root() / "cache" / "published" / share.version.content.name.folded() /
         (share.version.version.text() + "." + kind + ".json");
}

Result<KnownLayers> known_layers_from(const Json& json) {
  Fields fields(json, "known layers");
  fields.schema(kLayersSchema);
  const auto record = fields.parsed("record", Digest::parse);
  const std::uint64_t generation = fields.count("generation");
  std::vector<OciDescriptor> layers;
  for (const Json& each : fields.array("layers")) {
    auto layer = oci_descriptor_from(each);
    if (layer.ok()) {
      layers.push_back(std::move(*layer));
    } else {
      fields.note("layers", layer.error().message);
    }
  }
  TRY(fields.finish());
  return KnownLayers{*record, generation, std::move(layers)};
}

// A cache: whatever cannot be read is made again.
std::optional<std::vector<OciDescriptor>> read_known_layers(const Path& file, const VersionShare& share,
                                                            std::uint64_t generation) {
  const auto text = read_file(file, limits::kRecordBytes);
  const auto json = text.ok() ? parse_json(*text, "known layers") : text.error();
  auto known = json.ok() ? known_layers_from(*json) : json.error();
  if (!known.ok() || generation == 0 || known->generation != generation || known->record != sha256(share.record))
    return std::nullopt;
  return std::move(known->layers);
}

void write_known_layers(const Path& file, const Store& store, const KnownLayers& known) {
  Json layers = Json::array();
  for (const OciDescriptor& layer : known.layers) layers.push_back(to_json(layer));
  const Json json = {{"schema", kLayersSchema},
                     {"record", known.record.hex()},
                     {"generation", known.generation},
                     {"layers", std::move(layers)}};
  if (make_folders(file.parent_path()).ok())
    static_cast<void>(replace_file(store.scratch(), file, canonical(json), 0644, Durable::no));
}

// A file in the scratch folder that is gone at the end.
class ScratchFile {
 public:
  ScratchFile(const Store& store, std::string_view prefix) : path_(scratch_name(store.scratch(), prefix)) {}
  ~ScratchFile() { static_cast<void>(remove_file(path_)); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace

Result<std::vector<PublishedStep>> ShareSending::send(ShareObjects which) {
  std::vector<PublishedStep> steps;
  for (std::size_t number = 0; number < shares_.size(); ++number) {
    PublishedStep step = TRY(send_step(number, which));
    if (!step.layers.empty()) steps.push_back(std::move(step));
  }
  return steps;
}

Result<PublishedStep> ShareSending::send_step(std::size_t number, ShareObjects which) {
  const VersionShare& share = shares_[number];
  const std::uint64_t generation = TRY(store_.objects().generation());
  const Path file = known_layers_file(store_, share, which);
  if (auto known = read_known_layers(file, share, generation)) {
    PublishedStep step{share.version.version, std::move(*known)};
    if (TRY(is_everywhere(step))) return step;
  }
  PublishedStep step{share.version.version, {}};
  TRY(know_up_to(number, which));
  TRY(add_objects(share, which, BundleContents::Where::carried, store_, contents_));
  (which == ShareObjects::own ? known_own_ : known_data_) = number + 1;
  if (which == ShareObjects::own) step.layers.push_back(TRY(send_records(share)));
  TRY(send_bundles(share, step.layers));
  write_known_layers(file, store_, {sha256(share.record), generation, step.layers});
  return step;
}

// What is carried by the layers before.
Result<void> ShareSending::know_up_to(std::size_t number, ShareObjects which) {
  const std::size_t own = which == ShareObjects::own ? number : shares_.size();
  for (; known_own_ < own; ++known_own_)
    TRY(add_objects(shares_[known_own_], ShareObjects::own, BundleContents::Where::known, store_, contents_));
  if (which == ShareObjects::own) return {};
  for (; known_data_ < number; ++known_data_)
    TRY(add_objects(shares_[known_data_], ShareObjects::data, BundleContents::Where::known, store_, contents_));
  return {};
}

Result<bool> ShareSending::is_everywhere(const PublishedStep& step) {
  std::atomic<bool> everywhere = true;
  TRY(side_by_side(step.layers.size() * targets_.size(), kQuestionsAtOnce, [&](std::size_t which) -> Result<void> {
    const OciDescriptor& layer = step.layers[which / targets_.size()];
    if (everywhere && !TRY(targets_[which % targets_.size()].remote->has(package(), layer))) everywhere = false;
    return {};
  }));
  return everywhere.load();
}

Result<OciDescriptor> ShareSending::send_records(const VersionShare& share) {
  const ScratchFile file(store_, "records");
  const StoredObject written = TRY(write_records(share, file.path()));
  OciDescriptor layer = records_layer(package(), share.version.version, written.digest, written.bytes);
  TRY(send_file(layer, file.path()));
  return layer;
}

Result<void> ShareSending::send_bundles(const VersionShare& share, std::vector<OciDescriptor>& layers) {
  const std::vector<BundleMember> members = contents_.take();
  std::vector<std::span<const BundleMember>> bundles;
  for (std::span<const BundleMember> rest = members; !rest.empty();) {
    bundles.push_back(rest.first(bundle_size(rest)));
    rest = rest.subspan(bundles.back().size());
  }
  for (const BundleMember& member : members) all_ += member.bytes;
  std::vector<std::optional<OciDescriptor>> made(bundles.size());
  TRY(side_by_side(bundles.size(), kAtOnce, [&](std::size_t which) -> Result<void> {
    if (options_.cancelled())
      return fail(Errc::cancelled, "publishing was given up; nothing of it can be seen anywhere");
    const ScratchFile file(store_, "bundle");
    const StoredObject written = TRY(write_bundle(bundles[which], store_.objects(), file.path()));
    made[which] = bundle_layer(package(), share.version.version, which + 1, written.digest, written.bytes);
    TRY(send_file(*made[which], file.path()));
    for (const BundleMember& member : bundles[which]) done_ += member.bytes;
    tell();
    return {};
  }));
  for (std::optional<OciDescriptor>& layer : made) layers.push_back(std::move(*layer));
  return {};
}

Result<OciDescriptor> ShareSending::send_bytes(OciDescriptor described, std::string_view bytes) {
  described.digest = sha256(bytes);
  described.bytes = bytes.size();
  const ScratchFile file(store_, "blob");
  TRY(publish_file(store_.scratch(), file.path(), bytes, 0644, Durable::no));
  TRY(send_file(described, file.path()));
  return described;
}

Result<void> ShareSending::send_file(const OciDescriptor& blob, const Path& file) {
  for (const RemoteTarget& target : targets_) {
    TRY(target.remote->put(package(), blob, file, [&](std::uint64_t bytes) {
      sent_ += bytes;
      tell();
    }));
  }
  return {};
}

void ShareSending::tell() {
  if (options_.progress) options_.progress({done_, all_, sent_});
}

}  // namespace trainyard
