// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runner/core/secrets.hpp"
#include "runner/jobs/job_folder.hpp"

namespace trainyard {

// Carries what a job prints from two pipes to stdout.log and stderr.log, byte for byte but for the job's secrets, and
// notes in log_index.jsonl when each piece came. A log that cannot be written is given up, but its pipe is read on, so that the job never blocks
// on it.
class LogPump {
 public:
  static constexpr std::size_t kStreams = 2;  // 0 is stdout, 1 is stderr

  // Creates the three files, empty. REQUIRES: `secrets` outlives this.
  static Result<LogPump> open(const JobFolder& folder, const SecretForms& secrets);

  // For the job's process. Ours are closed with `close_write_ends` once it has its own: a pipe ends with its last
  // writer.
  [[nodiscard]] int write_end(std::size_t stream) const { return streams_.at(stream).write_end.get(); }
  void close_write_ends();

  // To poll for reading; -1 once the stream has ended.
  [[nodiscard]] int read_end(std::size_t stream) const { return streams_.at(stream).read_end.get(); }

  // Carries one piece of what is there now, without waiting.
  void carry(std::size_t stream);
  // Carries all that is there now from both streams, without waiting: the last that is carried.
  void drain();

  [[nodiscard]] std::uint64_t written_bytes() const { return streams_[0].offset + streams_[1].offset; }

  // The first trouble with a file, if any.
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }

 private:
  struct Stream {
    std::string_view name;
    Path path;
    UniqueFd log;
    UniqueFd read_end;
    UniqueFd write_end;
    std::optional<SecretRedactor> redactor;  // where there is something to hide
    std::uint64_t offset = 0;
    bool given_up = false;
  };

  LogPump() : buffer_(kPieceBytes) {}
  bool carry_piece(Stream& stream);
  void keep(Stream& stream, std::string_view bytes);
  Result<void> write(Stream& stream, std::string_view bytes);

  static constexpr std::size_t kPieceBytes = std::size_t{128} << 10U;

  std::array<Stream, kStreams> streams_;
  Path index_path_;
  UniqueFd index_;
  std::vector<char> buffer_;
  std::optional<Error> trouble_;
};

}  // namespace trainyard
