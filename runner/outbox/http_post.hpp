// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "storage/values/result.hpp"

namespace trainyard {

// How long a request may take.
struct HttpPatience {
  std::chrono::milliseconds to_connect{2000};
  std::chrono::milliseconds in_all{10'000};
};

struct HttpAnswer {
  long status = 0;
  std::string beginning;  // of what the server said
};

// Posts one JSON document. Redirections are not followed. `unavailable` says why no answer came. libcurl is loaded when it
// is needed first, because loading it takes longer than most commands. One thread at a time.
Result<HttpAnswer> post_json(const std::string& url, const std::string& body, const HttpPatience& patience);

}  // namespace trainyard
