// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "storage/store/store.hpp"

namespace trainyard {

// The name of a file in the store's scratch folder that nobody else has; what is there is gone at the end of the scope.
class ScratchFile {
 public:
  ScratchFile(const Store& store, std::string_view prefix) : path_(scratch_name(store.scratch(), prefix)) {}
  ~ScratchFile() { static_cast<void>(remove_file(path_)); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace trainyard
