// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_format.hpp"

#include <cstring>
#include <limits>

#include "storage/values/sha256.hpp"

namespace trainyard::pack_format {

namespace {

constexpr std::string_view kListMagic = "TYL1";
constexpr std::size_t kCheckBytes = 8;
constexpr std::size_t kListFront = 24;
constexpr std::uint32_t kListBit = std::uint32_t{1} << 31U;

Error bad(const char* what) { return fail(Errc::corrupt, what); }

// The check covers the header but itself, and the table.
std::string check_of(std::string_view header, std::string_view table) {
  thread_local Sha256 hash;
  hash.update(header.substr(0, kHeaderBytes - kCheckBytes));
  hash.update(table);
  const Digest digest = hash.finish();
  return {reinterpret_cast<const char*>(digest.bytes().data()), kCheckBytes};
}

}  // namespace

Digest get_digest(std::string_view bytes, std::size_t at) {
  std::array<std::uint8_t, Digest::kBytes> digest{};
  std::memcpy(digest.data(), bytes.data() + at, digest.size());
  return Digest(digest);
}

void put_digest(std::string& bytes, const Digest& digest) {
  bytes.append(reinterpret_cast<const char*>(digest.bytes().data()), Digest::kBytes);
}

std::string record_front(Coding coding, std::span<const RecordObject> objects, std::size_t payload_bytes) {
  std::string front;
  front.reserve(kHeaderBytes + objects.size() * kTableBytes);
  front += kRecordMagic;
  put_number(front, static_cast<std::uint32_t>(coding));
  put_number(front, static_cast<std::uint32_t>(objects.size()));
  put_number(front, static_cast<std::uint32_t>(payload_bytes));
  std::uint32_t raw = 0;
  for (const RecordObject& object : objects) raw += object.length;
  put_number(front, raw);
  put_number(front, std::uint32_t{0});
  front.append(kCheckBytes, '\0');
  for (const RecordObject& object : objects) {
    put_digest(front, object.digest);
    put_number(front, object.length | (object.kind == ObjectKind::list ? kListBit : 0));
  }
  const std::string_view whole = front;
  const std::string check = check_of(whole.substr(0, kHeaderBytes), whole.substr(kHeaderBytes));
  front.replace(kHeaderBytes - kCheckBytes, kCheckBytes, check);
  return front;
}

Result<RecordHeader> read_header(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return bad("a record ends within its header");
  if (!bytes.starts_with(kRecordMagic)) return bad("there is no record where one should begin");
  const auto coding = get_number<std::uint32_t>(bytes, 4);
  if (coding > static_cast<std::uint32_t>(Coding::zstd)) return bad("a record is coded in an unknown way");
  const RecordHeader header{static_cast<Coding>(coding), get_number<std::uint32_t>(bytes, 8),
                            get_number<std::uint32_t>(bytes, 12), get_number<std::uint32_t>(bytes, 16)};
  if (header.raw_bytes > kMostRaw || header.payload_bytes > kMostRaw) return bad("a record says that it is too large");
  if (header.objects == 0 || header.objects > kMostRaw / kTableBytes)
    return bad("a record says a strange number of objects");
  if (header.coding == Coding::none && header.raw_bytes != header.payload_bytes)
    return bad("a record's two sizes contradict each other");
  return header;
}

Result<std::vector<RecordObject>> read_table(const RecordHeader& header, std::string_view front) {
  if (front.size() < kHeaderBytes + header.table_bytes()) return bad("a record ends within its table");
  const std::string_view table = front.substr(kHeaderBytes, header.table_bytes());
  if (front.substr(kHeaderBytes - kCheckBytes, kCheckBytes) != check_of(front, table))
    return bad("a record's table does not fit its check");
  std::vector<RecordObject> objects;
  objects.reserve(header.objects);
  std::uint64_t raw = 0;
  for (std::size_t at = 0; at < table.size(); at += kTableBytes) {
    const auto length = get_number<std::uint32_t>(table, at + Digest::kBytes);
    const ObjectKind kind = (length & kListBit) != 0 ? ObjectKind::list : ObjectKind::bytes;
    objects.push_back({get_digest(table, at), length & ~kListBit, kind});
    raw += objects.back().length;
  }
  if (raw != header.raw_bytes) return bad("the objects of a record are not as long as the record");
  return objects;
}

std::string write_refs(std::span<const ChunkRef> refs) {
  std::string bytes;
  bytes.reserve(refs.size() * kRefBytes);
  for (const ChunkRef& ref : refs) {
    put_digest(bytes, ref.digest);
    put_number(bytes, ref.bytes);
  }
  return bytes;
}

Result<std::vector<ChunkRef>> read_refs(std::string_view bytes) {
  if (bytes.size() % kRefBytes != 0) return bad("a list of chunks ends within a line");
  std::vector<ChunkRef> refs;
  refs.reserve(bytes.size() / kRefBytes);
  for (std::size_t at = 0; at < bytes.size(); at += kRefBytes)
    refs.push_back({get_digest(bytes, at), get_number<std::uint64_t>(bytes, at + Digest::kBytes)});
  return refs;
}

std::string write_list(const ChunkList& list) {
  std::string bytes(kListMagic);
  put_number(bytes, list.depth);
  put_number(bytes, std::uint64_t{0});
  put_number(bytes, list.total);
  bytes += write_refs(list.refs);
  put_digest(bytes, sha256(bytes));
  return bytes;
}

Result<ChunkList> read_list(std::string_view bytes) {
  if (bytes.size() < kListFront + Digest::kBytes || !bytes.starts_with(kListMagic))
    return bad("a list of chunks does not begin like one");
  const std::string_view checked = bytes.substr(0, bytes.size() - Digest::kBytes);
  if (sha256(checked) != get_digest(bytes, checked.size())) return bad("a list of chunks does not fit its check");
  ChunkList list{get_number<std::uint32_t>(bytes, 4), get_number<std::uint64_t>(bytes, 16), {}};
  if (list.depth > kMostDepth) return bad("a list of chunks is too deep");
  list.refs = TRY(read_refs(checked.substr(kListFront)));
  std::uint64_t total = 0;
  for (const ChunkRef& ref : list.refs) {
    if (ref.bytes > std::numeric_limits<std::uint64_t>::max() - total) return bad("a list of chunks is too long");
    total += ref.bytes;
  }
  if (total != list.total) return bad("the chunks of a list are not as long as the list says");
  return list;
}

}  // namespace trainyard::pack_format
