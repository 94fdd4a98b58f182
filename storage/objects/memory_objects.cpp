// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/memory_objects.hpp"

#include <algorithm>
#include <vector>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMemoryPiece = std::size_t{1} << 16U;

class MemoryWriter final : public ObjectWriter {
 public:
  explicit MemoryWriter(MemoryObjects& objects) : objects_(objects) {}
  Result<void> write(std::string_view piece) override {
    bytes_ += piece;
    return {};
  }
  Result<StoredObject> finish() override { return StoredObject{TRY(objects_.put(bytes_)), bytes_.size()}; }

 private:
  MemoryObjects& objects_;
  std::string bytes_;
};

}  // namespace

Result<Digest> MemoryObjects::put(std::string_view bytes) {
  const Digest digest = sha256(bytes);
  const std::lock_guard lock(mutex_);
  objects_.try_emplace(digest, std::make_shared<const std::string>(bytes));
  return digest;
}

Result<StoredObject> MemoryObjects::put_file(int fd, std::uint64_t expected, const Path& shown) {
  std::string bytes;
  bytes.reserve(expected);
  std::vector<std::byte> part(kMemoryPiece);
  for (;;) {
    const std::size_t got = TRY(read_some(fd, part, shown));
    bytes.append(reinterpret_cast<const char*>(part.data()), got);
    if (got < part.size()) break;
  }
  return StoredObject{TRY(put(bytes)), bytes.size()};
}

std::unique_ptr<ObjectWriter> MemoryObjects::writer(Cut /*cut*/) { return std::make_unique<MemoryWriter>(*this); }

Result<bool> MemoryObjects::has(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  return objects_.contains(digest);
}

Result<std::uint64_t> MemoryObjects::stream(const Digest& digest, const ByteSink& sink) {
  const auto bytes = TRY(find(digest));
  for (std::size_t begin = 0; begin < bytes->size(); begin += kMemoryPiece)
    TRY(sink(std::string_view(*bytes).substr(begin, kMemoryPiece)));
  if (sha256(*bytes) != digest)
    return fail(Errc::corrupt, "the object " + digest.hex() + " is corrupt: its bytes have another digest");
  return bytes->size();
}

Result<void> MemoryObjects::stream_each(std::span<const Digest> wanted, ObjectReceiver& receiver) {
  for (std::size_t which = 0; which < wanted.size(); ++which) {
    Result<void> received;
    const auto streamed = stream(wanted[which], [&](std::string_view piece) {
      received = receiver.piece(which, piece);
      return received;
    });
    TRY(received);
    TRY(receiver.end(which, streamed.ok() ? Result<void>() : streamed.error()));
  }
  return {};
}

void MemoryObjects::forget(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  objects_.erase(digest);
}

void MemoryObjects::damage(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  std::string bytes = *objects_.at(digest);
  bytes.at(0) = static_cast<char>(bytes[0] ^ 1);
  objects_.at(digest) = std::make_shared<const std::string>(std::move(bytes));
}

Result<std::shared_ptr<const std::string>> MemoryObjects::find(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(digest);
  if (found == objects_.end()) return fail(Errc::not_found, "the store has no object " + digest.hex());
  return found->second;
}

}  // namespace trainyard
