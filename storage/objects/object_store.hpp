// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/objects/tombstones.hpp"
#include "storage/values/digest.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

struct StoredObject {
  Digest digest;
  std::uint64_t bytes = 0;
};

// Takes the bytes of an object in order, piece by piece; an error ends the reading and is passed on.
using ByteSink = std::function<Result<void>(std::string_view piece)>;

// How finely a large object is cut into the chunks by which it shares bytes with others: coarse for data, fine for
// long lists that change in few places.
enum class Cut { coarse, fine };

// One object on its way into a store, of a size not known before. Single-threaded. Without `finish` nothing is put.
class ObjectWriter {
 public:
  ObjectWriter() = default;
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;
  virtual ~ObjectWriter() = default;

  virtual Result<void> write(std::string_view piece) = 0;
  virtual Result<StoredObject> finish() = 0;
};

// Where the bytes of many objects go. Calls come from several threads at once, but those of one object from one thread
// and in order: any number of pieces, then one end.
class ObjectReceiver {
 public:
  ObjectReceiver() = default;
  ObjectReceiver(const ObjectReceiver&) = delete;
  ObjectReceiver& operator=(const ObjectReceiver&) = delete;
  virtual ~ObjectReceiver() = default;

  // `which` is the object's place in the list that was asked for. An error ends the whole reading.
  virtual Result<void> piece(std::size_t which, std::string_view bytes) = 0;
  // All pieces have come and they are those of the digest, or why not: `not_found`, `corrupt`, `io`.
  virtual Result<void> end(std::size_t which, const Result<void>& verdict) = 0;
};

// Bytes by their SHA-256. An object is written once and never changes; putting what is there already costs its hash.
// Thread-safe.
//
// What `put` returned is readable in this process at once, and survives a power cut after the next `sync`: so put
// everything, sync once, and only then write the record that names it.
class ObjectStore {
 public:
  ObjectStore() = default;
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;
  virtual ~ObjectStore() = default;

  virtual Result<Digest> put(std::string_view bytes) = 0;
  // The digest of each; the same as many `put`, and faster for small ones.
  virtual Result<std::vector<Digest>> put_each(std::span<const std::string_view> contents);
  // Everything from the file's current offset to its end; `expected` bytes are likely. `shown` names the file in errors.
  virtual Result<StoredObject> put_file(int fd, std::uint64_t expected, const Path& shown) = 0;
  virtual std::unique_ptr<ObjectWriter> writer(Cut cut) = 0;

  virtual Result<bool> has(const Digest& digest) = 0;
  // Yields the object's size. `not_found` when there is none, before anything reached the sink; `corrupt` when the bytes
  // that reached it are not those of the digest. Both name the digest.
  virtual Result<std::uint64_t> stream(const Digest& digest, const ByteSink& sink) = 0;
  // Each of `wanted` once, in whichever order is best for the disk. Fails when the receiver does, not when an object is
  // missing or corrupt.
  virtual Result<void> stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) = 0;

  virtual Result<void> sync() = 0;

  // Whoever puts objects keeps garbage from being collected, until he says that a record names them now.
  virtual void release() {}
  // A number that changes when objects are taken out of the store: what was there at one generation is there at the
  // same one. Holds until `release`. 0: nothing can be told.
  virtual Result<std::uint64_t> generation() { return std::uint64_t{0}; }
  // Why an object is missing on purpose.
  [[nodiscard]] virtual std::optional<Tombstone> tombstone(const Digest& /*digest*/) const { return std::nullopt; }

  // `invalid` when the object has more than `most` bytes.
  Result<std::string> read(const Digest& digest, std::size_t most);
  // After an error the file holds anything.
  Result<std::uint64_t> copy_to(const Digest& digest, int fd, const Path& shown);
};

// The digest and size of what is left of a file.
Result<StoredObject> hash_file(int fd, const Path& shown);

}  // namespace trainyard
