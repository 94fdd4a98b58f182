// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/share_sending.hpp"

#include "runner/engine/scratch_file.hpp"
#include "runner/engine/side_by_side.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// Bundles under way at a time: enough that one is read and compressed while others wait for the network.
constexpr std::size_t kSendsAtOnce = 4;
constexpr std::size_t kQuestionsAtOnce = 8;

constexpr std::string_view kLayersSchema = "trainyard.published-layers/1";

// What the layers of a share were when they were made last. The key names the share and all before it; what was taken out of
// the store since may have been in them.
struct KnownLayers {
  Digest key;
  std::uint64_t generation = 0;
  std::vector<OciDescriptor> layers;
};

Path known_layers_file(const Store& store, const VersionShare& share, std::string_view kind) {
  return store.root() / "cache" / "published" / share.version.content.name.folded() /
         (share.version.version.text() + "." + std::string(kind) + ".json");
}

Result<KnownLayers> known_layers_from(const Json& json) {
  Fields fields(json, "known layers");
  fields.schema(kLayersSchema);
  const auto key = fields.parsed("key", Digest::parse);
  const std::uint64_t generation = fields.count("generation");
  std::vector<OciDescriptor> layers = oci_descriptors_in(fields, "layers");
  TRY(fields.finish());
  return KnownLayers{*key, generation, std::move(layers)};
}

// A cache: whatever cannot be read is made again.
std::optional<std::vector<OciDescriptor>> read_known_layers(const Path& file, const Digest& key,
                                                            std::uint64_t generation) {
  const auto text = read_file(file, limits::kRecordBytes);
  const auto json = text.ok() ? parse_json(*text, "known layers") : text.error();
  auto known = json.ok() ? known_layers_from(*json) : json.error();
  if (!known.ok() || generation == 0 || known->generation != generation || known->key != key) return std::nullopt;
  return std::move(known->layers);
}

void write_known_layers(const Path& file, const Store& store, const KnownLayers& known) {
  Json layers = Json::array();
  for (const OciDescriptor& layer : known.layers) layers.push_back(to_json(layer));
  const Json json = {{"schema", kLayersSchema},
                     {"key", known.key.hex()},
                     {"generation", known.generation},
                     {"layers", std::move(layers)}};
  if (make_folders(file.parent_path()).ok())
    static_cast<void>(replace_file(store.scratch(), file, canonical(json), 0644, Durable::no));
}

// That of a share that comes after everything the other key names.
Digest key_after(const Digest& before, const Digest& share) { return sha256(before.hex() + share.hex()); }

}  // namespace

Result<std::vector<PublishedStep>> ShareSending::send_versions() {
  std::vector<PublishedStep> steps;
  Digest key = sha256("");
  for (std::size_t number = 0; number < shares_.size(); ++number) {
    const VersionShare& share = shares_[number];
    key = key_after(key, digest_of(share));
    steps.push_back(TRY(step_of(share, "own", key, [&]() -> Result<std::vector<OciDescriptor>> {
      TRY(know_versions(number));
      TRY(add_objects(share, BundleContents::Where::carried, store_, contents_));
      known_ = number + 1;
      std::vector<OciDescriptor> layers;
      layers.push_back(TRY(send_records(share)));
      TRY(send_bundles(share, layers));
      return layers;
    })));
  }
  return steps;
}

Result<std::vector<PublishedStep>> ShareSending::send_data() {
  std::vector<PublishedStep> steps;
  Digest key = sha256("data");
  for (const VersionShare& share : shares_) key = key_after(key, digest_of(share));
  std::vector<Digest> before;  // data that the steps so far have
  std::size_t known = 0;       // of these, in contents_
  for (const VersionShare& share : shares_) {
    const std::vector<Digest> kept = TRY(kept_data(share, store_));
    for (const Digest& tree : kept) key = key_after(key, tree);
    PublishedStep step = TRY(step_of(share, "data", key, [&]() -> Result<std::vector<OciDescriptor>> {
      TRY(know_versions(shares_.size()));
      for (; known < before.size(); ++known)
        TRY(add_files(before[known], BundleContents::Where::known, store_, contents_));
      for (const Digest& tree : kept) TRY(add_files(tree, BundleContents::Where::carried, store_, contents_));
      std::vector<OciDescriptor> layers;
      TRY(send_bundles(share, layers));
      return layers;
    }));
    before.insert(before.end(), kept.begin(), kept.end());
    if (!step.layers.empty()) steps.push_back(std::move(step));
  }
  return steps;
}

Result<PublishedStep> ShareSending::step_of(const VersionShare& share, std::string_view kind, const Digest& key,
                                            const std::function<Result<std::vector<OciDescriptor>>()>& make) {
  const std::uint64_t generation = TRY(store_.objects().generation());
  const Path file = known_layers_file(store_, share, kind);
  if (auto known = read_known_layers(file, key, generation)) {
    PublishedStep step{share.version.version, std::move(*known)};
    if (TRY(is_everywhere(step))) return step;
  }
  std::vector<OciDescriptor> layers = TRY(make());
  write_known_layers(file, store_, {key, generation, layers});
  return PublishedStep{share.version.version, std::move(layers)};
}

// What the layers of the first shares carry.
Result<void> ShareSending::know_versions(std::size_t up_to) {
  for (; known_ < up_to; ++known_) TRY(add_objects(shares_[known_], BundleContents::Where::known, store_, contents_));
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
  TRY(side_by_side(bundles.size(), kSendsAtOnce, [&](std::size_t which) -> Result<void> {
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

Result<OciDescriptor> ShareSending::send_bytes(std::string_view media_type, std::string_view bytes) {
  const OciDescriptor blob{std::string(media_type), sha256(bytes), bytes.size(), {}, {}};
  const ScratchFile file(store_, "blob");
  TRY(publish_file(store_.scratch(), file.path(), bytes, 0644, Durable::no));
  TRY(send_file(blob, file.path()));
  return blob;
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
