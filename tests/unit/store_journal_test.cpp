// SPDX-License-Identifier: Apache-2.0
#include "storage/journal/store_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "storage/values/sha256.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::store_journal_test {
namespace {

using Action = StoreEvent::Action;

struct Journalled {
  TempFolder folder;
  Path scratch = folder.folder("tmp");
  Path packages = folder.folder("packages");
  StoreJournal journal{folder.path(), scratch};

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> all;
    REQUIRE(journal
                .read([&](std::string_view line) {
                  all.emplace_back(line);
                  return Result<void>();
                })
                .ok());
    return all;
  }
  [[nodiscard]] std::vector<StoreEntry> entries() const {
    std::vector<StoreEntry> all;
    for (const std::string& line : lines()) all.push_back(StoreEntry::parse(line).value());
    return all;
  }
  [[nodiscard]] std::string text_of(const char* file) const { return read_file(folder.path() / file, 1 << 20).value(); }
};

RelPath path_of(const std::string& text) { return RelPath::parse(text).value(); }

StoreEvent version(const std::string& file, const std::string& text) {
  return {Action::version_published, Instant{7}, "digits@1.0", path_of("packages/" + file), sha256(text), text};
}

StoreEvent decision(const std::string& line) {
  return {Action::decided, Instant{8}, "digits@1.0", path_of("packages/decisions.jsonl"), sha256(line), line};
}

void write_raw(const Path& path, const std::string& text) {
  const UniqueFd fd = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
  REQUIRE(write_all(fd.get(), text, path).ok());
}

// As if its writer had died between the announcement and the deed.
void announce(const StoreJournal& journal, const StoreEvent& event) {
  auto session = journal.begin();
  REQUIRE(session.ok());
  REQUIRE(session->append(event).ok());
}

}  // namespace

TEST_CASE("the journal tells what happened, each line naming the one before", "[store_journal]") {
  const Journalled j;
  REQUIRE(j.journal.create(Instant{1}).ok());
  REQUIRE(j.journal.create(Instant{2}).ok());
  auto session = j.journal.begin().value();
  REQUIRE(j.journal.publish(session, version("1.0.json", "one\n")).ok());
  REQUIRE(j.journal.append_record(session, decision("two")).ok());
  CHECK(j.text_of("packages/1.0.json") == "one\n");
  CHECK(j.text_of("packages/decisions.jsonl") == "two\n");
  const auto lines = j.lines();
  const auto entries = j.entries();
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].event.action == Action::store_created);
  CHECK(entries[0].event.time == Instant{1});
  CHECK(entries[0].previous == std::nullopt);
  CHECK(entries[1].event == version("1.0.json", "one\n"));
  CHECK(entries[1].previous == merkle_leaf(lines[0]));
  CHECK(entries[2].sequence == 2);
  CHECK(entries[2].previous == merkle_leaf(lines[1]));
  CHECK_FALSE(entries[2].actor.empty());
}

TEST_CASE("what a dead writer announced is done by the next one, and only once", "[store_journal]") {
  const Journalled j;
  SECTION("a record") {
    announce(j.journal, version("1.0.json", "one\n"));
    REQUIRE(remove_tree(j.packages).ok());
    REQUIRE(j.journal.begin().ok());
    CHECK(j.text_of("packages/1.0.json") == "one\n");
  }
  SECTION("a line") {
    announce(j.journal, decision("two"));
    REQUIRE(j.journal.begin().ok());
    REQUIRE(j.journal.begin().ok());
    CHECK(j.text_of("packages/decisions.jsonl") == "two\n");
  }
  SECTION("a line that a power cut left half of") {
    write_raw(j.folder.path() / "packages/decisions.jsonl", "one\ntw");
    announce(j.journal, decision("two"));
    REQUIRE(j.journal.begin().ok());
    CHECK(j.text_of("packages/decisions.jsonl") == "one\ntwo\n");
  }
  SECTION("that something goes") {
    {
      auto session = j.journal.begin().value();
      REQUIRE(j.journal.publish(session, version("1.0.json", "one\n")).ok());
    }
    announce(j.journal, {Action::version_removed, Instant{9}, "digits@1.0", path_of("packages/1.0.json")});
    CHECK(is_there(j.folder.path() / "packages/1.0.json"));
    REQUIRE(j.journal.finish_announced().ok());
    CHECK_FALSE(is_there(j.folder.path() / "packages/1.0.json"));
  }
  SECTION("not while a writer is at work") {
    auto session = j.journal.begin().value();
    REQUIRE(session.append(version("1.0.json", "one\n")).ok());
    REQUIRE(j.journal.finish_announced().ok());
    CHECK_FALSE(is_there(j.folder.path() / "packages/1.0.json"));
  }
  SECTION("nothing that was taken away later") {
    auto session = j.journal.begin().value();
    REQUIRE(j.journal.publish(session, version("1.0.json", "one\n")).ok());
    REQUIRE(j.journal.remove(session, {Action::version_removed, Instant{9}, "digits@1.0", path_of("packages/1.0.json")})
                .ok());
    CHECK_FALSE(is_there(j.folder.path() / "packages/1.0.json"));
    { auto ended = std::move(session); }
    REQUIRE(j.journal.begin().ok());
    CHECK_FALSE(is_there(j.folder.path() / "packages/1.0.json"));
  }
}

TEST_CASE("content that its writer could not give a file any more is told as it is", "[store_journal]") {
  const Journalled j;
  const StoreEvent attested{Action::version_attested, Instant{3}, "digits@1.0", path_of("packages/1.0.intoto.jsonl"),
                            sha256("new\n")};
  SECTION("nothing was there") {
    announce(j.journal, attested);
    REQUIRE(j.journal.begin().ok());
    REQUIRE(j.journal.begin().ok());
    REQUIRE(j.entries().size() == 2);
    CHECK(j.entries().back().event.digest == std::nullopt);
  }
  SECTION("the old was there") {
    write_raw(j.packages / "1.0.intoto.jsonl", "old\n");
    announce(j.journal, attested);
    REQUIRE(j.journal.begin().ok());
    REQUIRE(j.entries().size() == 2);
    CHECK(j.entries().back().event.digest == sha256("old\n"));
  }
  SECTION("the new was there") {
    auto session = j.journal.begin().value();
    REQUIRE(j.journal.replace(session, attested, "new\n").ok());
    { auto ended = std::move(session); }
    REQUIRE(j.journal.begin().ok());
    REQUIRE(j.entries().size() == 1);
    CHECK(j.text_of("packages/1.0.intoto.jsonl") == "new\n");
  }
}

TEST_CASE("what could not be done was not announced", "[store_journal]") {
  const Journalled j;
  REQUIRE(j.journal.create(Instant{1}).ok());
  auto session = j.journal.begin().value();
  // There is no folder for it.
  CHECK_FALSE(j.journal.publish(session, version("no/1.0.json", "one\n")).ok());
  CHECK(j.entries().size() == 1);
  write_raw(j.folder.path() / "packages/1.0.json", "another\n");
  const auto there = j.journal.publish(session, version("1.0.json", "one\n"));
  REQUIRE_FALSE(there.ok());
  CHECK(there.error().code == Errc::exists);
  CHECK(j.entries().size() == 1);
  // The next line stands on the last one that holds.
  REQUIRE(j.journal.publish(session, version("1.1.json", "one\n")).ok());
  CHECK(j.entries().back().previous == merkle_leaf(j.lines().front()));
  CHECK(j.entries().back().sequence == 1);
}

TEST_CASE("half a line at the end is no line", "[store_journal]") {
  const Journalled j;
  REQUIRE(j.journal.create(Instant{1}).ok());
  REQUIRE(j.journal.tell({Action::run_deleted, Instant{2}, "a run"}).ok());
  const std::string whole = j.text_of("journal/entries.jsonl");
  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, std::size_t{40}}) {
    write_raw(j.journal.entries(), whole.substr(0, whole.size() - cut));
    // The head is signed when the line stands.
    REQUIRE(remove_file(j.folder.path() / "journal/head.json").ok());
    CHECK(j.entries().size() == 1);
    REQUIRE(j.journal.tell({Action::run_deleted, Instant{2}, "a run"}).ok());
    CHECK(j.text_of("journal/entries.jsonl") == whole);
  }
}

TEST_CASE("a journal whose last line is none of ours is not gone on with", "[store_journal]") {
  const Journalled j;
  REQUIRE(j.journal.create(Instant{1}).ok());
  write_raw(j.journal.entries(), j.text_of("journal/entries.jsonl") + "rubbish\n");
  const auto session = j.journal.begin();
  REQUIRE_FALSE(session.ok());
  CHECK(session.error().code == Errc::corrupt);
  CHECK(session.error().message.find("trainyard journal verify") != std::string::npos);
}

TEST_CASE("lines longer than a block are found from behind", "[store_journal]") {
  const Journalled j;
  REQUIRE(j.journal.create(Instant{1}).ok());
  for (const std::size_t size : {65'000, 65'536, 131'072, 300'000}) {
    REQUIRE(j.journal.tell({Action::run_deleted, Instant{2}, std::string(size, 'x')}).ok());
  }
  const auto entries = j.entries();
  REQUIRE(entries.size() == 5);
  for (std::size_t i = 0; i < entries.size(); ++i) CHECK(entries[i].sequence == i);
}

TEST_CASE("the head is the store's signed word of what is in the journal", "[store_journal]") {
  const Journalled j;
  REQUIRE(j.journal.create(Instant{1}).ok());
  const auto head_now = [&] {
    const DsseEnvelope envelope = j.journal.head().value().value();
    CHECK(check_envelope(envelope, j.journal.keys().list().value()).signers.size() == 1);
    return head_in(envelope).value();
  };
  const auto frontier_of_lines = [&] {
    MerkleFrontier frontier;
    for (const std::string& line : j.lines()) frontier.append(merkle_leaf(line));
    return frontier;
  };
  CHECK(head_now() == JournalHead{Instant{1}, frontier_of_lines()});
  for (int i = 2; i < 7; ++i) REQUIRE(j.journal.tell({Action::run_deleted, Instant{i}, "a run"}).ok());
  CHECK(head_now() == JournalHead{Instant{6}, frontier_of_lines()});
  SECTION("it is made anew where it is missing, and where it is old") {
    const std::string old = j.text_of("journal/head.json");
    REQUIRE(remove_file(j.folder.path() / "journal/head.json").ok());
    REQUIRE(j.journal.tell({Action::run_deleted, Instant{7}, "a run"}).ok());
    CHECK(head_now() == JournalHead{Instant{7}, frontier_of_lines()});
    write_raw(j.folder.path() / "journal/head.json", old);
    REQUIRE(j.journal.tell({Action::run_deleted, Instant{8}, "a run"}).ok());
    CHECK(head_now() == JournalHead{Instant{8}, frontier_of_lines()});
  }
  SECTION("what was taken back is not in it") {
    auto session = j.journal.begin().value();
    CHECK_FALSE(j.journal.publish(session, version("nowhere/1.0.json", "one\n")).ok());
    REQUIRE(j.journal.publish(session, version("1.0.json", "one\n")).ok());
    CHECK(head_now().frontier == frontier_of_lines());
  }
  SECTION("a journal that was cut short is not gone on with") {
    const auto lines = j.lines();
    for (const std::size_t kept : {std::size_t{0}, std::size_t{1}, lines.size() - 1}) {
      std::string text;
      for (std::size_t i = 0; i < kept; ++i) text += lines[i] + "\n";
      write_raw(j.journal.entries(), text);
      const auto session = j.journal.begin();
      REQUIRE_FALSE(session.ok());
      CHECK(session.error().code == Errc::corrupt);
      CHECK(session.error().message.find("cut short") != std::string::npos);
      CHECK(j.text_of("journal/entries.jsonl") == text);
    }
  }
}

TEST_CASE("many writers make one chain", "[store_journal][threads]") {
  const Journalled j;
  std::vector<std::thread> writers;
  std::atomic<int> failures{0};
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 10; ++i) {
        if (!j.journal.tell({Action::run_deleted, Instant{i}, std::to_string(writer)}).ok()) ++failures;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failures == 0);
  const auto lines = j.lines();
  const auto entries = j.entries();
  REQUIRE(entries.size() == 40);
  for (std::size_t i = 1; i < entries.size(); ++i) CHECK(entries[i].previous == merkle_leaf(lines[i - 1]));
}

TEST_CASE("an entry is read only as it is written", "[store_journal]") {
  const StoreEntry entry{3, "ada", sha256("before"), version("1.0.json", "one\n")};
  const std::string line = entry.line();
  CHECK(StoreEntry::parse(line).value() == entry);
  CHECK_FALSE(StoreEntry::parse(" " + line).ok());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"\"sequence\":3", "\"sequence\":03"}, {"one\\n", "won\\n"},       {"version_published", "version_invented"},
      {"packages/1.0.json", "../1.0.json"},  {"\"actor\":\"ada\",", ""}, {"\"sequence\":3", "\"sequence\":0"}};
  for (const auto& [from, to] : changes) {
    std::string changed = line;
    const std::size_t at = changed.find(from);
    REQUIRE(at != std::string::npos);
    changed.replace(at, from.size(), to);
    INFO(changed);
    CHECK_FALSE(StoreEntry::parse(changed).ok());
  }
}

}  // namespace trainyard::store_journal_test
