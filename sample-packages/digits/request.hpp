// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "images.hpp"
#include "network.hpp"

namespace digits {

/// Reads what `predict` is asked: a JSON array of 64 numbers from 0 to 16, the pixels row by row. Nothing else is
/// taken; throws trainyard::InvalidInput, naming the value, counted from 1, that is wrong.
Pixels parse_request(std::string_view json);

/// {"digit":7,"probabilities":[0.01,...]}
std::string answer_json(const Probabilities& probabilities);

}  // namespace digits
