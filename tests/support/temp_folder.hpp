// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>

#include <boost/filesystem/operations.hpp>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "storage/files/files.hpp"

namespace trainyard {

// A fresh folder below the system's folder for temporary files, removed with everything in it when this ends. For
// tests: an operation that fails throws, which ends the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (boost::filesystem::temp_directory_path() / "trainyard-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    path_ = name;
  }
  ~TempFolder() { static_cast<void>(remove_tree(path_)); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  [[nodiscard]] const Path& path() const { return path_; }

  // Writes a file, replacing one that is there, and makes the folders above it. Returns its path.
  Path write(std::string_view relative, std::string_view text) const {
    const Path path = path_ / std::string(relative);
    boost::filesystem::create_directories(path.parent_path());
    const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (!file.ok()) throw std::runtime_error(file.error().message);
    const auto written = write_all(file->get(), text, path);
    if (!written.ok()) throw std::runtime_error(written.error().message);
    return path;
  }

  [[nodiscard]] std::string read(std::string_view relative) const {
    auto bytes = read_file(path_ / std::string(relative), SIZE_MAX / 4);
    if (!bytes.ok()) throw std::runtime_error(bytes.error().message);
    return std::move(*bytes);
  }

  // Makes a folder and those above it. Returns its path.
  Path folder(std::string_view relative) const {
    const Path path = path_ / std::string(relative);
    boost::filesystem::create_directories(path);
    return path;
  }

 private:
  Path path_;
};

}  // namespace trainyard
