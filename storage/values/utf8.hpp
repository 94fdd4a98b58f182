// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
namespace trainyard {

// The length in bytes of the sequence at the start of `text`, or 0 when it does not begin with a valid one.
std::size_t utf8_sequence(std::string_view text);

bool is_utf8(std::string_view text);

// The longest prefix of at most `characters` characters.
std::string_view utf8_prefix(std::string_view text, std::size_t characters);

// The same text with every byte that is not UTF-8 replaced by U+FFFD, fit for JSON and terminals.
std::string utf8_cleaned(std::string_view text);

// One line fit for a terminal: UTF-8, and '?' for each control character but the tab, of ASCII (0x00 to 0x1F, 0x7F) and of
// Unicode (U+0080 to U+009F), since either could move the cursor or worse.
std::string printable(std::string_view text);

inline bool is_ascii_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace trainyard
