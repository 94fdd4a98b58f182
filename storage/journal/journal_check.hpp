// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/journal/store_journal.hpp"

namespace trainyard {

// The journal's last word on a file of the store.
struct JournalledFile {
  std::uint64_t sequence = 0;
  StoreEvent::Action action = StoreEvent::Action::store_created;
  std::string subject;
  std::optional<Digest> digest;  // none: it is gone
};

// What reading a whole journal showed.
struct JournalReading {
  std::uint64_t lines = 0;
  std::optional<Instant> began;                        // none of a store without a journal
  std::vector<std::string> problems;                   // one sentence for each line or head that is not as it must be
  std::map<std::string, JournalledFile> files;         // by path; those that grow by lines are not among them
  std::map<std::string, std::vector<Digest>> records;  // of those: the digests of their lines, in order
  std::optional<MerkleHead> head;                      // that the store signed
  std::vector<std::string> signers;                    // the names of the keys that signed it
  std::optional<StoreEntry> last;
};

// Reads every line and holds it against the one before, the head of the store against all of them, and `witness`, a head
// that somebody kept elsewhere, as well. `keys` are those whose signatures count. An error is only what keeps it from being
// read.
Result<JournalReading> check_journal(const StoreJournal& journal, const std::vector<StoredKey>& keys,
                                     const std::optional<DsseEnvelope>& witness);

}  // namespace trainyard
