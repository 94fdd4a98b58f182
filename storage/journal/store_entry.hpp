// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/values/digest.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/merkle.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

// Something that changed what a store holds, before it has a place in the store's journal.
struct StoreEvent {
  enum class Action {
    store_created,
    version_published,
    version_removed,
    version_attested,
    decided,  // a label, an approval, a removal: a line of a package's decisions
    snapshot_added,
    snapshot_removed,
    dataset_added,
    run_ended,
    run_deleted,
    object_purged,
    objects_collected,
  };

  Action action = Action::store_created;
  Instant time;
  std::string subject;                     // "digits@1.1", a run's id, a snapshot's id, "weather@2"
  std::optional<RelPath> path = {};        // the file of the store that it is about
  std::optional<Digest> digest = {};       // of what that file holds then; of `decided`, of its new line
  std::optional<std::string> record = {};  // all of it, where whoever was interrupted cannot write it again

  friend bool operator==(const StoreEvent&, const StoreEvent&) = default;
};

std::string_view name_of(StoreEvent::Action action);
Result<StoreEvent::Action> parse_store_action(std::string_view text);

// An event with its place: one line of <store>/journal/entries.jsonl, canonical JSON, never changed. Schema:
// schemas/store-journal.schema.json. Each names the line before it, so that none can be changed, taken out or put in
// without all after it; and it is a leaf of the Merkle tree of RFC 6962, section 2.1, over all lines.
struct StoreEntry {
  std::uint64_t sequence = 0;
  std::string actor;               // who worked with the store then: a login name
  std::optional<Digest> previous;  // merkle_leaf of the line before; none of the first
  StoreEvent event;

  [[nodiscard]] std::string line() const;  // without a newline
  // Of exactly what `line` writes: another spelling of the same is refused.
  static Result<StoreEntry> parse(std::string_view line);
  friend bool operator==(const StoreEntry&, const StoreEntry&) = default;
};

Json to_json(const StoreEntry& entry);
Result<StoreEntry> store_entry_from(const Json& json);

}  // namespace trainyard
