// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/capsule_journal.hpp"

namespace trainyard {

Result<JournalExcerpt> journal_excerpt(const StoreJournal& journal, const std::set<std::string>& subjects) {
  // The head before the lines: the journal may grow meanwhile, and what it grew by is not what this head is about.
  auto envelope = TRY(journal.head());
  if (!envelope) return fail(Errc::not_found, "the journal of the store has no signed head");
  const MerkleHead head = TRY(head_in(*envelope)).frontier.head();
  std::vector<Digest> leaves;
  std::vector<std::uint64_t> chosen;
  std::string lines;
  std::map<std::pair<StoreEvent::Action, std::string>, std::optional<Digest>> told;
  TRY(journal.read([&](std::string_view line) -> Result<void> {
    if (leaves.size() == head.size) return {};
    const StoreEntry entry = TRY(StoreEntry::parse(line));
    if (subjects.contains(entry.event.subject)) {
      chosen.push_back(leaves.size());
      lines += std::string(line) + "\n";
      told[{entry.event.action, entry.event.subject}] = entry.event.digest;
    }
    leaves.push_back(merkle_leaf(line));
    return {};
  }));
  const MerkleTree tree(std::move(leaves));
  if (tree.head() != head) {
    return fail(
        Errc::corrupt,
        "the journal of the store is not the one that its head was signed for; 'trainyard journal verify' tells more");
  }
  std::vector<CapsuleProof> proofs;
  proofs.reserve(chosen.size());
  for (const std::uint64_t line : chosen) proofs.push_back({line, tree.inclusion(line, head.size)});
  return JournalExcerpt{std::move(*envelope), std::move(lines), {head, std::move(proofs), {}}, std::move(told)};
}

}  // namespace trainyard
