// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/bucket_cache.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kBucketCacheSchema = "trainyard.bucket-cache/1";
constexpr std::size_t kMostCacheBytes = std::size_t{4} << 30U;
// Clocks of two machines differ, and some servers tell whole seconds.
constexpr std::int64_t kSettled = 60'000'000;  // µs

Json head_of(const std::string& address) { return {{"schema", kBucketCacheSchema}, {"address", address}}; }

Result<KeptObject> kept_object_from(std::string_view line) {
  Json json = TRY(parse_json(std::string(line), "a line"));
  Fields fields(json, "a line", UnknownKeys::ignore);
  const auto digest = fields.parsed("digest", Digest::parse);
  TRY(fields.finish());
  json.erase("digest");
  return KeptObject{TRY(bucket_object_from(json)), digest};
}

}  // namespace

BucketCache::BucketCache(const Store& store, const RemoteAddress& address)
    : store_(store), address_(address.text()), file_(store.bucket_cache_of(address_)) {}

std::vector<KeptObject> BucketCache::read() const {
  const auto text = read_file(file_, kMostCacheBytes);
  const std::string head = canonical(head_of(address_)) + "\n";
  if (!text.ok() || !text->starts_with(head)) return {};
  std::vector<KeptObject> objects;
  for (std::size_t begin = head.size(); begin < text->size();) {
    const std::size_t end = text->find('\n', begin);
    if (end == std::string::npos) return {};
    auto object = kept_object_from(std::string_view(*text).substr(begin, end - begin));
    if (!object.ok()) return {};
    objects.push_back(std::move(*object));
    begin = end + 1;
  }
  return objects;
}

void BucketCache::write(const std::vector<KeptObject>& objects, Instant now) const {
  std::string text = canonical(head_of(address_)) + "\n";
  for (const KeptObject& each : objects) {
    const bool settled = each.object.tag || each.object.modified.microseconds < now.microseconds - kSettled;
    if (!each.digest || !settled) continue;
    Json line = to_json(each.object);
    line["digest"] = each.digest->hex();
    text += canonical(line) + "\n";
  }
  if (make_folders(file_.parent_path()).ok())
    static_cast<void>(replace_file(store_.scratch(), file_, text, 0644, Durable::no));
}

}  // namespace trainyard
