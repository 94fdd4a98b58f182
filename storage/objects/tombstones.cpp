// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/tombstones.hpp"

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kTombstoneSchema = "trainyard.tombstone/1";
constexpr std::string_view kTombstoneSuffix = ".json";

}  // namespace

Json to_json(const Tombstone& tombstone) {
  return {{"schema", kTombstoneSchema}, {"digest", tombstone.digest.hex()},
          {"bytes", tombstone.bytes},   {"purged_at", tombstone.purged_at.text()},
          {"reason", tombstone.reason}, {"needed_by", tombstone.needed_by}};
}

Result<Tombstone> tombstone_from(const Json& json) {
  Fields fields(json, "the tombstone");
  fields.schema(kTombstoneSchema);
  const auto digest = fields.parsed("digest", Digest::parse);
  const std::uint64_t bytes = fields.count("bytes");
  const auto purged_at = fields.parsed("purged_at", Instant::parse);
  std::string reason = fields.text("reason");
  const Json& list = fields.array("needed_by");
  std::vector<std::string> needed_by;
  for (const Json& item : list) {
    if (item.is_string()) {
      needed_by.push_back(item.get<std::string>());
    } else {
      fields.note("needed_by", "holds something that is not text");
    }
  }
  TRY(fields.finish());
  return Tombstone{*digest, bytes, *purged_at, std::move(reason), std::move(needed_by)};
}

Result<void> Tombstones::add(const Tombstone& tombstone) const {
  auto published = publish_file(scratch_, folder_ / (tombstone.digest.hex() + std::string(kTombstoneSuffix)),
                                canonical(to_json(tombstone)) + "\n", 0444, Durable::yes);
  if (!published.ok() && published.error().code == Errc::exists) return {};
  return published;
}

Result<std::map<Digest, Tombstone>> Tombstones::load() const {
  std::map<Digest, Tombstone> tombstones;
  for (const std::string& name : TRY(list_folder(folder_))) {
    if (!name.ends_with(kTombstoneSuffix)) continue;
    const Path path = folder_ / name;
    const auto json = parse_json(TRY(read_file(path, limits::kRecordBytes)), "the tombstone");
    auto tombstone = json.ok() ? tombstone_from(*json) : Result<Tombstone>(json.error());
    if (!tombstone.ok())
      return fail(Errc::corrupt, "the record '" + path.string() + "' cannot be read: " + tombstone.error().message);
    tombstones.emplace(tombstone->digest, std::move(*tombstone));
  }
  return tombstones;
}

}  // namespace trainyard
