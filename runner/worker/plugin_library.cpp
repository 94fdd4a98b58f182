// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/plugin_library.hpp"

// With the standard library's paths Boost.DLL neither converts to wide characters, which an invalid locale makes
// impossible, nor needs another library.
#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <cstddef>
#include <cstring>
#include <exception>
#include <string_view>

namespace trainyard {

namespace {

constexpr const char* kEntry = "trainyard_package_v1";
// The functions that every minor has had.
constexpr std::uint32_t kLeastSize = offsetof(trainyard_package, save) + sizeof(trainyard_package::save);

// What the dynamic linker said, out of what Boost says around it.
std::string reason(std::string_view said) {
  constexpr std::string_view kBegin = "(dlerror system message: ";
  const std::size_t begin = said.find(kBegin);
  const std::size_t end = said.rfind(')');
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return std::string(said);
  return std::string(said.substr(begin + kBegin.size(), end - begin - kBegin.size()));
}

Result<trainyard_package> copy_of(const trainyard_package& found) {
  // Alone, these two fields can be read of any table.
  const std::uint32_t size = found.struct_size;
  if (size < kLeastSize) {
    return fail(Errc::incompatible, "its table " + std::string(kEntry) + " has " + std::to_string(size) +
                                        " bytes where at least " + std::to_string(kLeastSize) + " are needed");
  }
  trainyard_package table{};
  std::memcpy(&table, &found, std::min<std::size_t>(size, sizeof(table)));
  if (table.create == nullptr || table.destroy == nullptr) {
    return fail(Errc::incompatible, "its table " + std::string(kEntry) + " lacks create or destroy");
  }
  return table;
}

}  // namespace

Result<trainyard_package> load_plugin(const std::string& path) {
  namespace dll = boost::dll;
  try {
    // Never unloaded, hence never destroyed: types, threads and thread-locals of the package may outlive every call.
    auto* const library = new dll::shared_library(path, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
    if (!library->has(kEntry)) return fail(Errc::incompatible, "it does not export " + std::string(kEntry));
    return copy_of(library->get<const trainyard_package>(kEntry));
  } catch (const std::exception& error) {
    return fail(Errc::incompatible, reason(error.what()));
  } catch (...) {
    return fail(Errc::incompatible, "its static constructors threw an exception");
  }
}

}  // namespace trainyard
