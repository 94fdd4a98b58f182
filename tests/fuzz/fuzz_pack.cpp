// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <string>

#include "storage/objects/fsck.hpp"
#include "storage/objects/pack_files.hpp"
#include "storage/objects/pack_objects.hpp"
#include "storage/objects/pack_scan.hpp"
#include "storage/values/sha256.hpp"
#include "tests/fuzz/input_file.hpp"
#include "tests/fuzz/memory_folder.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/sealing.hpp"

using namespace trainyard;

namespace {

using namespace pack_format;

void require_list(std::string_view bytes) {
  const auto list = read_list(bytes);
  if (!list.ok()) return fuzz::require_sentence(list.error());
  // Four bytes are zero, and no reader asks.
  const std::string written = write_list(*list);
  const auto again = read_list(written);
  fuzz::require(again.ok() && write_list(*again) == written, "a list of chunks is read as it was written");
}

void require_record(const PackScan& scan, const PackRecord& record) {
  std::string bytes;
  fuzz::require(scan.read(record, bytes).ok(), "a record that was found can be read");
  const std::string front = record_front(record.header.coding, record.objects, record.header.payload_bytes);
  const auto header = read_header(front);
  fuzz::require(header.ok() && read_table(*header, front).ok(), "a record is written as it is read");
  Room room;
  const auto raw = raw_bytes_of(bytes, room, "pack");
  if (!raw.ok()) return fuzz::require_sentence(raw.error());
  fuzz::require(raw->size() == record.header.raw_bytes, "a record has the bytes that it says");
  std::size_t at = 0;
  for (const RecordObject& object : record.objects) {
    if (object.kind == ObjectKind::list) require_list(raw->substr(at, object.length));
    at += object.length;
  }
}

// Every byte of the pack belongs to one record or one gap. Yields all that the scan told.
std::string scanned(const Path& pack) {
  auto scan = PackScan::open(pack);
  fuzz::require(scan.ok(), "a pack can be opened");
  std::string told;
  std::uint64_t bytes = 0;
  for (;;) {
    const auto record = scan->next();
    fuzz::require(record.ok(), "damage does not end a scan");
    if (!*record) break;
    require_record(*scan, **record);
    bytes += (*record)->header.record_bytes();
    told += "record " + std::to_string((*record)->offset);
    for (const RecordObject& object : (*record)->objects) told += " " + object.digest.hex();
  }
  for (const PackGap& gap : scan->gaps()) {
    bytes += gap.bytes;
    told += "gap " + std::to_string(gap.offset) + " " + gap.why;
  }
  const bool begins_well = bytes + kPackMagic.size() == scan->size();
  fuzz::require(begins_well || bytes == scan->size(), "every byte of a pack belongs to something");
  return told;
}

void look_into_index(const Path& path) {
  const auto segment = IndexSegment::open(path);
  if (!segment.ok()) return fuzz::require_sentence(segment.error());
  const bool sound = (*segment)->check().ok();
  for (std::size_t i = 0; i < (*segment)->size(); ++i) {
    const IndexEntry entry = (*segment)->entry(i);
    const bool possible = (*segment)->is_possible(entry.place);
    const auto found = (*segment)->find(entry.digest);
    if (sound && possible) fuzz::require(found.has_value(), "a sound index finds what it holds");
  }
}

// A store into which somebody put the bytes as a pack, repaired: what it then has, it has again.
void repair_store_with(std::string_view pack) {
  static const fuzz::MemoryFolder memory;
  const Path root = memory.path() / "objects";
  const Path scratch = memory.path() / "tmp";
  fuzz::require(make_folder(scratch).ok() && PackObjects::create(root).ok(), "there is a folder");
  const Path file = root / "packs" / (std::string(31, '0') + "1.pack");
  fuzz::require(replace_file(scratch, file, std::string(pack), 0444, Durable::no).ok(), "there is a pack");
  {
    auto objects = PackObjects::open(root, scratch);
    fuzz::require(objects.ok(), "a store with a strange pack opens");
    fuzz::require(repair_objects(**objects, nullptr).ok(), "a strange pack can be repaired");
    const auto damage = check_objects(**objects, Depth::every_byte, nullptr);
    fuzz::require(damage.ok() && damage->problems.empty() && damage->corrupt.empty(), "what was repaired is sound");
    for (const auto& segment : *(*objects)->index().segments()) {
      for (std::size_t i = 0; i < segment->size(); ++i) {
        const IndexEntry entry = segment->entry(i);
        if (entry.place.kind != ObjectKind::bytes) continue;
        const auto bytes = (*objects)->read(entry.digest, kMostRaw);
        fuzz::require(bytes.ok() && sha256(*bytes) == entry.digest, "what is indexed can be read");
      }
    }
  }
  fuzz::require(remove_tree(root).ok() && remove_tree(scratch).ok(), "what was made can be removed");
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_and_seal(data, size, max_size, seed, fuzz::seal_pack);
}

// A pack, or a part of the index of packs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::InputFile file;
  const std::string_view bytes = fuzz::text_of(data, size);
  file.hold(bytes);
  if (bytes.starts_with("TYINDEX1")) {
    look_into_index(file.path());
    return 0;
  }
  const std::string told = scanned(file.path());
  fuzz::require(scanned(file.path()) == told, "a pack that is read twice tells the same");
  // Most changes break a record, and a store costs more than all the rest.
  if (told.starts_with("record") && size % 4 == 0) repair_store_with(bytes);
  return 0;
}
