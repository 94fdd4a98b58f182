// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/sealing.hpp"

#include <zlib.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "storage/objects/pack_format.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard::fuzz {

namespace {

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <class Number>
std::size_t number(Bytes bytes, std::size_t at) {
  return pack_format::get_number<Number>(text_of(bytes), at);
}

void put32(Bytes bytes, std::size_t at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

bool has(Bytes bytes, std::size_t at, std::string_view word) {
  return at <= bytes.size() && text_of(bytes.subspan(at)).starts_with(word);
}

void put_digest(Bytes to, const Digest& digest, std::size_t bytes = Digest::kBytes) {
  std::copy_n(digest.bytes().begin(), bytes, to.begin());
}

// What a deflated entry unpacks to; no more than a megabyte of it.
std::string inflated(Bytes packed) {
  std::string raw(std::size_t{1} << 20U, '\0');
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  stream.next_in = packed.data();
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(raw.data());
  stream.avail_out = static_cast<uInt>(raw.size());
  ::inflate(&stream, Z_FINISH);
  raw.resize(stream.total_out);
  ::inflateEnd(&stream);
  return raw;
}

constexpr std::size_t kLocal = 30;
constexpr std::size_t kCentral = 46;

void seal_entry(Bytes zip, Bytes central) {
  const std::size_t offset = number<std::uint32_t>(central, 42);
  if (!has(zip, offset, "PK\x03\x04") || zip.size() - offset < kLocal) return;
  const Bytes local = zip.subspan(offset);
  const std::size_t data_at = kLocal + number<std::uint16_t>(local, 26) + number<std::uint16_t>(local, 28);
  const std::size_t packed = number<std::uint32_t>(central, 20);
  if (data_at <= local.size() && packed <= local.size() - data_at) {
    const Bytes data = local.subspan(data_at, packed);
    const std::size_t method = number<std::uint16_t>(central, 10);
    const std::string raw = method == 8 ? inflated(data) : std::string(text_of(data));
    if (method == 0 || (method == 8 && !raw.empty())) {
      put32(central, 16, ::crc32(0, reinterpret_cast<const Bytef*>(raw.data()), static_cast<uInt>(raw.size())));
      put32(central, 24, raw.size());
    }
  }
  std::copy_n(central.begin() + 6, 22, local.begin() + 4);
  const std::size_t name = number<std::uint16_t>(central, 28);
  if (name != number<std::uint16_t>(local, 26) || kCentral + name > central.size() || kLocal + name > local.size())
    return;
  std::copy_n(central.begin() + kCentral, name, local.begin() + kLocal);
}

// The checks of the lists among the objects of a record, and the digests of the others.
void seal_objects(Bytes table, Bytes raw) {
  for (std::size_t at = 0; at < table.size(); at += pack_format::kTableBytes) {
    const std::size_t length = number<std::uint32_t>(table, at + Digest::kBytes);
    const std::size_t bytes = length & 0x7FFF'FFFFU;
    if (bytes > raw.size()) return;
    const Bytes object = raw.first(bytes);
    if (length == bytes) {
      put_digest(table.subspan(at), sha256(text_of(object)));
    } else if (bytes >= Digest::kBytes) {
      const Bytes checked = object.first(bytes - Digest::kBytes);
      put_digest(object.last(Digest::kBytes), sha256(text_of(checked)));
    }
    raw = raw.subspan(bytes);
  }
}

}  // namespace

void seal_tar(Bytes bytes) {
  constexpr std::size_t kBlock = 512;
  constexpr std::size_t kSum = 148;
  for (; bytes.size() >= kBlock; bytes = bytes.subspan(kBlock)) {
    if (!has(bytes, 257, "ustar")) continue;
    std::fill_n(bytes.begin() + kSum, 8, std::uint8_t{' '});
    std::size_t sum = 0;
    for (const std::uint8_t byte : bytes.first(kBlock)) sum += byte;
    for (std::size_t i = 6; i > 0; --i, sum >>= 3U) bytes[kSum + i - 1] = static_cast<std::uint8_t>('0' + (sum & 7U));
    bytes[kSum + 6] = 0;
  }
}

void seal_zip(Bytes bytes) {
  const std::size_t end = text_of(bytes).rfind("PK\x05\x06");
  if (end == std::string_view::npos || bytes.size() - end < 22) return;
  std::size_t at = number<std::uint32_t>(bytes, end + 16);
  while (has(bytes, at, "PK\x01\x02") && bytes.size() - at >= kCentral) {
    const Bytes central = bytes.subspan(at);
    seal_entry(bytes, central);
    at += kCentral + number<std::uint16_t>(central, 28) + number<std::uint16_t>(central, 30) +
          number<std::uint16_t>(central, 32);
  }
}

void seal_pack(Bytes bytes) {
  if (has(bytes, 0, "TYINDEX1") && bytes.size() >= 16 + Digest::kBytes) {
    const Bytes checked = bytes.first(bytes.size() - Digest::kBytes);
    put_digest(bytes.last(Digest::kBytes), sha256(text_of(checked)));
  }
  std::size_t at = pack_format::kPackMagic.size();
  while (has(bytes, at, "TYR1") && bytes.size() - at >= pack_format::kHeaderBytes) {
    const Bytes record = bytes.subspan(at);
    const std::size_t table = number<std::uint32_t>(record, 8) * pack_format::kTableBytes;
    const std::size_t payload = number<std::uint32_t>(record, 12);
    const std::size_t all = pack_format::kHeaderBytes + table + payload;
    if (all > record.size()) return;
    if (number<std::uint32_t>(record, 4) == 0)
      seal_objects(record.subspan(pack_format::kHeaderBytes, table), record.subspan(all - payload, payload));
    std::string checked(text_of(record.first(24)));
    checked += text_of(record.subspan(pack_format::kHeaderBytes, table));
    put_digest(record.subspan(24), sha256(checked), 8);
    at += all;
  }
}

}  // namespace trainyard::fuzz
