// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <trainyard/abi.h>

#include <map>
#include <mutex>
#include <string>

#include "runner/core/job_spec.hpp"
#include "runner/worker/event_log.hpp"

namespace trainyard {

// The table `trainyard_host` for one package: its answers come out of the job, what it tells goes into the event log.
// Texts are cleaned to UTF-8 and cut. An event that cannot be written is lost; only `ended` is worth a failure.
class PackageHost {
 public:
  static constexpr std::size_t kLogCharacters = std::size_t{64} << 10U;
  static constexpr std::size_t kNoteCharacters = 256;

  // `job` and `events` outlive this.
  PackageHost(const JobSpec& job, EventLog& events);
  PackageHost(const PackageHost&) = delete;
  PackageHost& operator=(const PackageHost&) = delete;

  [[nodiscard]] const trainyard_host* table() const { return &table_; }

  // The last explanation since the last time this was asked; empty for none.
  std::string take_explanation();

 private:
  struct Calls;  // the table's functions

  const JobSpec& job_;
  EventLog& events_;
  std::map<std::string, std::string> parameter_texts_;
  std::mutex mutex_;
  std::string explanation_;
  trainyard_host table_{};
};

}  // namespace trainyard
