// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace trainyard {

// What a server says about what is published there, as it says it to those who publish and pull. The first byte tells the
// fuzzer which reader is meant.
std::vector<std::string> s3_seeds();
std::vector<std::string> registry_seeds();
std::vector<std::string> credential_seeds();
std::vector<std::string> bundle_seeds();

}  // namespace trainyard
