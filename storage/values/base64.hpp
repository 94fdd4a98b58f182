// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "storage/values/result.hpp"

// Bytes as text: RFC 4648.
namespace trainyard {

// In the standard alphabet, padded.
std::string base64(std::string_view bytes);

// Reads the standard and the URL-safe alphabet, padded or not, as DSSE asks of whoever verifies. `invalid` for anything
// else: both alphabets in one text, white space, padding in the wrong place, bits that no byte has.
Result<std::string> from_base64(std::string_view text);

}  // namespace trainyard
