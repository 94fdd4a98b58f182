// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/remotes/key_store.hpp"

// What every place for bytes by names must keep. An adapter's test makes a fresh, empty place for each promise, and says
// how to open it:
//
//   TEST_CASE("a folder keeps the promises of a key store") {
//     const auto promise = GENERATE(from_range(key_store_contract::promises()));
//     DYNAMIC_SECTION(promise.name) {
//       const TempFolder folder;
//       promise.keep([&] { return folder_keys(folder.path()); });
//     }
//   }
//
// Catch's checks run in the calling thread; processes that are forked end by themselves.
namespace trainyard::key_store_contract {

// Opens the place once more, as another publisher would.
using Open = std::function<std::unique_ptr<KeyStore>()>;

struct Promise {
  std::string name;
  std::function<void(const Open&)> keep;
};

std::vector<Promise> promises();

// Bytes that do not repeat, others for each seed.
std::string some_bytes(std::size_t size, unsigned seed = 0);
// Everything under the key, by `stream`.
std::string streamed(KeyStore& keys, const std::string& key);
// Puts the file in a process that ends without a word as soon as `enough` bytes have gone.
void put_and_die(const Open& open, const std::string& key, const Path& file, const std::string& bytes,
                 std::uint64_t enough);

}  // namespace trainyard::key_store_contract
