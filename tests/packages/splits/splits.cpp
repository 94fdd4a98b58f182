// SPDX-License-Identifier: Apache-2.0
// Prepares its data in the way that a test asks for, and tells what it was given then.
#include <trainyard/package.hpp>

#include <fstream>
#include <limits>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

// The files of a folder by their paths in it, one on each line.
std::string listing(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) names.insert(entry.path().lexically_relative(folder).string());
  }
  std::string lines;
  for (const std::string& name : names) lines += name + "\n";
  return lines;
}

class Splits {
 public:
  explicit Splits(trainyard::Run& run) : run_(run) {}

  void process_data(const fs::path& data) {
    tell("process_data", data);
    const auto split = run_.parameter<std::string>("split", "halves");
    const fs::path training = run_.directory("training_data").value();
    const fs::path test = run_.directory("test_data").value();
    if (split == "nothing") return;
    if (split == "replaced") {
      fs::remove_all(training / "old");
      std::ofstream(training / "new.csv") << "new\n";
      return;
    }
    int number = 0;
    for (const auto& entry : fs::directory_iterator(data)) {
      if (!entry.is_regular_file()) continue;
      const std::string name = entry.path().filename().string();
      if (split == "same" || number % 2 == 0) fs::copy_file(entry.path(), training / name);
      if (split == "same" || number % 2 == 1) fs::copy_file(entry.path(), test / name);
      ++number;
    }
  }

  void train(const fs::path& data) { tell("train", data); }

  void save() { std::ofstream(run_.package_directory() / "saved.txt") << "saved\n"; }

  double evaluate(const fs::path& data) {
    tell("evaluate", data);
    const auto score = run_.parameter<std::string>("score", "files");
    if (score == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (score == "infinity") return std::numeric_limits<double>::infinity();
    double files = 0;
    for (const char c : listing(data)) files += c == '\n' ? 1 : 0;
    return files;
  }

 private:
  void tell(const std::string& verb, const fs::path& data) {
    std::ofstream(run_.artifacts_directory() / (verb + ".txt")) << listing(data);
  }

  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(Splits)
