// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/files/files.hpp"
#include "storage/journal/journal_head.hpp"
#include "storage/journal/store_entry.hpp"
#include "storage/keys/key_ring.hpp"

namespace trainyard {

// The journal of a store: what happened to its records, in order, by whom.
//
//   journal/entries.jsonl   one StoreEntry a line; only ever longer
//   journal/head.json       the signed head of what it held when its last event was done, a DSSE envelope
//   journal/lock            who writes
//
// An event is written before what it tells of, and while nobody else writes. So nothing is in the store that the journal
// does not tell of; and what a dead writer announced and did not do, the next one does.
class StoreJournal {
 public:
  // `root` is the store's folder, to which the paths of events are relative; `scratch` lies on the same file system.
  StoreJournal(Path root, Path scratch) : root_(std::move(root)), scratch_(std::move(scratch)) {}

  // Begins the journal of a new store. Fine when it has begun.
  [[nodiscard]] Result<void> create(Instant now) const;

  // The right to write, until it goes out of scope.
  class Session {
   public:
    // The event is durable when this returns.
    Result<void> append(const StoreEvent& event);
    // As if the last `append` had not been: what it announced could not be done.
    Result<void> take_back();
    // What the journal ended with when this session began; none of a new one.
    [[nodiscard]] const std::optional<StoreEntry>& last() const { return last_; }

   private:
    friend class StoreJournal;
    Session(FileLock lock, UniqueFd fd, Path path, std::string actor)
        : lock_(std::move(lock)), fd_(std::move(fd)), path_(std::move(path)), actor_(std::move(actor)) {}

    FileLock lock_;
    std::optional<MerkleFrontier> frontier_;         // of all lines, where it is known
    std::optional<MerkleFrontier> before_frontier_;  // before the last append
    Instant told_at_;                                // the time of the last append
    UniqueFd fd_;
    Path path_;
    std::string actor_;
    std::uint64_t size_ = 0;    // of the file
    std::uint64_t before_ = 0;  // the same before the last append
    std::uint64_t next_ = 0;    // the sequence of the next entry
    std::optional<Digest> previous_;
    std::optional<Digest> before_last_;
    std::optional<StoreEntry> last_;  // when the session began
  };

  // Waits for its turn, and first does what the last writer announced and was kept from. `corrupt` when the journal's
  // last line is none, or when the journal is shorter than its signed head says.
  [[nodiscard]] Result<Session> begin() const;
  // Does what the last writer announced and was kept from, unless a writer is at work. So what a dead one announced is
  // there before anybody looks.
  [[nodiscard]] Result<void> finish_announced() const;

  // Announces a new file of the store and makes it: durable when this returns, or not there. `exists` when it was there.
  [[nodiscard]] Result<void> publish(Session& session, const StoreEvent& event) const;
  // The same for a new line, without a newline, at the end of the file.
  [[nodiscard]] Result<void> append_record(Session& session, const StoreEvent& event) const;
  // Announces that the file goes, and takes it away: durable when this returns.
  [[nodiscard]] Result<void> remove(Session& session, const StoreEvent& event) const;
  // Announces that a file has new content, which is too long to be in the journal itself, and gives it that: durable when
  // this returns. Killed between the two, the next writer tells how the file was left.
  [[nodiscard]] Result<void> replace(Session& session, const StoreEvent& event, std::string_view content) const;
  // For what only has to be told.
  [[nodiscard]] Result<void> tell(const StoreEvent& event) const;

  // Every line in its order, as it is; a torn last line is left out. Stops at the first error of `each`. A store without
  // a journal has none.
  [[nodiscard]] Result<void> read(const std::function<Result<void>(std::string_view line)>& each) const;
  [[nodiscard]] bool is_begun() const { return is_there(entries()); }
  // As it lies there, unverified; none where there is none, `corrupt` for what is no envelope.
  [[nodiscard]] Result<std::optional<DsseEnvelope>> head() const;
  [[nodiscard]] KeyRing keys() const { return {root_ / "keys", scratch_}; }
  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] Path entries() const { return root_ / "journal" / "entries.jsonl"; }
  [[nodiscard]] const Path& scratch() const { return scratch_; }

 private:
  [[nodiscard]] Result<Session> begin(FileLock lock) const;
  [[nodiscard]] Result<void> finish(const StoreEntry& last, Session& session) const;
  [[nodiscard]] Error cut_short(std::uint64_t lines, const JournalHead& head) const;
  [[nodiscard]] std::optional<JournalHead> own_head() const;
  // Signs what the journal holds now. Nothing waits for it: a head that is missing or old is made anew by the next writer.
  void seal(Session& session) const;

  Path root_;
  Path scratch_;
};

}  // namespace trainyard
