// SPDX-License-Identifier: Apache-2.0
#include "runner/mounts/data_shares.hpp"

#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <catch2/catch.hpp>
#include <map>

#include "runner/mounts/mount_choice.hpp"
#include "storage/trees/capture.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::data_shares_test {
namespace {

using Files = std::map<std::string, std::string>;

constexpr std::size_t kWorkers = 3;

// Seven files in three folders and an empty one.
Path some_data(const TempFolder& temp) {
  for (const char* const name : {"a/1", "a/2", "a/3", "b/deeper/4", "b/deeper/5", "b/6", "top"})
    temp.write(std::string("data/") + name, std::string("content of ") + name);
  temp.folder("data/empty");
  return temp.path() / "data";
}

std::vector<SharePlace> places_in(const TempFolder& temp) {
  std::vector<SharePlace> places;
  for (std::size_t rank = 0; rank < kWorkers; ++rank) {
    const std::string own = "rank-" + std::to_string(rank);
    const Path target = temp.folder(own + "/target");
    const Path layer = temp.folder(own + "/layer");
    places.push_back({target, layer});
  }
  return places;
}

Files files_below(const Path& folder) {
  Files files;
  for (const auto& entry : boost::filesystem::recursive_directory_iterator(folder)) {
    if (boost::filesystem::is_regular_file(entry.path()))
      files[entry.path().lexically_relative(folder).string()] = read_file(entry.path(), 1000).value();
  }
  return files;
}

std::vector<MountedDataset> shared(const TempFolder& temp, MountKind kind, DataSharding sharding,
                                   const std::vector<SharePlace>& places) {
  const auto whole = make_mount(kind)->prepare(some_data(temp), places[0].target, places[0].layer);
  REQUIRE(whole.ok());
  const auto content = capture(whole->visible, {});
  REQUIRE(content.ok());
  auto mounted = share_out(*whole, content->tree, sharding, places);
  REQUIRE(mounted.ok());
  REQUIRE(mounted->size() == kWorkers);
  return *mounted;
}

}  // namespace

TEST_CASE("every worker has a copy of all the data, or its files alone", "[data_shares]") {
  const TempFolder temp;
  const auto places = places_in(temp);
  SECTION("all") {
    shared(temp, MountKind::copy, DataSharding::replicated, places);
    for (const SharePlace& place : places) CHECK(files_below(place.target) == files_below(temp.path() / "data"));
  }
  SECTION("by file") {
    shared(temp, MountKind::copy, DataSharding::by_file, places);
    const std::vector<std::vector<std::string>> expected = {
        {"a/1", "b/6", "top"}, {"a/2", "b/deeper/4"}, {"a/3", "b/deeper/5"}};
    for (std::size_t rank = 0; rank < kWorkers; ++rank) {
      INFO("rank " << rank);
      Files wanted;
      for (const std::string& name : expected[rank]) wanted[name] = "content of " + name;
      CHECK(files_below(places[rank].target) == wanted);
      for (const char* const folder : {"a", "b/deeper", "empty"}) CHECK(is_folder(places[rank].target / folder));
    }
    CHECK(files_below(temp.path() / "data").size() == 7);
  }
}

TEST_CASE("the layer of an overlay hides the files of the other workers", "[data_shares]") {
  const TempFolder temp;
  if (const std::string why = why_no_whiteouts(temp.folder("try")); !why.empty()) {
    WARN(why);
    return;
  }
  CHECK(list_folder(temp.path() / "try").value().empty());
  const auto places = places_in(temp);
  const DataSharding sharding = GENERATE(DataSharding::replicated, DataSharding::by_file);
  const auto mounted = shared(temp, MountKind::overlay, sharding, places);
  std::map<std::string, int> hidden;
  for (std::size_t rank = 0; rank < kWorkers; ++rank) {
    REQUIRE(mounted[rank].overlay);
    CHECK(mounted[rank].overlay->target == places[rank].target.string());
    const Path upper = mounted[rank].overlay->upper;
    for (const auto& entry : boost::filesystem::recursive_directory_iterator(upper)) {
      struct stat found {};
      REQUIRE(::lstat(entry.path().c_str(), &found) == 0);
      if (S_ISDIR(found.st_mode)) continue;
      CHECK((S_ISCHR(found.st_mode) && found.st_rdev == 0));
      ++hidden[entry.path().lexically_relative(upper).string()];
    }
  }
  CHECK(hidden.size() == (sharding == DataSharding::by_file ? 7 : 0));
  for (const auto& [name, times] : hidden) CHECK(times == kWorkers - 1);
}

}  // namespace trainyard::data_shares_test
