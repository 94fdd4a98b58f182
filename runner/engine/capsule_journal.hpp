// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "runner/core/capsule.hpp"
#include "storage/journal/store_journal.hpp"

namespace trainyard {

// The lines of a store's journal about some of what it holds, each proven to be in the journal whose head is signed.
struct JournalExcerpt {
  DsseEnvelope head;
  std::string lines;  // as they stand in the journal, each with its end
  CapsuleJournal proven;
  // By what happened to what: the digest in the last line about it.
  std::map<std::pair<StoreEvent::Action, std::string>, std::optional<Digest>> told;
};

// `subjects` are as events have them: "digits@1.1", a run's id, a snapshot's id, "weather@2". A journal without a signed
// head, or one that is not the one that was signed, is `not_found` or `corrupt` with a sentence for people.
Result<JournalExcerpt> journal_excerpt(const StoreJournal& journal, const std::set<std::string>& subjects);

}  // namespace trainyard
