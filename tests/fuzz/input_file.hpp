// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "storage/files/files.hpp"
#include "tests/fuzz/properties.hpp"

namespace trainyard::fuzz {

// A file in memory that holds one input after another.
class InputFile {
 public:
  InputFile() : memory_(::memfd_create("input", MFD_CLOEXEC)) { require(memory_.get() >= 0, "there is memory"); }

  void hold(std::string_view bytes) {
    require(::ftruncate(memory_.get(), 0) == 0 && ::lseek(memory_.get(), 0, SEEK_SET) == 0, "the file can be emptied");
    add(bytes);
  }
  void add(std::string_view bytes) { require(write_all(memory_.get(), bytes, path()).ok(), "there is memory"); }
  [[nodiscard]] Path path() const { return "/proc/self/fd/" + std::to_string(memory_.get()); }

 private:
  UniqueFd memory_;
};

}  // namespace trainyard::fuzz
