// SPDX-License-Identifier: Apache-2.0
//
// Whether a folder is a package. TRAINYARD_TEST_PACKAGES_DIR holds the packages of tests/packages, as folders and zips.
#include <catch2/catch.hpp>

#include <boost/filesystem/operations.hpp>

#include "storage/packages/package_check.hpp"
#include "storage/packages/zip_reader.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {
namespace {

using Catch::Matchers::Contains;

std::string message_of(const Result<CheckedPackage>& result) {
  return result.ok() ? "(a package)" : result.error().message;
}

std::string manifest(const std::string& library, const std::string& more = "") {
  return R"({"schema":"trainyard.package/1","name":"x","library":")" + library + "\"" + more + "}";
}

TEST_CASE("a folder without a manifest is no package", "[package_check]") {
  const TempFolder temp;
  CHECK(message_of(check_package(temp.path())) == "the package has no package.json in its root folder");
  temp.folder("package.json");
  CHECK(message_of(check_package(temp.path())) == "the package has no package.json in its root folder");
}

TEST_CASE("a Python package is named as one", "[package_check]") {
  const TempFolder temp;
  temp.write("main.py", "class Main: pass");
  const auto bare = check_package(temp.path());
  REQUIRE_FALSE(bare.ok());
  CHECK(bare.error().code == Errc::incompatible);
  CHECK_THAT(bare.error().message, Contains("this Trainyard runs native packages only"));
  temp.write("package.json", R"({"schema":"trainyard.package/1","name":"x","runtime":"python"})");
  const auto stated = check_package(temp.path());
  REQUIRE_FALSE(stated.ok());
  CHECK(stated.error().code == Errc::incompatible);
}

TEST_CASE("the manifest must name a file beside it", "[package_check]") {
  const TempFolder temp;
  temp.write("package.json", "{");
  CHECK_THAT(message_of(check_package(temp.path())), Contains("package.json"));
  temp.write("package.json", manifest("libx.so"));
  CHECK(message_of(check_package(temp.path())) ==
        "the manifest package.json names the library 'libx.so', which is not a file in the package");
  boost::filesystem::create_symlink("/proc/self/exe", temp.path() / "libx.so");
  CHECK_THAT(message_of(check_package(temp.path())), Contains("is not a file in the package"));
  temp.write("package.json", manifest("lib/libx.so"));
  temp.write("lib/libx.so", "");
  CHECK_THAT(message_of(check_package(temp.path())), Contains("must lie beside it"));
  temp.write("package.json", manifest("liby.so"));
  temp.write("liby.so", "text");
  CHECK(message_of(check_package(temp.path())) == "'liby.so' is not an ELF shared library");
}

TEST_CASE("a manifest that is too large is refused", "[package_check]") {
  const TempFolder temp;
  temp.write("package.json", std::string(2U << 20U, ' '));
  const auto result = check_package(temp.path());
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::invalid);
}

#ifdef TRAINYARD_TEST_PACKAGES_DIR

// Unpacks the package's zip into a fresh folder and checks that.
Result<CheckedPackage> check_zip(const TempFolder& temp, const std::string& name) {
  FolderWriter writer = TRY(FolderWriter::at(temp.folder(name)));
  const UnpackedZip zip = TRY(unpack_zip(Path(TRAINYARD_TEST_PACKAGES_DIR) / (name + ".zip"), writer));
  if (zip.root != name) return fail(Errc::corrupt, "the root folder is '" + zip.root + "'");
  return check_package(temp.path() / name);
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
}  // namespace trainyard
