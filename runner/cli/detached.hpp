// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "storage/values/result.hpp"

namespace trainyard {

// Does `work` in a process of its own, in a session of its own, without a terminal and with none of the descriptors that
// are open here, which goes on when this process ends. The work tells by `begun` that it has begun, and with what words; they are the answer here. What goes wrong
// before is the error here; what goes wrong later, nobody is there to be told. REQUIRES: this process has one thread.
using Begun = std::function<void(const std::string& words)>;
Result<std::string> do_detached(const std::function<Result<void>(const Begun&)>& work);

}  // namespace trainyard
