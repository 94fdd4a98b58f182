// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/event_target.hpp"
#include "storage/files/files.hpp"
#include "storage/http/http_client.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"

namespace trainyard {

// The events of one run that nobody has taken yet.
struct WaitingEvents {
  RunId run;
  std::vector<std::string> events;  // JSON, in the order in which they go
};

// Why the last delivery came to no end.
struct MissedDelivery {
  Instant at;
  std::string message;
};

// What came of a delivery.
struct Delivery {
  struct Left {
    RunId run;
    std::string why;
  };
  std::size_t runs = 0;    // of which every event was taken
  std::size_t events = 0;  // that were taken
  std::vector<Left> left;  // the runs of which an event was not taken
  bool elsewhere = false;  // another process is delivering, and nothing was done
};

// Events that are on their way out of a store: a folder with a file of lines for each run.
//
//   <run id>.jsonl     the events that are left, one a line; first written whole
//   <run id>.sending   an empty file: they may have been appended to the file that they go to
//   last-failure.json  {"at":instant,"message":text}, since the last delivery that failed
//   lock               one process delivers at a time
//
// An event leaves the folder once it was taken, so it goes out at least once: after a kill in the wrong moment a server may
// get one twice, with the same run, type and time; a file never does. The events of a run keep their order.
class EventOutbox {
 public:
  // The folder need not exist; `scratch` is on the same file system.
  EventOutbox(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // Durable when it returns. What is there already stays as it is.
  Result<void> put(const RunId& run, const std::string& lines) const;
  // Oldest run first.
  [[nodiscard]] Result<std::vector<WaitingEvents>> waiting() const;
  [[nodiscard]] std::optional<MissedDelivery> last_failure() const;

  struct Wish {
    HttpPatience patience{std::chrono::seconds{2}, std::chrono::seconds{10}, std::chrono::seconds{10}};
    // No event is begun after this time. Those left wait for the next delivery.
    std::optional<std::chrono::milliseconds> in_all = std::nullopt;
  };
  // Sends what waits, oldest run first, until it has gone or the target cannot be reached. Passes by the runs for which
  // `unfinished` is true: they may come once more. An error is one of the outbox itself.
  Result<Delivery> deliver(const EventTarget& target, const Wish& wish,
                           const std::function<bool(const RunId& run)>& unfinished, Instant now) const;

 private:
  class Sending;

  [[nodiscard]] Path file_of(const RunId& run) const { return folder_ / (run.text() + ".jsonl"); }
  [[nodiscard]] Path mark_of(const RunId& run) const { return folder_ / (run.text() + ".sending"); }
  [[nodiscard]] Result<std::vector<RunId>> runs() const;
  void note_failure(const Delivery& delivery, Instant now) const;

  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
