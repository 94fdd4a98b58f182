// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "runner/core/secrets.hpp"
#include "runner/core/worker_event.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// Tells the supervisor what happens in the job's process, without secrets: whole lines into the fifo of the job's channel,
// or to the end of a file. Any thread.
class EventLog {
 public:
  using What = decltype(WorkerEvent::what);

  // Waits until somebody reads the fifo.
  static Result<UniqueFd> open(const Path& path);
  EventLog(UniqueFd file, Path path, const Secrets& secrets = {})
      : file_(std::move(file)), path_(std::move(path)), secrets_(secrets) {}

  // What a package said, without the job's secrets. To be asked before it is cut.
  [[nodiscard]] std::string redacted(std::string_view text) const { return secrets_.redacted(text); }

  // With the present time.
  Result<void> write(What what);

 private:
  std::mutex mutex_;
  UniqueFd file_;
  Path path_;
  SecretForms secrets_;
};

// Hides the secrets in what a package says in its own words.
template <class Event>
void redact(Event& event, const SecretForms& secrets) {
  if constexpr (requires { event.text; }) event.text = secrets.redacted(event.text);
  if constexpr (requires { event.note; }) event.note = secrets.redacted(event.note);
  if constexpr (requires { event.message; }) event.message = secrets.redacted(event.message);
}

}  // namespace trainyard
