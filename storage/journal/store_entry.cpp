// SPDX-License-Identifier: Apache-2.0
#include "storage/journal/store_entry.hpp"

#include "storage/values/named_enum.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kStoreJournalSchema = "trainyard.store-journal/1";
constexpr std::string_view kActions[] = {"store_created", "version_published", "version_removed",  "version_attested",
                                         "decided",       "snapshot_added",    "snapshot_removed", "dataset_added",
                                         "run_ended",     "run_deleted",       "object_purged",    "objects_collected"};

Json hex_or_null(const std::optional<Digest>& digest) { return digest ? Json(digest->hex()) : Json(nullptr); }

}  // namespace

std::string_view name_of(StoreEvent::Action action) { return kActions[static_cast<std::size_t>(action)]; }

Result<StoreEvent::Action> parse_store_action(std::string_view text) {
  if (const auto action = enum_named<StoreEvent::Action>(kActions, text)) return *action;
  return fail(Errc::invalid, "'" + std::string(text) + "' is nothing that happens to a store");
}

Json to_json(const StoreEntry& entry) {
  const StoreEvent& event = entry.event;
  return {{"schema", kStoreJournalSchema},
          {"sequence", entry.sequence},
          {"time", event.time.text()},
          {"actor", entry.actor},
          {"action", name_of(event.action)},
          {"subject", event.subject},
          {"path", event.path ? Json(event.path->text()) : Json(nullptr)},
          {"digest", hex_or_null(event.digest)},
          {"record", event.record ? Json(*event.record) : Json(nullptr)},
          {"previous", hex_or_null(entry.previous)}};
}

Result<StoreEntry> store_entry_from(const Json& json) {
  Fields fields(json, "the journal's line");
  fields.schema(kStoreJournalSchema);
  StoreEntry entry;
  entry.sequence = fields.count("sequence");
  const auto time = fields.parsed("time", Instant::parse);
  entry.actor = fields.text("actor");
  const auto action = fields.parsed("action", parse_store_action);
  entry.event.subject = fields.text("subject");
  entry.event.path = fields.parsed_or_null("path", RelPath::from_text);
  entry.event.digest = fields.parsed_or_null("digest", Digest::parse);
  entry.event.record = fields.optional_text("record");
  entry.previous = fields.parsed_or_null("previous", Digest::parse);
  TRY(fields.finish());
  entry.event.time = *time;
  entry.event.action = *action;
  const StoreEvent& event = entry.event;
  if ((entry.sequence == 0) != !entry.previous)
    return fail(Errc::invalid,
                "the journal's line " + std::to_string(entry.sequence) +
                    (entry.previous ? " is the first and names one before it" : " names none before it"));
  if (event.record && (!event.path || !event.digest))
    return fail(Errc::invalid,
                "the journal's line " + std::to_string(entry.sequence) + " has a record without its file");
  if (event.record && sha256(*event.record) != *event.digest)
    return fail(Errc::invalid, "the journal's line " + std::to_string(entry.sequence) +
                                   " has a record of another digest than it says");
  return entry;
}

std::string StoreEntry::line() const { return canonical(to_json(*this)); }

Result<StoreEntry> StoreEntry::parse(std::string_view line) {
  StoreEntry entry = TRY(store_entry_from(TRY(parse_json(line, "the journal's line"))));
  if (entry.line() != line)
    return fail(Errc::invalid,
                "the journal's line " + std::to_string(entry.sequence) + " is not written as Trainyard writes it");
  return entry;
}

}  // namespace trainyard
