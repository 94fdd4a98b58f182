// SPDX-License-Identifier: Apache-2.0
//
// Whether a folder is a package. TRAINYARD_TEST_PACKAGES_DIR holds the packages of tests/packages, as folders and zips.
#include <catch2/catch.hpp>

#include <boost/filesystem/operations.hpp>

#include "runner/python/python_interpreter.hpp"
#include "storage/packages/package_check.hpp"
#include "storage/packages/zip_reader.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::package_check_test {
namespace {

using Catch::Matchers::Contains;

std::string message_of(const Result<CheckedPackage>& result) {
  return result.ok() ? "(a package)" : result.error().message;
}

Result<CheckedPackage> check(const Path& folder, const std::optional<std::string>& name = std::nullopt) {
  PythonInterpreter python("/usr/bin/python3", TRAINYARD_PYTHON_KIT);
  return check_package(folder, python, name);
}

std::string manifest(const std::string& library, const std::string& more = "") {
  return R"({"schema":"trainyard.package/1","name":"x","library":")" + library + "\"" + more + "}";
}

TEST_CASE("a folder without a manifest is no package", "[package_check]") {
  const TempFolder temp;
  CHECK(message_of(check(temp.path())) == "the package has no package.json, train.py or main.py in its root folder");
  temp.folder("package.json");
  CHECK(message_of(check(temp.path())) == "the package has no package.json, train.py or main.py in its root folder");
}

TEST_CASE("a Python package needs no manifest, only a name", "[package_check]") {
  const TempFolder temp;
  temp.write("train.py", "class Main:\n  def train(self, d): pass\n  def save(self): pass\n");
  const auto checked = check(temp.path(), "wine");
  INFO(message_of(checked));
  REQUIRE(checked.ok());
  CHECK(checked->manifest == Manifest::of_python(PackageName::parse("wine").value()));
  CHECK(checked->abi.runtime == Runtime::python);
  CHECK((checked->abi.verbs == std::set{Verb::train, Verb::save}));
  CHECK(checked->abi.builder.starts_with("Python 3."));
  CHECK(message_of(check(temp.path(), "my package"))
            .starts_with("the package has no package.json that names it, and its root folder cannot: "));
  temp.write("package.json", R"({"schema":"trainyard.package/1","name":"vine","runtime":"python"})");
  CHECK(check(temp.path(), "wine")->manifest.name.text() == "vine");
}

struct Source {
  const char* train;  // train.py
  const char* expected;
};

TEST_CASE("the verbs of a Python package are found without running it", "[package_check]") {
  const TempFolder temp;
  temp.write("parts/__init__.py", "from .saving import Saving as Keeper\n");
  temp.write("parts/saving.py", "class Saving:\n  def save(self): pass\n");
  temp.write("trainer.py", "from parts import Keeper\nclass Trainer(Keeper):\n  def train(self, d): pass\n");
  constexpr const char* kBoth = "train save";
  const Source sources[] = {
      {"class Main:\n  def train(self, d): pass\n  def save(self): pass\n", kBoth},
      {"from trainer import Trainer as Main\n", kBoth},
      {"import trainer\nclass Main(trainer.Trainer): pass\n", kBoth},
      {"from trainer import *\nMain = Trainer\n", kBoth},
      {"try:\n  import torch\nexcept ImportError:\n  pass\nfrom abc import ABC\n"
       "class Main(ABC):\n  def train(self, d): pass\n  def save(self): pass\n  fit = 1\n",
       kBoth},
      {"import sys; sys.exit(1)\nclass Main:\n  def evaluate(self, d): return 1\n", "evaluate"},
      // What only the library knows that is not in the package.
      {"from torch import Trainer as Main\n", "process_data train save evaluate"},
      {"import torch\nclass Main(torch.Trainer): pass\n", "process_data train save evaluate"},
      {"class Main:\n  def train(self, d): pass\n", "the class Main in train.py has train() but no save()"},
      {"class Main:\n  def save(self): pass\n", "the class Main in train.py has save() but no train()"},
      {"class Main:\n  def fit(self, d): pass\n",
       "the package can do nothing: it has none of train and save, evaluate, process_data, predict"},
      {"class Trainer: pass\n", "train.py has no class Main"},
      {"def Main(): pass\n", "train.py has no class Main"},
      {"class Main(:\n", " is not valid for Python 3."},
      {"class Main:\n  def train(self, d): print 'x'\n", " in line 2"},
  };
  for (const Source& source : sources) {
    temp.write("train.py", source.train);
    const auto checked = check(temp.path(), "wine");
    std::string found;
    if (checked.ok()) {
      for (const Verb verb : checked->abi.verbs) found += (found.empty() ? "" : " ") + std::string(name_of(verb));
    } else {
      found = checked.error().message;
    }
    INFO(source.train);
    CHECK_THAT(found, Contains(source.expected));
  }
  CHECK_FALSE(is_there(temp.path() / "__pycache__"));
}

TEST_CASE("the manifest must name a file beside it", "[package_check]") {
  const TempFolder temp;
  temp.write("package.json", "{");
  CHECK_THAT(message_of(check(temp.path())), Contains("package.json"));
  temp.write("package.json", manifest("libx.so"));
  CHECK(message_of(check(temp.path())) ==
        "the manifest package.json names the library 'libx.so', which is not a file in the package");
  boost::filesystem::create_symlink("/proc/self/exe", temp.path() / "libx.so");
  CHECK_THAT(message_of(check(temp.path())), Contains("is not a file in the package"));
  temp.write("package.json", manifest("lib/libx.so"));
  temp.write("lib/libx.so", "");
  CHECK_THAT(message_of(check(temp.path())), Contains("must lie beside it"));
  temp.write("package.json", manifest("liby.so"));
  temp.write("liby.so", "text");
  CHECK(message_of(check(temp.path())) == "'liby.so' is not an ELF shared library");
}

TEST_CASE("a manifest that is too large is refused", "[package_check]") {
  const TempFolder temp;
  temp.write("package.json", std::string(2U << 20U, ' '));
  const auto result = check(temp.path());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::invalid);
}

#ifdef TRAINYARD_TEST_PACKAGES_DIR

// Unpacks the package's zip into a fresh folder and checks that.
Result<CheckedPackage> check_zip(const TempFolder& temp, const std::string& name) {
  FolderWriter writer = TRY(FolderWriter::at(temp.folder(name)));
  const UnpackedZip zip = TRY(unpack_zip(Path(TRAINYARD_TEST_PACKAGES_DIR) / (name + ".zip"), writer));
  if (zip.root != name) return fail(Errc::corrupt, "the root folder is '" + zip.root + "'");
  return check(temp.path() / name);
}

TEST_CASE("packages as the kit builds and packs them are accepted", "[package_check]") {
  const TempFolder temp;
  for (const char* name : {"counts", "writes_everywhere", "throws_in_train", "segfaults"}) {
    const auto checked = check_zip(temp, name);
    INFO(message_of(checked));
    REQUIRE(checked.ok());
    CHECK(checked->manifest.name.text() == name);
    CHECK(checked->abi.verbs.contains(Verb::train));
    CHECK(checked->abi.major == 1);
  }
}

TEST_CASE("packages that cannot run are refused, each for its reason", "[package_check]") {
  const TempFolder temp;
  CHECK_THAT(message_of(check_zip(temp, "no_entry")), Contains("does not export trainyard_package_v1"));
  CHECK_THAT(message_of(check_zip(temp, "not_a_library")), Contains("is not an ELF shared library"));
  CHECK_THAT(message_of(check_zip(temp, "wrong_library")), Contains("is not a file in the package"));
}

#endif

}  // namespace
}  // namespace trainyard::package_check_test
