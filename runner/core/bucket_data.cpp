// SPDX-License-Identifier: Apache-2.0
#include "runner/core/bucket_data.hpp"

#include "storage/values/sha256.hpp"

namespace trainyard {

Json to_json(const BucketObject& object) {
  return {{"key", object.path.text()},
          {"bytes", object.bytes},
          {"modified", object.modified.text()},
          {"tag", or_null(object.tag)},
          {"version", or_null(object.version)}};
}

Result<BucketObject> bucket_object_from(const Json& json) {
  Fields fields(json, "an object of a bucket");
  const auto path = fields.parsed("key", RelPath::from_text);
  const std::uint64_t bytes = fields.count("bytes");
  const auto modified = fields.parsed("modified", Instant::parse);
  auto tag = fields.optional_text("tag");
  auto version = fields.optional_text("version");
  TRY(fields.finish());
  return BucketObject{*path, bytes, *modified, std::move(tag), std::move(version)};
}

BucketState BucketState::of(const std::vector<BucketObject>& objects) {
  Sha256 sha;
  for (const BucketObject& object : objects) sha.update(canonical(to_json(object)) + "\n");
  BucketState state{sha.finish(), objects.size(), {}};
  if (objects.size() <= kMostNamed) state.objects = objects;
  return state;
}

Json to_json(const BucketState& state) {
  Json objects = nullptr;
  if (state.objects.size() == state.count) {
    objects = Json::array();
    for (const BucketObject& object : state.objects) objects.push_back(to_json(object));
  }
  return {{"listing", state.listing.hex()}, {"count", state.count}, {"objects", std::move(objects)}};
}

Result<BucketState> bucket_state_from(const Json& json) {
  Fields fields(json, "the state of a bucket");
  const auto listing = fields.parsed("listing", Digest::parse);
  const std::uint64_t count = fields.count("count");
  const bool named = fields.nullable("objects") != nullptr;
  std::vector<BucketObject> objects;
  if (named) {
    for (const Json& each : fields.array("objects")) {
      auto object = bucket_object_from(each);
      if (object.ok()) {
        objects.push_back(std::move(*object));
      } else {
        fields.note("objects", object.error().message);
      }
    }
  }
  TRY(fields.finish());
  if (named != (count <= BucketState::kMostNamed))
    return fail(Errc::invalid, "the state of a bucket names its objects when they are " +
                                   std::to_string(BucketState::kMostNamed) + " at most, and only then");
  BucketState state{*listing, count, {}};
  if (!named) return state;
  state = BucketState::of(objects);
  if (state.listing != *listing || state.count != count)
    return fail(Errc::invalid, "the objects that the state of a bucket names are not those of its digest");
  return state;
}

bool names_bucket(std::string_view text) { return text.starts_with("s3://"); }

}  // namespace trainyard
