// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "runner/python/python_interpreter.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::python_folders_test {
namespace {

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace

TEST_CASE("a job is shown its Python and nothing beside it", "[python_folders]") {
  const TempFolder temp;
  const std::string root = real_path(temp.path())->string();
  const auto folders = [&](const std::string& program) {
    return sorted(folders_of_python(root + "/" + program, "/kit").value());
  };
  temp.write("base/bin/python3", "");
  temp.write("base/lib/python3.11/os.py", "");
  const std::vector<std::string> base = {root + "/base/bin", root + "/base/lib"};

  // One that is built or unpacked somewhere.
  CHECK(folders("base/bin/python3") == std::vector<std::string>{"/kit", base[0], base[1]});

  // A virtual environment of it, whose program is a link.
  temp.write("env/pyvenv.cfg", "home = " + root + "/base/bin\ninclude-system-site-packages = false\n");
  temp.folder("env/bin");
  REQUIRE(::symlink((root + "/base/bin/python3").c_str(), (root + "/env/bin/python").c_str()) == 0);
  auto of_environment = folders("env/bin/python");
  of_environment.erase(std::unique(of_environment.begin(), of_environment.end()), of_environment.end());
  CHECK(of_environment == std::vector<std::string>{"/kit", base[0], base[1], root + "/env"});

  // A home folder with a Python in ~/bin is not the Python's.
  temp.write("home/bin/python3", "");
  temp.write("home/.ssh/id", "");
  CHECK(folders("home/bin/python3") == std::vector<std::string>{"/kit", root + "/home/bin"});

  CHECK(folders_of_python("/usr/bin/python3", "/kit").value() == std::vector<std::string>{"/kit"});
  CHECK(folders_of_python(root + "/nowhere/bin/python3", "/kit").error().code == Errc::not_found);
}

}  // namespace trainyard::python_folders_test
