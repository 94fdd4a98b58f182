// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trainyard {

// A line on stderr that is drawn over itself while work goes on; nothing at all when stderr is not a terminal.
// Single-threaded.
class StatusLine {
 public:
  StatusLine();
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  [[nodiscard]] bool shown() const { return terminal_; }
  // Draws at most some twenty times a second; a text between two draws is skipped.
  void show(const std::string& text);
  // A line that stays, above the status line.
  void print_above(const std::string& line);
  void clear();

 private:
  bool terminal_;
  std::string drawn_;
  std::chrono::steady_clock::time_point next_draw_{};
};

// "[########            ]  40%"
std::string bar(double fraction);

// Columns as wide as their widest cell, two spaces between; the first row is the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

std::string number_text(double value);                           // six digits that count: "0.35193"
std::string size_text(std::uint64_t bytes);                      // "1.5 MiB"
std::string duration_text(double seconds);                       // "0.42 s", "3 min 5 s", "2 h 10 min"
std::string plural(std::uint64_t count, std::string_view noun);  // "1 file", "2 files"

}  // namespace trainyard
