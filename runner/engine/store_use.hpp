// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/engine/store_roots.hpp"
#include "runner/engine/use_count.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// How the use of a store is told: by kind of owner, or by each owner of one kind.
struct UseGrouping {
  std::optional<StoreRoot::Kind> owners;  // none: by kind

  // "kind", "version", "snapshot", "dataset" or "run".
  static Result<UseGrouping> parse(std::string_view text);
  [[nodiscard]] std::string_view text() const;
};

// Who takes how many bytes on the disk. Schema: schemas/usage.schema.json.
struct StoreUse {
  struct Row {
    StoreRoot::Kind kind = StoreRoot::Kind::version;
    std::string owner;  // empty: all of the kind
    UseOfOwner use;
    std::uint64_t logical_bytes = 0;  // of all its files, as a checkout would have them
  };

  UseGrouping grouping;
  std::vector<Row> rows;            // those with the most unique bytes first
  std::uint64_t live_bytes = 0;     // of objects that anybody reaches
  std::uint64_t shared_bytes = 0;   // of those, what more than one owner reaches: unique bytes of all owners and this
                                    // are the live bytes
  std::uint64_t garbage_bytes = 0;  // of objects that nobody reaches
  std::uint64_t live_objects = 0;
  std::uint64_t garbage_objects = 0;
  std::uint64_t pack_bytes = 0;  // of the packs' files: live, garbage, and what is neither
  std::uint64_t index_bytes = 0;
};

Json to_json(const StoreUse& use);

Result<StoreUse> measure_use(const Store& store, const UseGrouping& grouping);

}  // namespace trainyard
