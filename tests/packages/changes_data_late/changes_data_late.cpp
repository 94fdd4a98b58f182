// SPDX-License-Identifier: Apache-2.0
// Reads the dataset and then writes into it.
#include <trainyard/package.hpp>

#include <fstream>
#include <iterator>
#include <string>

namespace {

class ChangesDataLate {
 public:
  explicit ChangesDataLate(trainyard::Run&) {}
  void train(const std::filesystem::path& data) {
    std::size_t bytes = 0;
    std::filesystem::path first;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      bytes += std::string(std::istreambuf_iterator<char>(in), {}).size();
      if (first.empty() || entry.path() < first) first = entry.path();
    }
    std::filesystem::create_directories(data / "training");
    std::ofstream(data / "training" / "late.txt") << "written after reading " << bytes << " bytes\n";
    if (!first.empty()) std::ofstream(first, std::ios::app) << "one more line\n";
  }
  void save() {}
};

}  // namespace

TRAINYARD_PACKAGE(ChangesDataLate)
