// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>

#include "runner/core/secrets.hpp"
#include "runner/core/worker_event.hpp"
#include "storage/files/files.hpp"

namespace trainyard {

// Appends to events.jsonl, without secrets. Any thread.
class EventLog {
 public:
  using What = decltype(WorkerEvent::what);

  static Result<UniqueFd> open(const Path& path);
  EventLog(UniqueFd file, Path path, const Secrets& secrets = {})
      : file_(std::move(file)), path_(std::move(path)), secrets_(secrets) {}

  // What a package said, without the job's secrets. To be asked before it is cut.
  [[nodiscard]] std::string redacted(std::string_view text) const { return secrets_.redacted(text); }

  // With the present time. The event is one line, in the file whole or, after an error, not at all; synced it is not.
  Result<void> write(What what);

 private:
  std::mutex mutex_;
  UniqueFd file_;
  Path path_;
  SecretForms secrets_;
};

}  // namespace trainyard
