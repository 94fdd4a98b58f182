// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/output_sending.hpp"

#include <fcntl.h>

#include <chrono>
#include <thread>

#include "runner/engine/named_tree.hpp"
#include "runner/engine/scratch_file.hpp"
#include "runner/engine/stored_run_record.hpp"
#include "storage/archives/tar_writer.hpp"
#include "storage/runs/run_folder.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kOutputs = "application/vnd.trainyard.run-outputs.v1";
constexpr std::string_view kResults = "application/vnd.trainyard.results.v1+json";
constexpr std::string_view kTar = "application/vnd.trainyard.tree.v1.tar";

constexpr std::chrono::seconds kCollectorsEnd{30};
constexpr std::chrono::milliseconds kBetweenAsking{200};

// A tree that a run left, and the name of its tar.
struct Part {
  std::string name;
  std::string what;  // for people
  TreeSummary tree;
};

std::vector<Part> parts_of(const RunRecord& run) {
  std::vector<Part> parts;
  if (run.artifacts) parts.push_back({"artifacts.tar", "the artifacts", *run.artifacts});
  for (const RecordedInput& input : run.inputs) {
    const bool training = input.input == "train_data";
    if (input.snapshot && input.tree)
      parts.push_back({training ? "data.tar" : "evaluation-data.tar",
                       training ? "the training data" : "the evaluation data", *input.tree});
  }
  return parts;
}

class OutputSending {
 public:
  OutputSending(const RunRecord& run, const RemoteTarget& to, const SendOptions& options, const Store& store)
      : run_(run), to_(to), options_(options), store_(store) {}

  Result<SentOutputs> send(const Path& results) {
    // Keeps garbage from being collected.
    TRY(store_.objects().generation());
    const std::string text = TRY(read_file(results, limits::kRecordBytes));
    OciManifest manifest{std::string(kOutputs), named_layer(kResults, "results.json", sha256(text), text.size()), {}};
    TRY(put(manifest.config, results));
    for (const Part& part : parts_of(run_)) {
      all_ += part.tree.bytes;
      TRY(send_part(part, manifest));
    }
    if (manifest.layers.empty()) manifest.layers.push_back(manifest.config);
    manifest.annotations = {{"org.opencontainers.image.title", "outputs of the run " + run_.name.text()},
                            {"org.opencontainers.image.created", run_.ended_at.text()},
                            {"io.trainyard.package", package().text()},
                            {"io.trainyard.parent", run_.parent.version.text()},
                            {"io.trainyard.run", run_.run.text()},
                            {"io.trainyard.status", std::string(name_of(run_.outcome.status()))}};
    if (run_.version) manifest.annotations["io.trainyard.version"] = run_.version->version.text();
    const std::string bytes = manifest.text();
    const OciDescriptor descriptor = OciManifest::descriptor(bytes, manifest.artifact_type);
    const VersionLabel label = TRY(VersionLabel::parse("run-" + run_.run.text()));
    TRY(to_.remote->put_manifest(package(), bytes));
    TRY(to_.remote->set_label(package(), label, descriptor));
    TRY(await_collector());
    TRY(check_whole(manifest));
    return SentOutputs{label.text(), descriptor, sent_, std::move(missing_)};
  }

 private:
  [[nodiscard]] const PackageName& package() const { return run_.parent.package; }

  Result<void> send_part(const Part& part, OciManifest& manifest) {
    const auto tree = load_kept_tree(part.what, part.tree.digest, store_.objects());
    const ScratchFile file(store_, "outputs");
    TarOptions tar;
    tar.cancelled = options_.cancelled;
    const auto written = tree.ok() ? write_tar(*tree, store_.objects(), file.path(), tar) : tree.error();
    if (!written.ok()) {
      const Errc code = written.error().code;
      if (code != Errc::not_found && code != Errc::corrupt) return written.error();
      missing_.push_back(part.what + " cannot be sent, because the store does not have all of it any more: " +
                         written.error().message);
      return {};
    }
    const UniqueFd fd = TRY(open_file(file.path(), O_RDONLY));
    const StoredObject bytes = TRY(hash_file(fd.get(), file.path()));
    const OciDescriptor layer = named_layer(kTar, part.name, bytes.digest, bytes.bytes);
    TRY(put(layer, file.path()));
    done_ += part.tree.bytes;
    manifest.layers.push_back(layer);
    manifest.layers.back().annotations["io.trainyard.tree"] = part.tree.digest.hex();
    return {};
  }

  Result<void> put(const OciDescriptor& blob, const Path& file) {
    if (options_.cancelled()) return fail(Errc::cancelled, "sending the outputs of the run was given up");
    return to_.remote->put(package(), blob, file, [this](std::uint64_t bytes) {
      sent_ += bytes;
      if (options_.progress) options_.progress({done_, all_, sent_});
    });
  }

  // Who began to remove garbage before the label was there does not spare what it names.
  Result<void> await_collector() {
    for (const auto until = std::chrono::steady_clock::now() + kCollectorsEnd;;) {
      const auto nobody = to_.remote->check_nobody_collects(package());
      if (nobody.ok() || nobody.error().code != Errc::unavailable) return nobody;
      if (options_.cancelled()) return fail(Errc::cancelled, "sending the outputs of the run was given up");
      if (std::chrono::steady_clock::now() > until) return nobody;
      std::this_thread::sleep_for(kBetweenAsking);
    }
  }

  // Before it had a name, somebody may have taken what was there already for garbage.
  Result<void> check_whole(const OciManifest& manifest) {
    for (const OciDescriptor& blob : manifest.blobs()) {
      if (!TRY(to_.remote->has(package(), blob)))
        return fail(Errc::unavailable,
                    "what was sent to '" + to_.name + "' was removed there as garbage at the same time; send it again");
    }
    return {};
  }

  const RunRecord& run_;
  const RemoteTarget& to_;
  const SendOptions& options_;
  const Store& store_;
  std::vector<std::string> missing_;
  std::uint64_t all_ = 0;  // bytes of trees, as is the next
  std::uint64_t done_ = 0;
  std::atomic<std::uint64_t> sent_ = 0;
};

}  // namespace

Result<SentOutputs> send_outputs(const RunId& run, const RemoteTarget& to, const SendOptions& options,
                                 const Store& store) {
  const auto record = TRY(read_run_record(run, store));
  if (!record) return fail(Errc::not_found, "the run " + run.text() + " is not over, or was deleted");
  const Path results = RunFolders(store.runs(), store.active()).folder(run).results();
  auto sent = OutputSending(*record, to, options, store).send(results);
  store.objects().release();
  return sent;
}

}  // namespace trainyard
