// SPDX-License-Identifier: Apache-2.0
// The same folder gives the same zip, on any day, in any time zone; and a zip and its folder are the same package.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"
#include "tests/support/fingerprint.hpp"
#include "tests/support/test_store.hpp"

namespace trainyard::packing_test {
namespace {

enum class Order { forwards, backwards };

// The files of a package for tests, made anew in this order and with this time.
Path copy_of(const std::string& package, const TestStore& store, const std::string& to, Order order, std::time_t time,
             unsigned umask) {
  auto files = contents(test_package(package));
  std::vector<std::pair<std::string, std::string>> sorted(files.begin(), files.end());
  if (order == Order::backwards) std::reverse(sorted.begin(), sorted.end());
  for (const auto& [name, bytes] : sorted) {
    const Path file = store.temp().write(to + "/" + name, bytes);
    const bool executable = name.ends_with(".so");
    REQUIRE(::chmod(file.c_str(), (executable ? 0777U : 0666U) & ~umask) == 0);
    const timespec times[] = {{time, 1}, {time, 2}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times, 0) == 0);
  }
  return store.temp().path() / to;
}

TEST_CASE("The same folder gives the same bytes, whenever and wherever it is packed") {
  TestStore store;
  const Path one = copy_of("counts", store, "one", Order::forwards, 1000000000, 0022);
  const Path two = copy_of("counts", store, "another/two", Order::backwards, 1893456000 + 1, 0077);
  const std::string zip = (store.temp().path() / "zip").string();
  const auto pack = [&](const Path& folder, const std::string& to, const Variables& variables) {
    const ProgramOutput output =
        store.run({"package", "pack", folder.string(), "--output", zip + to, "--json"}, variables);
    INFO(output.err);
    REQUIRE(output.status.code == 0);
    const Json packed = Json::parse(output.out);
    CHECK(packed.at("zip_digest") == sha256(read_text(zip + to)).hex());
    return packed;
  };
  const Json first = pack(one, "1", {{"TZ", "UTC"}});
  for (const auto& [to, zone] : Variables{{"2", "Asia/Tokyo"}, {"3", "JST-9"}, {"4", "XXX+11:45"}}) {
    const Json again = pack(two, to, {{"TZ", zone}, {"LC_ALL", "tr_TR.UTF-8"}});
    CHECK(again.at("zip_digest") == first.at("zip_digest"));
    CHECK(again.at("tree") == first.at("tree"));
    const bool same = read_text(zip + to) == read_text(zip + "1");
    CHECK(same);
  }
  CHECK_FALSE(first.at("zip_digest") ==
              pack(copy_of("slow", store, "three", Order::forwards, 1, 0), "5", {}).at("zip_digest"));
}

TEST_CASE("A folder and its zip are the same package") {
  TestStore store;
  const Path folder = test_package("counts");
  const Json packed =
      store.json({"package", "pack", folder.string(), "--output", (store.temp().path() / "packed.zip").string()});
  const Json from_zip = store.json({"package", "add", (store.temp().path() / "packed.zip").string()});
  const Json from_folder = store.json({"package", "add", folder.string()});
  const Json from_build = store.json({"package", "add", test_package("counts.zip").string()});
  CHECK(from_zip.at("version") == "1.0");
  CHECK(from_folder.at("version") == "2.0");
  CHECK(from_build.at("version") == "3.0");
  for (const Json& added : {from_zip, from_folder, from_build}) {
    CHECK(added.at("package") == "counts");
    CHECK(added.at("tree") == packed.at("tree"));
  }
  // Of a zip that somebody else made, its own digest is recorded.
  CHECK(from_zip.at("zip").at("digest") == packed.at("zip_digest"));
  CHECK(from_folder.at("zip").at("digest") == packed.at("zip_digest"));
  CHECK(from_build.at("zip").at("digest") == sha256(read_text(test_package("counts.zip"))).hex());
}

}  // namespace
}  // namespace trainyard::packing_test
