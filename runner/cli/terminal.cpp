// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr auto kBetweenDraws = std::chrono::milliseconds(50);
constexpr std::size_t kBarWidth = 24;

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t characters(std::string_view text) {
  std::size_t found = 0;
  for (const char c : text) found += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return found;
}

std::string number(double value, int decimals) {
  char buffer[32];
  const int size = std::snprintf(buffer, sizeof(buffer), "%.*f", decimals, value);
  return std::string(buffer, static_cast<std::size_t>(std::clamp(size, 0, 31)));
}

void write_error(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

StatusLine::StatusLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void StatusLine::show(const std::string& text) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kBetweenDraws;
  drawn_ = std::string(utf8_prefix(text, terminal_width() - 1));
  write_error("\r\033[K" + drawn_);
}

void StatusLine::print_above(const std::string& line) {
  if (terminal_) write_error("\r\033[K" + line + "\n" + drawn_);
}

void StatusLine::clear() {
  if (terminal_ && !drawn_.empty()) write_error("\r\033[K");
  drawn_.clear();
}

std::string bar(double fraction) {
  const double part = std::clamp(std::isfinite(fraction) ? fraction : 0.0, 0.0, 1.0);
  const auto full = static_cast<std::size_t>(part * static_cast<double>(kBarWidth));
  std::string percent = std::to_string(static_cast<int>(part * 100));
  percent.insert(0, 3 - percent.size(), ' ');
  return "[" + std::string(full, '#') + std::string(kBarWidth - full, ' ') + "] " + percent + "%";
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - characters(row[i]) + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

std::string number_text(double value) {
  char buffer[32];
  const int size = std::snprintf(buffer, sizeof(buffer), "%.6g", value);
  return std::string(buffer, static_cast<std::size_t>(std::clamp(size, 0, 31)));
}

std::string size_text(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return number(value, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string duration_text(double seconds) {
  if (seconds < 60) return number(seconds, 2) + " s";
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace trainyard
