// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/version_share.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "runner/engine/run_roots.hpp"
#include "storage/archives/tar_writer.hpp"
#include "storage/packages/attestations.hpp"
#include "storage/packages/registry.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kTarBlock = 512;

// In a run's folder, what is not its record: what others keep, and what may still be added to.
const std::set<std::string> kNotRecords = {"workspace", "checkpoints", "artifacts", std::string(kRunAttestations)};

Result<bool> has_files(const Digest& digest, ObjectStore& objects) {
  const auto tree = load_tree(digest, objects);
  if (!tree.ok()) return tree.error().code == Errc::io ? Result<bool>(tree.error()) : false;
  for (std::size_t i = 0; i < tree->size(); ++i) {
    const Digest* const file = tree->view(i).digest;
    if (file != nullptr && !TRY(objects.has(*file))) return false;
  }
  return true;
}

Result<VersionShare> share_of(const VersionRecord& version, const Store& store) {
  const PackageRegistry registry(store.packages(), store.journal());
  const RelPath path = TRY(registry.record_path(version.content.name, version.version));
  std::string record = TRY(read_file(store.root() / path.bytes(), limits::kRecordBytes));
  VersionShare share{version, std::move(record), std::nullopt, {version.content.tree.digest}, {}};
  if (!version.content.run) return share;
  RunFolder run = RunFolders(store.runs(), store.active()).folder(*version.content.run);
  if (!is_there(run.results())) return share;
  const auto stored = TRY(read_stored_run(run, RunLife::over));
  if (!stored) return share;
  for (const StoreRoot& root : roots_of(*stored, RunLife::over)) {
    if (root.files == StoreRoot::Files::needed) {
      share.files.push_back(root.tree);
      continue;
    }
    if (TRY(store.objects().has(root.tree))) share.lists.push_back(root.tree);
  }
  share.run = std::move(run);
  return share;
}

struct RecordFile {
  std::string name;  // in the tar
  Path path;
};

Result<void> list_records(const Path& folder, const std::string& name, std::vector<RecordFile>& files) {
  for (const std::string& each : TRY(list_folder(folder))) {
    if (name == kSharedRun && kNotRecords.contains(each)) continue;
    const Path path = folder / each;
    const auto status = TRY(status_of(path));
    if (!status) continue;
    if (S_ISDIR(status->st_mode)) TRY(list_records(path, name + "/" + each, files));
    if (S_ISREG(status->st_mode)) files.push_back({name + "/" + each, path});
  }
  return {};
}

// A file that grows as a tar, and the digest of what it holds.
class RecordsTar {
 public:
  static Result<RecordsTar> create(const Path& path) {
    return RecordsTar(path, TRY(open_file(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644)));
  }

  Result<void> begin(const std::string& name, std::uint64_t bytes) {
    TreeEntry entry{TRY(RelPath::parse(name)), TreeEntry::Kind::file, bytes, false, {}};
    return write(tar_header(entry));
  }
  Result<void> write(std::string_view bytes) {
    hash_->update(bytes);
    bytes_ += bytes.size();
    return write_all(fd_.get(), bytes, path_);
  }
  Result<void> fill() { return write(std::string((kTarBlock - bytes_ % kTarBlock) % kTarBlock, '\0')); }
  Result<StoredObject> finish() {
    TRY(write(std::string(2 * kTarBlock, '\0')));
    const Digest digest = hash_->finish();
    return StoredObject{digest, bytes_};
  }

 private:
  RecordsTar(Path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)), hash_(std::make_unique<Sha256>()) {}

  Path path_;
  UniqueFd fd_;
  std::unique_ptr<Sha256> hash_;
  std::uint64_t bytes_ = 0;
};

Result<void> copy_file(const RecordFile& file, RecordsTar& tar) {
  const UniqueFd fd = TRY(open_file(file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const auto status = TRY(status_of(file.path));
  std::uint64_t left = status ? static_cast<std::uint64_t>(status->st_size) : 0;
  TRY(tar.begin(file.name, left));
  std::vector<std::byte> buffer(std::size_t{64} << 10U);
  while (left > 0) {
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    const std::size_t got = TRY(read_some(fd.get(), std::span(buffer).first(most), file.path));
    if (got == 0) return fail(Errc::io, "'" + file.path.string() + "' became shorter while it was read");
    TRY(tar.write(std::string_view(reinterpret_cast<const char*>(buffer.data()), got)));
    left -= got;
  }
  return tar.fill();
}

}  // namespace

Result<std::vector<VersionShare>> shares_of(const VersionRecord& version, const Store& store) {
  const PackageRegistry registry(store.packages(), store.journal());
  std::vector<VersionShare> shares;
  std::optional<VersionRecord> next = version;
  while (next) {
    shares.push_back(TRY(share_of(*next, store)));
    const auto parent = next->content.parent;
    next.reset();
    if (!parent) break;
    auto found = registry.find({version.content.name, *parent});
    if (!found.ok() && found.error().code != Errc::not_found) return found.error();
    if (found.ok()) next = std::move(*found);
  }
  std::reverse(shares.begin(), shares.end());
  return shares;
}

Digest digest_of(const VersionShare& share) {
  std::string facts = sha256(share.record).hex() + (share.run ? " with its run" : "");
  for (const Digest& tree : share.files) facts += " files " + tree.hex();
  for (const Digest& tree : share.lists) facts += " list " + tree.hex();
  return sha256(facts);
}

Result<std::vector<Digest>> kept_data(const VersionShare& share, const Store& store) {
  std::vector<Digest> kept;
  for (const Digest& tree : share.lists) {
    if (TRY(has_files(tree, store.objects()))) kept.push_back(tree);
  }
  return kept;
}

Result<void> add_files(const Digest& tree, BundleContents::Where where, const Store& store, BundleContents& contents) {
  const Tree files = TRY(load_tree(tree, store.objects()));
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (const Digest* const file = files.view(i).digest) TRY(contents.add(*file, where));
  }
  return {};
}

Result<void> add_objects(const VersionShare& share, BundleContents::Where where, const Store& store,
                         BundleContents& contents) {
  for (const Digest& tree : share.files) {
    TRY(contents.add(tree, where));
    TRY(add_files(tree, where, store, contents));
  }
  for (const Digest& tree : share.lists) TRY(contents.add(tree, where));
  return {};
}

Result<StoredObject> write_records(const VersionShare& share, const Path& file) {
  RecordsTar tar = TRY(RecordsTar::create(file));
  std::vector<RecordFile> files;
  if (share.run) TRY(list_records(share.run->path(), std::string(kSharedRun), files));
  for (const RecordFile& each : files) TRY(copy_file(each, tar));
  TRY(tar.begin(std::string(kSharedRecord), share.record.size()));
  TRY(tar.write(share.record));
  TRY(tar.fill());
  return tar.finish();
}

}  // namespace trainyard
