// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runner/core/secrets.hpp"
#include "runner/jobs/job_folder.hpp"

namespace trainyard {

// Carries what a job's own processes say of it from the fifo of its channel to events.jsonl: what is no event is left out,
// secrets are hidden, and the time is that of the supervisor. So a package can say what it likes, but it cannot unsay
// it, nor write anything else into the story of its run.
class EventPump {
 public:
  // Makes the fifo and the file. REQUIRES: `secrets` outlives this.
  static Result<EventPump> open(const JobFolder& folder, const SecretForms& secrets);

  // To poll for reading. It never ends.
  [[nodiscard]] int read_end() const { return fifo_.get(); }

  // Carries what is there now, without waiting. True when there may be more.
  bool carry();
  // Carries all that is there now.
  void drain();
  Result<void> sync();

  [[nodiscard]] std::uint64_t written_bytes() const { return written_; }
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }

 private:
  EventPump(const SecretForms& secrets) : secrets_(&secrets), buffer_(kPieceBytes) {}
  void keep(std::string_view line);

  static constexpr std::size_t kPieceBytes = std::size_t{128} << 10U;
  // More than the longest log text takes, escaped.
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20U;

  Path path_;
  const SecretForms* secrets_;
  UniqueFd fifo_;
  UniqueFd file_;
  std::string rest_;
  std::string lines_;      // that are about to be written
  bool skipping_ = false;  // the rest of a line that was too long
  std::uint64_t written_ = 0;
  std::vector<char> buffer_;
  std::optional<Error> trouble_;
};

}  // namespace trainyard
