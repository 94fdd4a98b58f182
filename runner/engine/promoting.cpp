// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/promoting.hpp"

#include <fcntl.h>

#include "runner/engine/scratch_file.hpp"
#include "runner/engine/side_by_side.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kCopiesAtOnce = 4;

// Blobs of one package on their way from remote to remote.
class Carrying {
 public:
  Carrying(const PackageName& package, Remote& from, Remote& to, const SendOptions& options, const Store& store)
      : package_(package), from_(from), to_(to), options_(options), store_(store) {}

  Result<void> carry(const std::vector<OciDescriptor>& blobs) {
    for (const OciDescriptor& blob : blobs) all_ += blob.bytes;
    return side_by_side(blobs.size(), kCopiesAtOnce, [&](std::size_t which) -> Result<void> {
      if (options_.cancelled()) return fail(Errc::cancelled, "promoting was given up; nothing of it can be seen");
      TRY(carry_one(blobs[which]));
      done_ += blobs[which].bytes;
      if (options_.progress) options_.progress({done_, all_, sent_});
      return {};
    });
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  Result<void> carry_one(const OciDescriptor& blob) {
    if (TRY(to_.has(package_, blob))) return {};
    const ScratchFile file(store_, "promote");
    {
      const UniqueFd fd = TRY(open_file(file.path(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
      TRY(from_.get(package_, blob, [&](std::string_view piece) { return write_all(fd.get(), piece, file.path()); }));
    }
    return to_.put(package_, blob, file.path(), [this](std::uint64_t bytes) { sent_ += bytes; });
  }

  const PackageName& package_;
  Remote& from_;
  Remote& to_;
  const SendOptions& options_;
  const Store& store_;
  std::atomic<std::uint64_t> all_ = 0;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<std::uint64_t> sent_ = 0;
};

}  // namespace

Result<PublishReport> promote_version(const FoundPublication& found, const RemoteTarget& from, const RemoteTarget& to,
                                      const std::optional<VersionLabel>& label, const SendOptions& options,
                                      const Store& store, const Publisher& publisher) {
  const PackageName& package = found.publication.package;
  const PackageVersion& version = found.publication.version;
  const Digest& record = found.publication.record.digest;
  const auto shown = TRY(shown_on(to, package, version, record));
  PublishReport report;
  Carrying carrying(package, *from.remote, *to.remote, options, store);
  const std::vector<OciDescriptor> blobs = TRY(OciManifest::parse(found.text)).blobs();
  if (!shown) {
    TRY(carrying.carry(blobs));
    TRY(to.remote->put_manifest(package, found.text));
  }
  // What names another manifest as its subject is not about what is shown there.
  if (!shown || shown->digest == found.manifest.digest) {
    for (const OciDescriptor& each : TRY(from.remote->attached(package, found.manifest.digest))) {
      const std::string text = TRY(from.remote->manifest(package, each.digest));
      TRY(carrying.carry(TRY(OciManifest::parse(text)).blobs()));
      TRY(to.remote->attach(package, text));
    }
  }
  if (shown) {
    report.places.push_back({to.name, to.remote->text(), PublishedAt::State::was_there, *shown});
  } else {
    report.places =
        TRY(make_visible({package, version, record, found.manifest, blobs}, {to}, options.cancelled, store, publisher));
  }
  if (label) TRY(to.remote->set_label(package, *label, report.places.front().manifest));
  report.sent = carrying.sent();
  return report;
}

}  // namespace trainyard
