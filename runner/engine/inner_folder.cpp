// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/inner_folder.hpp"

namespace trainyard {

bool is_inner_folder(const Path& root, const RelPath& inner) {
  const std::string path(inner.bytes());
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const auto status = status_of(root / path.substr(0, end));
    if (!status.ok() || !*status || !S_ISDIR((*status)->st_mode)) return false;
  }
  return true;
}

}  // namespace trainyard
