// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/values/json.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

// The one byte form of a JSON document by the JSON Canonicalization Scheme (RFC 8785): keys by their UTF-16 code units,
// numbers as ECMAScript writes them, no spaces. `canonical` of json.hpp gives the same bytes where only texts and whole
// numbers occur and no key has a character above U+FFFF; this one is for documents that other programs have to be able to
// make again.
//
// `invalid` for what has no such form: text that is not UTF-8, NaN and infinities, and whole numbers that a double
// does not give back (they would have to be texts).
Result<std::string> canonical_json(const Json& value);

}  // namespace trainyard
