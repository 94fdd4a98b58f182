// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "storage/keys/envelope_check.hpp"
#include "storage/values/dsse.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/merkle.hpp"

namespace trainyard {

// How long a store's journal was at some moment, and what was in it: the root of the Merkle tree of its lines. Signed, it
// is the word of the store that no line before can change any more and none can go. Its payload is canonical JSON; schema:
// schemas/journal-head.schema.json.
struct JournalHead {
  Instant time;             // of the last line
  MerkleFrontier frontier;  // from which the tree goes on
  friend bool operator==(const JournalHead&, const JournalHead&) = default;
};

inline constexpr std::string_view kJournalHeadType = "application/vnd.trainyard.journal-head+json";

Json to_json(const JournalHead& head);
Result<JournalHead> journal_head_from(const Json& json);

Result<DsseEnvelope> sign_head(const JournalHead& head, const SigningKey& key);
// Without a look at the signatures. Refuses an envelope of another type.
Result<JournalHead> head_in(const DsseEnvelope& envelope);

}  // namespace trainyard
