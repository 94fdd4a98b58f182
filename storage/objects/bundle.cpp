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

// Out of bundles, and what these have not out of the store that they are for. A few lists that name one another can stand
// for more bytes than there are, or be without an end, so each is held to what it says.
class Parts {
 public:
  Parts(PackObjects& bundles, ObjectStore& rest, const ByteSink& sink) : bundles_(bundles), rest_(rest), sink_(sink) {}

  // The bytes of an object, part by part.
  Result<void> stream(const Digest& digest, std::uint64_t most) {
    const auto list = TRY(list_of(digest));
    const std::string bytes = list ? "" : TRY(read(digest));
    if ((list ? list->total : bytes.size()) > most)
      return fail(Errc::corrupt, "the object " + digest.hex() + " has more than " + std::to_string(most) + " bytes");
    return list ? stream_refs(list->refs, list->depth, list->total) : sink_(bytes);
  }

 private:
  static Error wrong_list(const Digest& part) {
    return fail(Errc::corrupt, "a list of chunks does not say what its part " + part.hex() + " is");
  }

  Result<std::optional<ChunkList>> list_of(const Digest& digest) {
    return TRY(bundles_.has(digest)) ? bundles_.list_of(digest) : std::optional<ChunkList>();
  }
  Result<std::string> read(const Digest& digest) {
    ObjectStore& from = TRY(bundles_.has(digest)) ? static_cast<ObjectStore&>(bundles_) : rest_;
    return from.read(digest, kMostRaw);
  }
  // `bytes` is how many they cover together.
  Result<void> stream_refs(const std::vector<ChunkRef>& refs, std::uint32_t depth, std::uint64_t bytes) {
    for (const ChunkRef& ref : refs) {
      // One that covers nothing costs time and brings nobody nearer to the end.
      if (ref.bytes == 0 || ref.bytes > bytes || TRY(list_of(ref.digest))) return wrong_list(ref.digest);
      bytes -= ref.bytes;
      const std::string part = TRY(read(ref.digest));
      if (depth > 0) {
        TRY(stream_refs(TRY(read_refs(part)), depth - 1, ref.bytes));
      } else if (part.size() == ref.bytes) {
        TRY(sink_(part));
      } else {
        return wrong_list(ref.digest);
      }
    }
    return bytes == 0 ? Result<void>() : fail(Errc::corrupt, "a list of chunks covers less than it says");
  }

  PackObjects& bundles_;
  ObjectStore& rest_;
  const ByteSink& sink_;
};

}  // namespace

Result<void> BundleContents::add(const Digest& object, Where where) {
  const auto found = TRY(add_one(object, where));
  if (!found || found->kind != ObjectKind::list) return {};
  const auto list = TRY(objects_.list_of(object));
  return list ? add_refs(list->refs, list->depth, where) : Result<void>();
}

// None when it was added before, or was purged.
Result<std::optional<ObjectPlace>> BundleContents::add_one(const Digest& object, Where where) {
  if (!seen_.insert(object).second) return std::optional<ObjectPlace>();
  const auto found = objects_.index().find(object);
  if (!found && objects_.tombstone(object)) return std::optional<ObjectPlace>();
  if (!found)
    return fail(Errc::not_found,
                "the object " + object.hex() + " is not in the store; 'trainyard store fsck' tells what is missing");
  if (where == Where::carried) members_.push_back({object, found->place.length});
  return std::optional(found->place);
}

Result<void> BundleContents::add_refs(const std::vector<ChunkRef>& refs, std::uint32_t depth, Where where) {
  for (const ChunkRef& ref : refs) {
    const auto found = TRY(add_one(ref.digest, where));
    if (depth == 0 || !found) continue;
    TRY(add_refs(TRY(read_refs(TRY(objects_.read(ref.digest, kMostRaw)))), depth - 1, where));
  }
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

Result<void> copy_object(const Digest& wanted, std::uint64_t most, Cut cut, PackObjects& bundles, ObjectStore& to) {
  if (TRY(to.has(wanted))) return {};
  const auto writer = to.writer(cut);
  const ByteSink sink = [&](std::string_view piece) { return writer->write(piece); };
  TRY(Parts(bundles, to, sink).stream(wanted, most));
  const StoredObject stored = TRY(writer->finish());
  if (stored.digest == wanted) return {};
  return fail(Errc::corrupt, "the object " + wanted.hex() + " has other bytes than its digest says");
}

}  // namespace trainyard
