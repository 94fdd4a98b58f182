// SPDX-License-Identifier: Apache-2.0
#include "storage/journal/journal_check.hpp"

namespace trainyard {

namespace {

std::string named(const StoreEntry& entry) {
  return "line " + std::to_string(entry.sequence) + " of the journal (" + std::string(name_of(entry.event.action)) +
         (entry.event.subject.empty() ? "" : " " + entry.event.subject) + ")";
}

// A signed head, and what the lines up to its size come to.
struct Expected {
  std::string what;  // "the head of the store"
  MerkleHead told;
  std::optional<Digest> found;
};

class Check {
 public:
  explicit Check(JournalReading& reading) : reading_(reading) {}

  void expect(const std::string& what, const DsseEnvelope& envelope, const std::vector<StoredKey>& keys, bool own) {
    const auto head = head_in(envelope);
    if (!head.ok()) return problem(what + " cannot be read: " + head.error().message);
    const EnvelopeCheck signatures = check_envelope(envelope, keys);
    for (const std::string& wrong : signatures.problems) problem(what + ": " + wrong);
    if (signatures.signers.empty()) return;
    const MerkleHead told = head->frontier.head();
    if (own) {
      reading_.head = told;
      for (const StoredKey& key : signatures.signers) reading_.signers.push_back(key.name.text());
    }
    expected_.push_back({what, told, std::nullopt});
    note_size();
  }

  void line(std::string_view text) {
    const std::uint64_t number = reading_.lines++;
    const auto entry = StoreEntry::parse(text);
    if (!entry.ok()) {
      problem("line " + std::to_string(number) + " of the journal is none of Trainyard's: " + entry.error().message);
    } else {
      follow(*entry, number);
    }
    previous_ = merkle_leaf(text);
    previous_name_ = entry.ok() ? named(*entry) : "line " + std::to_string(number) + " of the journal";
    frontier_.append(*previous_);
    note_size();
    if (entry.ok()) reading_.last = *entry;
  }

  void end() {
    for (const Expected& expected : expected_) {
      if (!expected.found) {
        problem(expected.what + " says that there are " + std::to_string(expected.told.size) +
                " lines in the journal, and there are " + std::to_string(reading_.lines) +
                ": the last ones were taken away");
      } else if (*expected.found != expected.told.root) {
        problem(expected.what + " is not of these lines: one of the first " + std::to_string(expected.told.size) +
                " was changed, taken out or put in");
      }
    }
  }

 private:
  void problem(std::string sentence) { reading_.problems.push_back(std::move(sentence)); }

  void note_size() {
    for (Expected& expected : expected_) {
      if (expected.told.size == frontier_.size()) expected.found = frontier_.head().root;
    }
  }

  void follow(const StoreEntry& entry, std::uint64_t number) {
    if (number == 0) reading_.began = entry.event.time;
    if (entry.sequence != number) problem(named(entry) + " stands where line " + std::to_string(number) + " has to be");
    if (entry.previous != previous_ && number > 0) {
      problem(previous_name_ + " is not the one that " + named(entry) +
              " was written after: one of the two was changed, or a line between them was taken out or put in");
    }
    const StoreEvent& event = entry.event;
    if (!event.path) return;
    if (event.action == StoreEvent::Action::decided) {
      if (event.digest) reading_.records[event.path->bytes()].push_back(*event.digest);
    } else {
      reading_.files[event.path->bytes()] = {entry.sequence, event.action, event.subject, event.digest};
    }
  }

  JournalReading& reading_;
  std::vector<Expected> expected_;
  MerkleFrontier frontier_;
  std::optional<Digest> previous_;
  std::string previous_name_;
};

}  // namespace

Result<JournalReading> check_journal(const StoreJournal& journal, const std::vector<StoredKey>& keys,
                                     const std::optional<DsseEnvelope>& witness) {
  JournalReading reading;
  Check check(reading);
  const auto head = journal.head();
  if (!head.ok() && head.error().code != Errc::corrupt) return head.error();
  if (!head.ok()) reading.problems.push_back(head.error().message);
  if (head.ok() && *head) check.expect("the head of the journal", **head, keys, true);
  if (witness) check.expect("the head that was kept elsewhere", *witness, keys, false);
  TRY(journal.read([&](std::string_view line) {
    check.line(line);
    return Result<void>();
  }));
  check.end();
  return reading;
}

}  // namespace trainyard
