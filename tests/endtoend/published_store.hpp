// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/filesystem/operations.hpp>
#include <map>
#include <string>

#include "tests/endtoend/two_folders.hpp"
#include "tests/support/fingerprint.hpp"

namespace trainyard {

// A store with counts@1.0, 1.1 and 1.2, the data of which it keeps, and remotes that are folders.
struct PublishedStore {
  TestStore store;
  Path data = store.temp().folder("data");

  PublishedStore() {
    store.add("counts");
    store.temp().write("data/x.bin", noise(300'000, 7));
    train("counts@1.0");
    store.temp().write("data/y.csv", "1\n2\n");
    train("counts@1.1");
    add_remote("models");
  }

  void train(const std::string& package) {
    REQUIRE(store.train(package, data, {"--save-training-data"}).status() == "Successful");
  }
  [[nodiscard]] Path remote(const std::string& name) const { return store.temp().path() / "remotes" / name; }
  [[nodiscard]] std::string address(const std::string& name) const { return "file://" + remote(name).string(); }
  void add_remote(const std::string& name) const { add_remote_to(store, name); }
  void add_remote_to(const TestStore& other, const std::string& name) const {
    other.must({"remote", "add", name, address(name)});
  }
};

// The records and runs of a store, which publishing and pulling must neither lose nor change.
inline std::map<std::string, std::string> records_of(const TestStore& store) {
  std::map<std::string, std::string> records;
  for (const auto& [name, bytes] : contents(store.root())) {
    if (name.rfind("packages/", 0) == 0 || name.rfind("runs/", 0) == 0) records[name] = bytes;
  }
  return records;
}

// The names of the versions that a remote shows.
inline std::string shown_on(const TestStore& store, const std::string& remote) {
  std::string names;
  for (const Json& package : store.json({"remote", "show", remote})) {
    for (const Json& version : package.at("versions"))
      names += (names.empty() ? "" : " ") + version.at("version").get<std::string>();
  }
  return names;
}

// Blobs below a remote's folder: their lengths by their digests.
inline std::map<std::string, std::uintmax_t> blobs_in(const Path& remote) {
  std::map<std::string, std::uintmax_t> blobs;
  const Path folder = remote / "counts" / "blobs" / "sha256";
  if (!boost::filesystem::exists(folder)) return blobs;
  for (const auto& entry : boost::filesystem::directory_iterator(folder))
    blobs[entry.path().filename().string()] = boost::filesystem::file_size(entry.path());
  return blobs;
}

}  // namespace trainyard
