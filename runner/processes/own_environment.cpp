// SPDX-License-Identifier: Apache-2.0
#include "runner/processes/own_environment.hpp"

#include <unistd.h>

#include <sstream>
#include <string_view>

#include "storage/files/files.hpp"

namespace trainyard {

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> variables;
  for (char** each = ::environ; *each != nullptr; ++each) {
    const std::string_view pair = *each;
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) variables.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return variables;
}

Result<std::string> find_program(const std::string& name, const std::string& path) {
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const Path program = Path(folder) / name;
    if (program.is_absolute() && ::access(program.c_str(), X_OK) == 0) return program.string();
  }
  return fail(Errc::not_found, "the program '" + name + "' is not in " + path);
}

}  // namespace trainyard
