// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/values/rel_path.hpp"

// The pieces of a tree's canonical text that its writer and its reader share. A path stands in it as RelPath's text,
// with the escapes of a canonical JSON string; '/' is never escaped, so folder and name can be written apart.
namespace trainyard {

inline constexpr std::string_view kTreeStart = R"({"entries":[)";
inline constexpr std::string_view kTreeEnd = R"(],"schema":"trainyard.tree/1"})";

// One byte of a path is never more than this many of the text.
inline constexpr std::size_t kMostBytesOfText = 6;
inline constexpr std::size_t kLongestTreeEntry = kMostBytesOfText * RelPath::kMaxBytes + 256;

// The largest size that the text may hold.
inline constexpr std::uint64_t kMostFileBytes = INT64_MAX;

// True for a byte that stands for itself, whatever is beside it: ASCII but '"', '%', '\' and the control characters.
constexpr bool is_plain(char c) { return c >= 0x20 && c != '"' && c != '%' && c != '\\'; }

void append_path_text(std::string_view path, std::string& text);

// The reverse; false when the text has an escape that is none. What it yields for a text in another than the one
// canonical form does not give that text back.
bool append_path_bytes(std::string_view text, std::string& path);

}  // namespace trainyard
