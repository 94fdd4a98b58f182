// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_check.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "storage/objects/pack_files.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using namespace pack_format;

// Records are checked together up to this size.
constexpr std::size_t kCheckBatch = std::size_t{1} << 20U;

bool is_good(const RecordObject& object, std::string_view bytes, Depth depth) {
  if (object.kind == ObjectKind::list) return read_list(bytes).ok();
  return depth == Depth::structure || sha256(bytes) == object.digest;
}

Result<std::vector<bool>> check(const PackScan& scan, const PackRecord& record, Depth depth) {
  thread_local std::string bytes;
  thread_local Room room;
  const auto is_list = [](const RecordObject& object) { return object.kind == ObjectKind::list; };
  if (depth == Depth::structure && std::none_of(record.objects.begin(), record.objects.end(), is_list))
    return std::vector<bool>(record.objects.size(), true);
  TRY(scan.read(record, bytes));
  const auto raw = raw_bytes_of(bytes, room, scan.path());
  if (!raw.ok()) return std::vector<bool>(record.objects.size(), false);
  std::vector<bool> good;
  std::size_t position = 0;
  for (const RecordObject& object : record.objects) {
    good.push_back(is_good(object, raw->substr(position, object.length), depth));
    position += object.length;
  }
  return good;
}

}  // namespace

Result<std::vector<PackGap>> PackCheck::run(const Path& pack, const Report& report) {
  PackScan scan = TRY(PackScan::open(pack));
  std::mutex mutex;
  std::optional<Error> error;
  WorkGroup group(pool_);
  using Batch = std::vector<PackRecord>;
  const auto give = [&](Batch records) {
    group.give([&, batch = std::make_shared<const Batch>(std::move(records))] {
      for (const PackRecord& record : *batch) {
        const auto good = check(scan, record, depth_);
        const std::lock_guard lock(mutex);
        if (good.ok()) {
          report(record, *good);
        } else if (!error) {
          error = good.error();
        }
      }
    });
  };
  Batch batch;
  std::size_t bytes = 0;
  for (;;) {
    auto record = scan.next();
    if (!record.ok()) {
      group.wait();
      return record.error();
    }
    if (!*record) break;
    bytes += (*record)->header.record_bytes();
    batch.push_back(std::move(**record));
    if (bytes < kCheckBatch) continue;
    give(std::exchange(batch, {}));
    bytes = 0;
  }
  if (!batch.empty()) give(std::move(batch));
  group.wait();
  if (error) return *error;
  return scan.gaps();
}

}  // namespace trainyard
