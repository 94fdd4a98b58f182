// SPDX-License-Identifier: Apache-2.0
#include "storage/values/names.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "storage/values/limits.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_ascii_letter(c) || is_digit(c); }

// Python 3.12, Lexical analysis, Keywords; a package name becomes a module name there.
constexpr std::string_view kPythonKeywords[] = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

std::optional<std::uint32_t> parse_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number_in<std::uint32_t>(text);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

Result<PackageName> PackageName::parse(std::string_view text) {
  const bool shaped =
      !text.empty() && text.size() <= 64 && is_ascii_letter(text.front()) &&
      std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
  if (!shaped) {
    return fail(Errc::invalid,
                "'" + std::string(text.substr(0, 80)) +
                    "' is not a package name: 1 to 64 letters, digits, '_' or '-', beginning with a letter");
  }
  if (std::find(std::begin(kPythonKeywords), std::end(kPythonKeywords), text) != std::end(kPythonKeywords)) {
    return fail(Errc::invalid, "'" + std::string(text) + "' cannot be a package name because it is a Python keyword");
  }
  return PackageName(std::string(text));
}

std::string PackageName::folded() const { return folded_case(text_); }

Result<PackageVersion> PackageVersion::parse(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot != std::string_view::npos) {
    const auto major = parse_number(text.substr(0, dot));
    const auto minor = parse_number(text.substr(dot + 1));
    if (major && minor && *major >= 1) return PackageVersion{*major, *minor};
  }
  return fail(Errc::invalid,
              "'" + std::string(text) + "' is not a version: two whole numbers joined by a dot, such as 1.0");
}

Result<PackageReference> PackageReference::parse(std::string_view text) {
  const std::size_t at = text.find('@');
  auto name = TRY(PackageName::parse(text.substr(0, at)));
  if (at == std::string_view::npos) return PackageReference{std::move(name), std::nullopt};
  const std::string_view which = text.substr(at + 1);
  if (auto label = VersionLabel::parse(which); label.ok())
    return PackageReference{std::move(name), std::nullopt, std::move(*label)};
  const PackageVersion version = TRY(PackageVersion::parse(which));
  return PackageReference{std::move(name), version};
}

Result<VersionLabel> VersionLabel::parse(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits = [&](char c) { return letter(c) || is_digit(c) || c == '_' || c == '-'; };
  if (text.empty() || text.size() > 63 || !letter(text.front()) || !std::all_of(text.begin(), text.end(), fits)) {
    return fail(Errc::invalid, "'" + std::string(text.substr(0, 80)) +
                                   "' is not a label: a letter, then letters, digits, '_' or '-', 63 in all at most");
  }
  return VersionLabel(std::string(text));
}

Result<RunId> RunId::parse(std::string_view text) {
  bool shaped = text.size() == 36;
  for (std::size_t i = 0; shaped && i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    shaped = dash ? text[i] == '-' : is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
  }
  if (!shaped || text[14] != '7')
    return fail(Errc::invalid, "'" + std::string(text.substr(0, 80)) + "' is not a run id");
  return RunId(std::string(text));
}

RunId RunId::from(Instant now, std::span<const std::uint8_t, 10> random) {
  std::array<std::uint8_t, 16> bytes{};
  const auto milliseconds = static_cast<std::uint64_t>(now.microseconds / 1000);
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
  std::copy(random.begin(), random.end(), bytes.begin() + 6);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4U];
    text += kDigits[bytes[i] & 15U];
  }
  return RunId(std::move(text));
}

Instant RunId::began() const {
  std::int64_t milliseconds = 0;
  for (const char letter : text_.substr(0, 13)) {
    if (letter != '-') milliseconds = milliseconds * 16 + (is_digit(letter) ? letter - '0' : letter - 'a' + 10);
  }
  return {milliseconds * 1000};
}

Result<RunName> RunName::parse(std::string_view text) {
  const bool shaped = !text.empty() && text.size() <= 63 && is_alphanumeric(text.front()) &&
                      is_alphanumeric(text.back()) &&
                      std::all_of(text.begin(), text.end(), [](char c) { return is_alphanumeric(c) || c == '-'; });
  if (!shaped) {
    return fail(Errc::invalid,
                "'" + std::string(text.substr(0, 80)) +
                    "' is not a run name: 1 to 63 letters, digits or '-', beginning and ending with a letter or digit");
  }
  return RunName(std::string(text));
}

RunName RunName::made_up(const PackageName& package, const RunId& run) {
  std::string text = package.text().substr(0, 54);
  std::replace(text.begin(), text.end(), '_', '-');
  return RunName(text + "-" + run.text().substr(run.text().size() - 8));
}

std::string folded_case(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool is_metric_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::kMetricNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string folded = folded_case(word);
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(folded, folded_case(candidate));
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const auto candidate = nearest(word, candidates);
  return candidate ? "; did you mean '" + *candidate + "'?" : std::string();
}

}  // namespace trainyard
