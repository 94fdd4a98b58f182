// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_journal.hpp"

namespace trainyard {

Result<std::vector<JournalEntry>> read_journal(const RunFolder& folder) {
  std::vector<JournalEntry> journal;
  for (const std::string& line : TRY(RunFolder::lines(folder.journal()))) {
    auto entry = TRY(journal_entry_from(TRY(parse_json(line, "a line of the journal"))));
    journal.push_back(std::move(entry));
  }
  return journal;
}

}  // namespace trainyard
