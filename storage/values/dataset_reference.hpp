// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/values/rel_path.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// [A-Za-z][A-Za-z0-9._-]{0,63}. Two names that differ only in case are the same dataset.
class DatasetName {
 public:
  static Result<DatasetName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::string folded() const;  // lower case, for comparing
  friend auto operator<=>(const DatasetName&, const DatasetName&) = default;

 private:
  explicit DatasetName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// "digits", "digits@3", "digits/training" or "digits@3/training": a version of a dataset, without a number the newest,
// and maybe one folder in it instead of the whole. The folder stands in its text form, so that a reference has one text.
struct DatasetReference {
  DatasetName name;
  std::optional<std::uint32_t> number;  // from 1
  std::optional<RelPath> folder;

  static Result<DatasetReference> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  friend bool operator==(const DatasetReference&, const DatasetReference&) = default;
};

}  // namespace trainyard
