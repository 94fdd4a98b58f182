// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runner/core/secrets.hpp"
#include "storage/files/files.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

// A file that holds a secret, or whose name or target does, or of which nobody can tell.
struct SecretLeak {
  Path file;
  std::string shown;   // its path in the folder, without secrets
  std::string secret;  // the name of the variable; empty when the file cannot be read

  [[nodiscard]] std::string why() const;
};

// All files below a folder, without following links; of packed or encrypted content nobody can tell. `wanted` says which
// paths are looked at.
std::vector<SecretLeak> find_leaks(const Path& folder, const SecretForms& secrets,
                                   const std::function<bool(const RelPath&)>& wanted);

// Removes the files below a folder that hold a secret. Nothing there is fine.
Result<std::vector<SecretLeak>> remove_leaks(const Path& folder, const SecretForms& secrets);

}  // namespace trainyard
