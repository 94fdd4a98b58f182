// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/pulling.hpp"

#include <unistd.h>

#include <cerrno>
#include <set>

#include "runner/engine/found_publication.hpp"
#include "runner/engine/pulled_records.hpp"
#include "runner/engine/side_by_side.hpp"
#include "storage/keys/key_ring.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/packages/registry.hpp"
#include "storage/trees/snapshots.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/trees/tree_objects.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kCheckoutsAtOnce = 4;
constexpr std::size_t kMostKeyBytes = 16384;
constexpr std::string_view kKeySuffix = ".pub.pem";

// A second name of a file that nobody writes to.
Result<void> link_file(const Path& from, const Path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return {};
  return system_error("link", to, errno);
}

class Pull {
 public:
  Pull(const RemoteTarget& from, const PullWish& wish, const Store& store, const std::function<Instant()>& now,
       FoundPublication found, PullFolder folder)
      : from_(from), wish_(wish), store_(store), now_(now), found_(std::move(found)), folder_(std::move(folder)) {
    report_.package = found_.publication.package;
    report_.manifest = found_.manifest.digest;
  }

  Result<PullReport> run() {
    std::vector<OciDescriptor> first{found_.publication.record};
    for (const PublishedStep& step : found_.publication.steps) first.push_back(step.layers.front());
    TRY(folder_.fetch(first, {}, wish_.cancelled));
    records_objects_ = TRY(open_bundles({}, TRY(folder_.make_work_folder("records"))));
    records_ = TRY(read_pulled_records(found_.publication, folder_, *records_objects_));
    TRY(compare_with_store());
    TRY(attached_manifests());
    TRY(bring_objects());
    TRY(write_records());
    TRY(keep_attestations());
    TRY(keep_keys());
    report_.received = folder_.received();
    store_.objects().release();
    records_objects_.reset();
    TRY(folder_.remove());
    return std::move(report_);
  }

 private:
  [[nodiscard]] PackageRegistry registry() const { return {store_.packages(), store_.journal()}; }
  [[nodiscard]] const PackageName& package() const { return found_.publication.package; }

  // Which versions are here already; refuses before anything is changed.
  Result<void> compare_with_store() {
    for (const PulledRecords& records : records_) {
      const PackageVersion& version = records.version.version;
      const RelPath path = TRY(registry().record_path(package(), version));
      const auto here = read_file(store_.root() / path.bytes(), limits::kRecordBytes);
      if (!here.ok() && here.error().code != Errc::not_found) return here.error();
      if (here.ok() && *here != records.text)
        return fail(Errc::exists, "this store has another " + package().text() + "@" + version.text() + " than '" +
                                      from_.name +
                                      "', and what is published never changes; pull into another store, or "
                                      "take the zip of its capsule with 'trainyard package import'");
      report_.versions.push_back({version, here.ok() ? PulledVersion::State::was_there : PulledVersion::State::pulled});
    }
    return {};
  }

  [[nodiscard]] bool is_new(std::size_t step) const {
    return report_.versions[step].state == PulledVersion::State::pulled;
  }

  Result<void> attached_manifests() {
    for (const OciDescriptor& each : TRY(from_.remote->attached(package(), found_.manifest.digest))) {
      const auto manifest = OciManifest::parse(TRY(from_.remote->manifest(package(), each.digest)));
      if (!manifest.ok())
        return fail(Errc::corrupt,
                    "what is attached on '" + from_.name + "' cannot be read: " + manifest.error().message);
      attached_.push_back(std::move(*manifest));
    }
    return {};
  }

  // The files of which trees have to be here, and with which cut the lists of files.
  struct Wanted {
    std::vector<Digest> trees;  // their documents
    std::vector<Digest> full;   // of these, those whose files have to be here too
  };
  [[nodiscard]] Wanted wanted() const {
    Wanted wanted;
    for (std::size_t step = 0; step < records_.size(); ++step) {
      const PulledRecords& records = records_[step];
      const bool fresh = is_new(step);
      if (fresh) wanted.full.push_back(records.version.content.tree.digest);
      if (!records.run) continue;
      if (fresh && records.run->artifacts) wanted.full.push_back(records.run->artifacts->digest);
      for (const RecordedInput& input : records.run->inputs) {
        if (!input.tree) continue;
        if (fresh) wanted.trees.push_back(input.tree->digest);
        if (data_wanted_) wanted.full.push_back(input.tree->digest);
      }
    }
    wanted.trees.insert(wanted.trees.end(), wanted.full.begin(), wanted.full.end());
    return wanted;
  }

  Result<void> bring_objects() {
    std::vector<OciDescriptor> bundles = bundles_of_new_steps();
    if (wish_.data == PublishWish::Data::included) {
      for (const OciManifest& manifest : attached_) {
        if (manifest.artifact_type != media_type::kData) continue;
        TRY(data_steps(manifest));
        bundles.insert(bundles.end(), manifest.layers.begin(), manifest.layers.end());
        data_wanted_ = true;
      }
      if (!data_wanted_) report_.missing.push_back("the data: it was not published with this version");
    }
    auto copied = bring(bundles);
    // What this store has of the versions before may be cut elsewhere than in the store that published.
    if (!copied.ok() && copied.error().code == Errc::not_found) {
      for (const PublishedStep& step : found_.publication.steps)
        bundles.insert(bundles.end(), step.layers.begin() + 1, step.layers.end());
      copied = bring(bundles);
    }
    if (!copied.ok() && copied.error().code == Errc::not_found)
      return fail(Errc::corrupt, "what was published as " + package().text() + "@" + found_.publication.version.text() +
                                     " is not whole: " + copied.error().message);
    TRY(copied);
    return store_.objects().sync();
  }

  [[nodiscard]] std::vector<OciDescriptor> bundles_of_new_steps() const {
    std::vector<OciDescriptor> bundles;
    for (std::size_t step = 0; step < found_.publication.steps.size(); ++step) {
      const auto& layers = found_.publication.steps[step].layers;
      if (is_new(step)) bundles.insert(bundles.end(), layers.begin() + 1, layers.end());
    }
    return bundles;
  }

  Result<void> bring(const std::vector<OciDescriptor>& blobs) {
    std::vector<OciDescriptor> each_once;
    std::set<Digest> seen;
    for (const OciDescriptor& blob : blobs) {
      if (seen.insert(blob.digest).second) each_once.push_back(blob);
    }
    TRY(folder_.fetch(each_once, wish_.progress, wish_.cancelled));
    const Path work = TRY(folder_.make_work_folder("objects"));
    std::vector<Path> files;
    for (const OciDescriptor& blob : each_once) {
      files.push_back(work / (blob.digest.hex() + ".bundle"));
      TRY(link_file(folder_.file_of(blob), files.back()));
    }
    const auto bundles = TRY(open_bundles(files, work));
    const Wanted want = wanted();
    for (const Digest& tree : want.trees)
      TRY(copy_object(tree, limits::kTreeBytes, Cut::fine, *bundles, store_.objects()));
    for (const Digest& tree : want.full) TRY(bring_files(tree, *bundles));
    return {};
  }

  Result<void> bring_files(const Digest& digest, PackObjects& bundles) {
    const Tree tree = TRY(load_tree(digest, store_.objects()));
    const TreeObjects objects(tree, files_of(tree));
    const std::span<const Digest> digests = objects.digests();
    return side_by_side(digests.size(), kCheckoutsAtOnce, [&](std::size_t which) -> Result<void> {
      if (which % 1024 == 0 && wish_.cancelled())
        return fail(Errc::cancelled, "the pull was given up; the store is as it was");
      const std::uint64_t bytes = tree.view(objects.files_of(which).front()).size;
      return copy_object(digests[which], bytes, Cut::coarse, bundles, store_.objects());
    });
  }
  static std::vector<std::uint32_t> files_of(const Tree& tree) {
    std::vector<std::uint32_t> files;
    for (std::uint32_t i = 0; i < tree.size(); ++i) {
      if (tree.view(i).digest != nullptr) files.push_back(i);
    }
    return files;
  }

  // The run before the version, so that whoever sees the version finds how it came to be.
  Result<void> write_records() {
    for (std::size_t step = 0; step < records_.size(); ++step) {
      const PulledRecords& records = records_[step];
      if (data_wanted_ && records.run) TRY(keep_snapshots(*records.run));
      if (!is_new(step)) continue;
      TRY(keep_pulled_run(records, *records_objects_, store_, now_()));
      TRY(registry().publish_pulled(records.version, records.text, now_()));
    }
    return {};
  }

  Result<void> keep_snapshots(const RunRecord& run) {
    for (const RecordedInput& input : run.inputs) {
      if (!input.tree) continue;
      const Snapshot snapshot{*input.tree, now_(), from_.remote->text(), run.run};
      TRY(Snapshots(store_.snapshots(), store_.journal()).add(snapshot));
    }
    return {};
  }

  Result<void> keep_attestations() {
    const Attestations attestations(store_.packages(), store_.journal());
    for (const OciManifest& manifest : attached_) {
      if (manifest.artifact_type != media_type::kAttestations) continue;
      TRY(folder_.fetch(manifest.layers, {}, wish_.cancelled));
      for (const OciDescriptor& layer : manifest.layers) {
        for (const PulledRecords& records : records_) {
          const PackageVersion& version = records.version.version;
          if (name_of(layer) != package().text() + "-" + version.text() + std::string(kAttestationsSuffix)) continue;
          const Envelopes pulled = TRY(read_attestations(folder_.file_of(layer)));
          TRY(attestations.change(package(), version, now_(), [&](const Envelopes& here) -> Result<Envelopes> {
            Envelopes all = here;
            for (const DsseEnvelope& envelope : pulled) add(envelope, all);
            return all;
          }));
        }
      }
    }
    return {};
  }

  static void add(const DsseEnvelope& envelope, Envelopes& all) {
    for (DsseEnvelope& here : all) {
      if (here.payload != envelope.payload || here.payload_type != envelope.payload_type) continue;
      for (const DsseSignature& signature : envelope.signatures) {
        if (std::find(here.signatures.begin(), here.signatures.end(), signature) == here.signatures.end())
          here.signatures.push_back(signature);
      }
      return;
    }
    all.push_back(envelope);
  }

  Result<void> keep_keys() {
    const KeyRing ring(store_.keys(), store_.scratch());
    std::set<std::string> known;
    for (const StoredKey& key : TRY(ring.list())) known.insert(key.key.id());
    for (const OciManifest& manifest : attached_) {
      if (manifest.artifact_type != media_type::kEvidence) continue;
      for (const OciDescriptor& layer : manifest.layers) {
        if (!name_of(layer).ends_with(kKeySuffix) || layer.bytes > kMostKeyBytes) continue;
        TRY(folder_.fetch({&layer, 1}, {}, wish_.cancelled));
        const auto key = PublicKey::from_pem(TRY(read_file(folder_.file_of(layer), kMostKeyBytes)));
        if (!key.ok() || !known.insert(key->id()).second) continue;
        if (wish_.keys == PullWish::Keys::trusted) {
          TRY(ring.import(TRY(KeyName::parse("pulled-" + key->id().substr(0, 12))), *key));
        } else {
          report_.unknown_keys.push_back(key->id());
        }
      }
    }
    return {};
  }

  const RemoteTarget& from_;
  const PullWish& wish_;
  const Store& store_;
  const std::function<Instant()>& now_;
  FoundPublication found_;
  PullFolder folder_;
  std::unique_ptr<PackObjects> records_objects_;
  std::vector<PulledRecords> records_;
  std::vector<OciManifest> attached_;
  bool data_wanted_ = false;
  PullReport report_{found_.publication.package, {}, found_.manifest.digest, 0, {}, {}};
};

}  // namespace

Result<PullReport> pull_version(const RemoteTarget& from, const PackageReference& reference, const PullWish& wish,
                                const Store& store, const std::function<Instant()>& now) {
  FoundPublication found = TRY(find_publication(*from.remote, reference));
  const Path pulls = store.root() / "cache" / "pulls";
  PullFolder folder =
      TRY(PullFolder::open(pulls / found.manifest.digest.hex(), *from.remote, found.publication.package));
  TRY(PullFolder::remove_forgotten(pulls, now()));
  return Pull(from, wish, store, now, std::move(found), std::move(folder)).run();
}

}  // namespace trainyard
