// SPDX-License-Identifier: Apache-2.0
//
// Which worker of its run this process is. A run on one node has one worker: rank 0 of 1.
//
//   const std::size_t first = trainyard::rank(), step = trainyard::world_size();
//   for (std::size_t i = first; i < images.size(); i += step) ...      // this worker's share
//
// Needs no library. How the workers speak to each other is another header's: <trainyard/distributed.hpp>.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

namespace trainyard {

namespace border {

/// A variable of the process; empty when there is none.
inline std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

inline std::size_t counted(const char* name, std::size_t otherwise) {
  const std::string text = variable(name);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && !text.empty() && end == text.data() + text.size() ? number : otherwise;
}

}  // namespace border

/// From 0 on. Rank 0 is the worker whose save() makes the version.
inline std::size_t rank() { return border::counted("TRAINYARD_RANK", 0); }

/// How many workers the run has.
inline std::size_t world_size() { return border::counted("TRAINYARD_WORLD_SIZE", 1); }

/// Where the workers run, by rank. Each name is that of one worker, and leads to its machine. Empty when the run has one
/// worker.
inline std::vector<std::string> hosts() {
  std::vector<std::string> names;
  const std::string list = border::variable("TRAINYARD_HOSTS");
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// Whether each worker sees files of its own of the dataset (--data-sharding by-file) instead of all of them.
inline bool data_is_divided() { return border::variable("TRAINYARD_DATA_SHARDING") == "by-file"; }

}  // namespace trainyard
