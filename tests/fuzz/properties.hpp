// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/values/json.hpp"
#include "storage/values/result.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// What does not hold ends the process, so that libFuzzer keeps the input.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

// Refusals stand in JSON, which holds nothing but UTF-8.
inline void require_sentence(const Error& error) {
  require(!error.message.empty() && is_utf8(error.message), "a refusal is a text: " + error.message);
}

// Refusals of archives show strangers' names.
inline void require_terminal_sentence(const Error& error) {
  require_sentence(error);
  require(printable(error.message) == error.message, "a refusal is one line, fit for a terminal: " + error.message);
}

// What is read is written, and read and written once more, to the same bytes.
template <class Read>
void require_rewrite(const Json& json, Read read) {
  const auto value = read(json);
  if (!value.ok()) return require_sentence(value.error());
  const std::string written = canonical(to_json(*value));
  const auto parsed = parse_json(written, "what was written");
  require(parsed.ok(), "what is written is JSON");
  const auto again = read(*parsed);
  require(again.ok(), "what is written can be read");
  require(canonical(to_json(*again)) == written, "what is written is read as it was");
}

}  // namespace trainyard::fuzz
