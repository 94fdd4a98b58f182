// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/instant.hpp"
#include "storage/values/result.hpp"

// The names that people type. Each type exists only in its valid form.
namespace trainyard {

// [A-Za-z][A-Za-z0-9_-]{0,63}, not a Python keyword. Two names that differ only in case are the same package.
class PackageName {
 public:
  static Result<PackageName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string folded() const;  // lower case, for comparing
  friend auto operator<=>(const PackageName&, const PackageName&) = default;

 private:
  explicit PackageName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Two integers, not a decimal: 1.10 follows 1.9.
struct PackageVersion {
  std::uint32_t major = 1;
  std::uint32_t minor = 0;

  static Result<PackageVersion> parse(std::string_view text);
  [[nodiscard]] std::string text() const { return std::to_string(major) + "." + std::to_string(minor); }
  friend auto operator<=>(const PackageVersion&, const PackageVersion&) = default;
};

// What people call a version of a package for as long as it is the right one: "production". Begins with a letter and goes
// on with letters, digits, '_' and '-', 63 characters at most.
class VersionLabel {
 public:
  static Result<VersionLabel> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  friend auto operator<=>(const VersionLabel&, const VersionLabel&) = default;

 private:
  explicit VersionLabel(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// "digits", "digits@1.0" or "digits@production"; without a version or label the newest is meant.
struct PackageReference {
  PackageName name;
  std::optional<PackageVersion> version;
  std::optional<VersionLabel> label = std::nullopt;  // never beside a version

  static Result<PackageReference> parse(std::string_view text);
  [[nodiscard]] std::string text() const {
    return name.text() + (version ? "@" + version->text() : "") + (label ? "@" + label->text() : "");
  }
  friend bool operator==(const PackageReference&, const PackageReference&) = default;
};

// A UUID version 7 (RFC 9562): begins with its time, so runs sort by start.
class RunId {
 public:
  static Result<RunId> parse(std::string_view text);
  static RunId from(Instant now, std::span<const std::uint8_t, 10> random);
  [[nodiscard]] const std::string& text() const { return text_; }
  // That it begins with, to the millisecond.
  [[nodiscard]] Instant began() const;
  friend auto operator<=>(const RunId&, const RunId&) = default;

 private:
  explicit RunId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// 1 to 63 characters, [A-Za-z0-9](-*[A-Za-z0-9])*. Need not be unique.
class RunName {
 public:
  static Result<RunName> parse(std::string_view text);
  // A name for a run that was given none: the package and the end of the run's id.
  static RunName made_up(const PackageName& package, const RunId& run);
  [[nodiscard]] const std::string& text() const { return text_; }
  friend auto operator<=>(const RunName&, const RunName&) = default;

 private:
  explicit RunName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// In lower case, for comparing names that are one whatever their case.
std::string folded_case(std::string_view name);

// [\w-]{1,64}
bool is_metric_name(std::string_view name);

// The candidate that a person who typed `word` most likely meant (edit distance at most a third of its length), if any.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'digits'?" or nothing: the tail of a sentence about a name that does not exist.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace trainyard
