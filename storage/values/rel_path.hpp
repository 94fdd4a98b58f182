// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// A path that stays below the folder it is relative to: one or more names joined by '/', none of them empty, "." or
// "..", none longer than 255 bytes, 4096 bytes at most in all, no NUL. Names are bytes, as the file system has them;
// order is by bytes.
class RelPath {
 public:
  static constexpr std::size_t kMaxBytes = 4096;
  static constexpr std::size_t kMaxNameBytes = 255;

  static Result<RelPath> parse(std::string_view bytes);
  // Refuses what `parse` refuses, without making a path.
  static Result<void> check(std::string_view bytes);

  // The form for JSON and people. '%' and every byte that is not UTF-8 stand as %HH (uppercase), so that each path has
  // exactly one text and each text one path.
  static Result<RelPath> from_text(std::string_view text);
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string_view name() const;
  // True for the folder itself and for everything in it.
  [[nodiscard]] bool is_within(const RelPath& folder) const;
  [[nodiscard]] Result<RelPath> child(std::string_view name) const;

  friend auto operator<=>(const RelPath&, const RelPath&) = default;

 private:
  friend class Tree;  // keeps valid paths in pieces, and puts them together again
  explicit RelPath(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

}  // namespace trainyard
