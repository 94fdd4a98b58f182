// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/noise.hpp"
#include "tests/support/test_store.hpp"

// For tests of what a store keeps: data of which a test can tell how it rests on the disk.
namespace trainyard {

inline std::string snapshot_of(const TestStore& store, const Path& folder) {
  return store.json({"snapshot", "create", folder.string()}).at("tree").at("digest").get<std::string>();
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline const std::string kBig = noise(700'000, 1);
inline const std::string kOther = noise(90'000, 2);
inline const std::string kShared = noise(50'000, 3);

// What is wrong with a document against its schema; empty when nothing is.
inline std::string schema_mistakes(const std::string& schema, const Path& document) {
  const auto checked =
      run_program({TRAINYARD_SYSTEM_PYTHON, "-B", TRAINYARD_CHECK_SCHEMAS, "--schema", schema, document.string()},
                  {{"PATH", "/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}}, "/", "", std::chrono::seconds(60));
  if (!checked.ok()) return checked.error().message;
  return checked->status.code == 0 ? std::string() : checked->err + checked->out;
}

// Two folders that share a file.
struct TwoFolders {
  TestStore store;
  Path one = store.temp().folder("one");
  Path two = store.temp().folder("two");
  TwoFolders() {
    store.temp().write("one/big.bin", kBig);
    store.temp().write("one/shared.bin", kShared);
    store.temp().write("two/other.bin", kOther);
    store.temp().write("two/again/shared.bin", kShared);
  }
};

}  // namespace trainyard
