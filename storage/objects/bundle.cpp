// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/bundle.hpp"

#include <fcntl.h>

#include "storage/objects/block_codec.hpp"
#include "storage/objects/fsck.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

constexpr std::uint64_t kBundleBytes = std::uint64_t{32} << 20U;
// Raw bytes of one record: as PackObjects gathers small objects, and the chunks of large ones.
constexpr std::size_t kRecordBytes = std::size_t{1} << 20U;

// One growing bundle.
class BundleFile {
 public:
  static Result<BundleFile> create(const Path& path) {
    return BundleFile(path, TRY(open_file(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644)));
  }

  Result<void> add(const RecordObject& object, std::string_view raw) {
    if (!raw_.empty() && raw_.size() + raw.size() > kRecordBytes) TRY(write_record());
    raw_ += raw;
    objects_.push_back(object);
    return {};
  }
  Result<StoredObject> finish() {
    if (!objects_.empty()) TRY(write_record());
    const Digest digest = hash_->finish();
    return StoredObject{digest, bytes_};
  }
  Result<void> write(std::string_view bytes) {
    hash_->update(bytes);
    bytes_ += bytes.size();
    return write_all(fd_.get(), bytes, path_);
  }

 private:
  BundleFile(Path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)), hash_(std::make_unique<Sha256>()) {}

  Result<void> write_record() {
    const std::string_view frame = looks_incompressible(raw_) ? std::string_view() : compress_block(raw_);
    const std::string_view payload = frame.empty() ? std::string_view(raw_) : frame;
    TRY(write(record_front(frame.empty() ? Coding::none : Coding::zstd, objects_, payload.size())));
    TRY(write(payload));
    raw_.clear();
    objects_.clear();
    return {};
  }

  Path path_;
  UniqueFd fd_;
  std::unique_ptr<Sha256> hash_;
  std::uint64_t bytes_ = 0;
  std::string raw_;
  std::vector<RecordObject> objects_;
};

// The bytes of an object, part by part.
Result<void> stream_parts(const Digest& digest, PackObjects& bundles, ObjectStore& rest, std::uint32_t depth,
                          const ByteSink& sink) {
  if (!TRY(bundles.has(digest))) {
    TRY(rest.stream(digest, sink));
    return {};
  }
  const auto list = TRY(bundles.list_of(digest));
  if (!list) return sink(TRY(bundles.read(digest, kMostRaw)));
  if (depth > kMostDepth) return fail(Errc::corrupt, "the object " + digest.hex() + " is a list of lists without end");
  for (const ChunkRef& ref : list->refs) TRY(stream_parts(ref.digest, bundles, rest, depth + 1, sink));
  return {};
}

}  // namespace

Result<void> BundleContents::add(const Digest& object, Where where) {
  if (!seen_.insert(object).second) return {};
  const auto found = objects_.index().find(object);
  if (!found) {
    if (objects_.tombstone(object)) return {};
    return fail(Errc::not_found,
                "the object " + object.hex() + " is not in the store; 'trainyard store fsck' tells what is missing");
  }
  if (where == Where::carried) members_.push_back({object, found->place.length});
  if (found->place.kind != ObjectKind::list) return {};
  const auto list = TRY(objects_.list_of(object));
  if (!list) return {};
  for (const ChunkRef& ref : list->refs) TRY(add(ref.digest, where));
  return {};
}

std::size_t bundle_size(std::span<const BundleMember> members) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    bytes += members[i].bytes + kTableBytes;
    if (bytes >= kBundleBytes) return i + 1;
  }
  return members.size();
}

Result<StoredObject> write_bundle(std::span<const BundleMember> members, PackObjects& objects, const Path& file) {
  BundleFile bundle = TRY(BundleFile::create(file));
  TRY(bundle.write(kPackMagic));
  for (const BundleMember& member : members) {
    const auto list = TRY(objects.list_of(member.digest));
    const std::string raw = list ? write_list(*list) : TRY(objects.read(member.digest, kMostRaw));
    TRY(bundle.add({member.digest, static_cast<std::uint32_t>(raw.size()), list ? ObjectKind::list : ObjectKind::bytes},
                   raw));
  }
  return bundle.finish();
}

Result<std::unique_ptr<PackObjects>> open_bundles(std::span<const Path> bundles, const Path& folder) {
  const Path root = folder / "objects";
  const Path scratch = folder / "tmp";
  TRY(make_folders(scratch));
  TRY(make_folders(root));
  TRY(PackObjects::create(root));
  for (const Path& bundle : bundles) TRY(rename_path(bundle, root / "packs" / (text_of(new_pack_id()) + ".pack")));
  auto objects = TRY(PackObjects::open(root, scratch, PackObjects::DamagedIndex::open));
  TRY(repair_objects(*objects, {}));
  return objects;
}

Result<void> copy_object(const Digest& wanted, Cut cut, PackObjects& bundles, ObjectStore& to) {
  if (TRY(to.has(wanted))) return {};
  const auto writer = to.writer(cut);
  TRY(stream_parts(wanted, bundles, to, 0, [&](std::string_view piece) { return writer->write(piece); }));
  const StoredObject stored = TRY(writer->finish());
  if (stored.digest == wanted) return {};
  return fail(Errc::corrupt, "the object " + wanted.hex() + " has other bytes than its digest says");
}

}  // namespace trainyard
