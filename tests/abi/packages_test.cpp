// SPDX-License-Identifier: Apache-2.0
// Packages built with yesterday's and tomorrow's contract, loaded as the worker would load them and trained twice.
#include <trainyard/abi.h>

#include "tests/abi/hand_made_host.hpp"

#include <catch2/catch.hpp>

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>

using trainyard::test::HandMadeHost;
namespace fs = std::filesystem;

namespace {

class PrivateFolder {
 public:
  PrivateFolder() {
    std::string name = (fs::temp_directory_path() / "trainyard-abi-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

const trainyard_package& load(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  INFO(library);
  if (!handle) FAIL(dlerror());
  const void* entry = dlsym(handle, "trainyard_package_v1");
  REQUIRE(entry);
  return *static_cast<const trainyard_package*>(entry);
}

bool reaches(const trainyard_package& package, std::size_t offset) { return offset < package.struct_size; }

/// One training run, as a worker makes it; gives what is in model.txt afterwards.
int train_once(const trainyard_package& package, HandMadeHost& host, const trainyard_host* table) {
  void* self = nullptr;
  REQUIRE(package.create(table, &self) == TRAINYARD_OK);
  CHECK(package.train(self, {"/", 1}) == TRAINYARD_OK);
  CHECK(package.save(self) == TRAINYARD_OK);
  package.destroy(self);
  int trainings = 0;
  std::ifstream(fs::path(host.directories["package"]) / "model.txt") >> trainings;
  return trainings;
}

bool heard(const HandMadeHost& host, std::string_view what) {
  return std::find(host.heard.begin(), host.heard.end(), what) != host.heard.end();
}

}  // namespace

TEST_CASE("packages of every contract train under today's host") {
  const char* library = GENERATE(ABI_FROZEN, ABI_OLDER, ABI_NEWER);
  const trainyard_package& package = load(library);
  const PrivateFolder folder;
  HandMadeHost host;
  host.directories["package"] = folder.path().string();
  CHECK(train_once(package, host, &host.table) == 1);
  CHECK(train_once(package, host, &host.table) == 2);
}

TEST_CASE("packages of every contract train under a host that is a little older") {
  const char* library = GENERATE(ABI_FROZEN, ABI_OLDER, ABI_NEWER);
  const trainyard_package& package = load(library);
  const PrivateFolder folder;
  HandMadeHost host;
  host.directories["package"] = folder.path().string();
  host.table.struct_size = offsetof(trainyard_host, extension);
  CHECK(train_once(package, host, &host.table) == 1);
}

TEST_CASE("the tables are as long as their contracts") {
  const trainyard_package& frozen = load(ABI_FROZEN);
  CHECK(frozen.minor == 0);
  CHECK(frozen.struct_size == 72);
  CHECK(std::string(frozen.builder).find("trainyard kit 1.0") != std::string::npos);
  CHECK((frozen.evaluate && frozen.process_data && frozen.predict));

  const trainyard_package& older = load(ABI_OLDER);
  CHECK(older.struct_size == 48);
  CHECK(reaches(older, offsetof(trainyard_package, save)));
  CHECK_FALSE(reaches(older, offsetof(trainyard_package, evaluate)));

  const trainyard_package& newer = load(ABI_NEWER);
  CHECK(newer.minor == 1);
  CHECK(newer.struct_size == 80);
  CHECK_FALSE(newer.evaluate);
}

TEST_CASE("a newer package uses a newer power only where the host has it") {
  const trainyard_package& package = load(ABI_NEWER);
  const PrivateFolder folder;
  HandMadeHost host;
  host.directories["package"] = folder.path().string();

  // The field is there in memory, but not by struct_size: reading it would end the process.
  struct Newer {
    trainyard_host known;
    std::uint64_t (*seed)(void*) noexcept;
  } newer{host.table, [](void*) noexcept -> std::uint64_t { std::abort(); }};
  train_once(package, host, &newer.known);
  CHECK(heard(host, "log 1 seed: none"));

  newer.known.struct_size = sizeof newer;
  newer.known.minor = 1;
  newer.seed = [](void*) noexcept -> std::uint64_t { return 7; };
  train_once(package, host, &newer.known);
  CHECK(heard(host, "log 1 seed: 7"));
}
