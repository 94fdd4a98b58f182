// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "storage/remotes/remote.hpp"

namespace trainyard {

struct RemoteTarget {
  std::string name;  // as the store knows it, or its address
  std::shared_ptr<Remote> remote;
};

}  // namespace trainyard
