// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "storage/objects/pack_objects.hpp"

// Objects on their way from one store to another. A bundle is a pack (pack_format.hpp) that belongs to no store yet. Its
// bytes depend on its objects, their order and the version of libzstd alone, not on how a store happens to keep them.
namespace trainyard {

struct BundleMember {
  Digest digest;
  std::uint32_t bytes = 0;  // of its record: of what is a list, those of the list
};

// Which objects something needs that is to be carried, in the order in which they are read best, each once.
class BundleContents {
 public:
  enum class Where {
    carried,
    known,  // whoever gets the bundles has it already
  };

  // Everything is synced. Outlives this.
  explicit BundleContents(PackObjects& objects) : objects_(objects) {}

  // The object and all its parts. What was purged is left out; what is missing otherwise is `not_found`.
  Result<void> add(const Digest& object, Where where);
  [[nodiscard]] const std::vector<BundleMember>& members() const { return members_; }
  [[nodiscard]] std::vector<BundleMember> take() { return std::exchange(members_, {}); }

 private:
  Result<std::optional<ObjectPlace>> add_one(const Digest& object, Where where);
  Result<void> add_refs(const std::vector<pack_format::ChunkRef>& refs, std::uint32_t depth, Where where);

  PackObjects& objects_;
  std::unordered_set<Digest> seen_;
  std::vector<BundleMember> members_;
};

// How many of the members, from the first on, make one bundle: about 32 MiB of them. Pure; 0 of none.
std::size_t bundle_size(std::span<const BundleMember> members);

// Writes a new file; every object is verified on the way. Yields the SHA-256 and length of the file. Nothing is synced.
Result<StoredObject> write_bundle(std::span<const BundleMember> members, PackObjects& objects, const Path& file);

// Makes an object store out of bundles that strangers have made: in `folder`, which is empty, and of files that it moves
// there. Nothing in it is trusted: objects with other bytes than their digests say are not in it.
Result<std::unique_ptr<PackObjects>> open_bundles(std::span<const Path> bundles, const Path& folder);

// Puts an object of `most` bytes at most into `to`, unless it is there: from the bundles, and what of it these have not
// from `to` itself. `corrupt` when it is longer or its bytes are not those of the digest, `not_found` when a part is in
// neither.
Result<void> copy_object(const Digest& wanted, std::uint64_t most, Cut cut, PackObjects& bundles, ObjectStore& to);

}  // namespace trainyard
