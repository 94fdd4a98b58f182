// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <type_traits>
#include <utility>

#include "storage/values/result.hpp"

namespace trainyard {

// The value, or an exception with what went wrong: for helpers of tests that are no test themselves.
template <class T>
T required(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

}  // namespace trainyard
