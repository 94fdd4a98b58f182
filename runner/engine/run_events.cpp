// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_events.hpp"

#include "runner/core/documents/openlineage_events.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::int64_t kMicrosecondsBetweenTries = 60'000'000;
constexpr std::chrono::milliseconds kInPassing{2000};

// None when nobody wants events.
Result<std::optional<EventTarget>> target_of(const Store& store) {
  const StoreConfig config = TRY(store.config());
  if (!config.openlineage) return std::optional<EventTarget>();
  return std::optional(TRY(EventTarget::parse(*config.openlineage)));
}

Result<void> put_events(const RunId& run, const Store& store) {
  if (!TRY(target_of(store))) return {};
  const RunFolder folder = RunFolders(store.runs(), store.active()).folder(run);
  const std::string text = TRY(read_file(folder.results(), limits::kRecordBytes));
  const RunRecord record = TRY(run_record_from(TRY(parse_json(text, "the results"))));
  return event_outbox(store).put(run, openlineage_lines(record));
}

Result<Delivery> deliver(const Store& store, const EventTarget& target, const EventOutbox::Wish& wish, Instant now) {
  const auto unfinished = [&](const RunId& run) { return is_there(store.active() / run.text()); };
  return event_outbox(store).deliver(target, wish, unfinished, now);
}

Result<void> try_to_deliver(const Store& store, Instant now) {
  const auto target = TRY(target_of(store));
  if (!target) return {};
  const auto failure = event_outbox(store).last_failure();
  // Somebody may have set the clock back since.
  if (failure && now >= failure->at && now.microseconds - failure->at.microseconds < kMicrosecondsBetweenTries)
    return {};
  TRY(deliver(store, *target, {{kInPassing, kInPassing, kInPassing}, kInPassing}, now));
  return {};
}

}  // namespace

EventOutbox event_outbox(const Store& store) { return {store.outbox() / "openlineage", store.scratch()}; }

void note_events(const RunId& run, const Store& store) { static_cast<void>(put_events(run, store)); }

void deliver_events_in_passing(const Store& store, Instant now) { static_cast<void>(try_to_deliver(store, now)); }

Result<Delivery> deliver_events(const Store& store, Instant now) {
  const auto target = TRY(target_of(store));
  if (!target) {
    return fail(Errc::invalid,
                "nobody wants the events of this store; name who does with 'trainyard store config openlineage URL'");
  }
  return deliver(store, *target, {}, now);
}

}  // namespace trainyard
