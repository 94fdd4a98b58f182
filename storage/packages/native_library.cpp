// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/native_library.hpp"

#include <fcntl.h>
#include <glob.h>
#include <trainyard/abi.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "storage/packages/elf_file.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kEntry = "trainyard_package_v1";
// A table may be older than ours, but not older than the first one that could do anything.
constexpr std::size_t kLeastTableSize = offsetof(trainyard_package, save) + sizeof(trainyard_package::save);
constexpr std::size_t kFirstPointer = offsetof(trainyard_package, builder);
constexpr std::size_t kMaxBuilderSize = 1024;

std::string one_line(std::string text) {
  text = utf8_cleaned(text);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

Result<PackageAbi> read_abi(const ElfFile& file) {
  const auto symbol = TRY(file.find(kEntry));
  if (!symbol || symbol->st_shndx == SHN_UNDEF || ELF64_ST_BIND(symbol->st_info) == STB_LOCAL) {
    return fail(Errc::invalid, file.shown() + " does not export " + std::string(kEntry) +
                                   " (is TRAINYARD_PACKAGE(...) in one of its sources?)");
  }
  if (ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT) {
    return fail(Errc::invalid, file.shown() + " exports " + std::string(kEntry) + ", but not as a constant of data");
  }
  const auto too_short = [&](std::uint64_t size) {
    return fail(Errc::invalid, file.shown() + " exports a " + std::string(kEntry) + " of " + std::to_string(size) +
                                   " bytes, which is too short for a package's table");
  };
  if (symbol->st_size < kLeastTableSize) return too_short(symbol->st_size);
  const std::string head = TRY(file.bytes_at(symbol->st_value, kFirstPointer));
  std::uint32_t stated_size = 0;
  PackageAbi abi;
  std::memcpy(&stated_size, head.data() + offsetof(trainyard_package, struct_size), sizeof stated_size);
  std::memcpy(&abi.minor, head.data() + offsetof(trainyard_package, minor), sizeof abi.minor);
  if (stated_size < kLeastTableSize) return too_short(stated_size);
  if (stated_size > symbol->st_size) {
    return fail(Errc::invalid, file.shown() + " says that its " + std::string(kEntry) + " has " +
                                   std::to_string(stated_size) + " bytes, but it has " +
                                   std::to_string(symbol->st_size));
  }

  const std::size_t known_size = std::min<std::size_t>(stated_size, sizeof(trainyard_package));
  const auto pointers =
      TRY(file.pointers_at(symbol->st_value + kFirstPointer, (known_size - kFirstPointer) / sizeof(void*)));
  const auto filled = [&](std::size_t offset) {
    const std::size_t index = (offset - kFirstPointer) / sizeof(void*);
    return index < pointers.size() && pointers[index].filled;
  };
  if (!filled(offsetof(trainyard_package, create)) || !filled(offsetof(trainyard_package, destroy))) {
    return fail(Errc::invalid, file.shown() + " has no create or no destroy in its " + std::string(kEntry));
  }
  const bool trains = filled(offsetof(trainyard_package, train));
  const bool saves = filled(offsetof(trainyard_package, save));
  if (trains != saves) {
    return fail(Errc::invalid, file.shown() + (trains ? " has train but no save" : " has save but no train") +
                                   "; a package has both or neither");
  }
  if (trains) abi.verbs.insert({Verb::train, Verb::save});
  if (filled(offsetof(trainyard_package, evaluate))) abi.verbs.insert(Verb::evaluate);
  if (filled(offsetof(trainyard_package, process_data))) abi.verbs.insert(Verb::process_data);
  if (filled(offsetof(trainyard_package, predict))) abi.verbs.insert(Verb::predict);
  if (pointers[0].address) abi.builder = one_line(TRY(file.text_at(*pointers[0].address, kMaxBuilderSize)));
  return abi;
}

// Adds the folders of one configuration file of the loader; `include` lines lead to more. What cannot be read has no
// folders.
void add_configured_folders(const std::string& file, int depth, std::vector<Path>& folders) {
  constexpr int kMaxDepth = 8;
  if (depth > kMaxDepth) return;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word;
    if (!(words >> word)) continue;
    if (word == "hwcap") continue;
    if (word != "include") {
      if (word.front() == '/') folders.emplace_back(word);
      continue;
    }
    while (words >> word) {
      const std::string pattern = word.front() == '/' ? word : "/etc/" + word;
      glob_t found{};
      if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) add_configured_folders(found.gl_pathv[i], depth + 1, folders);
      }
      ::globfree(&found);
    }
  }
}

std::vector<Path> system_folders() {
  std::vector<Path> folders;
  add_configured_folders("/etc/ld.so.conf", 0, folders);
#if defined(__x86_64__)
  const std::string machine = "x86_64-linux-gnu";
#else
  const std::string machine = "aarch64-linux-gnu";
#endif
  for (const std::string& folder : {"/lib/" + machine, "/usr/lib/" + machine, std::string("/lib64"),
                                    std::string("/usr/lib64"), std::string("/lib"), std::string("/usr/lib")}) {
    folders.emplace_back(folder);
  }
  return folders;
}

// The folders that the run paths mean, as far as they are relative to the library itself.
std::vector<Path> folders_beside(const std::vector<std::string>& run_paths, const Path& library_folder) {
  std::vector<Path> folders;
  for (const std::string_view path : run_paths) {
    for (const std::string_view origin : {"$ORIGIN", "${ORIGIN}"}) {
      if (!path.starts_with(origin)) continue;
      const std::string_view rest = path.substr(origin.size());
      if (rest.empty() || rest == "/") folders.push_back(library_folder);
      if (rest.size() < 2 || rest.front() != '/') continue;
      const auto below = RelPath::parse(rest.ends_with('/') ? rest.substr(1, rest.size() - 2) : rest.substr(1));
      if (below.ok()) folders.push_back(library_folder / below->bytes());
    }
  }
  return folders;
}

// The loader passes over files that it cannot use and looks further.
bool is_usable(const Path& file) { return ElfFile::open(file).ok(); }

}  // namespace

Result<NativeLibrary> read_native_library(const Path& library) {
  const ElfFile file = TRY(ElfFile::open(library));
  PackageAbi abi = TRY(read_abi(file));
  return NativeLibrary{library.filename().string(), std::move(abi), file.needed(), file.run_paths()};
}

Result<void> check_needed(const NativeLibrary& library, const Path& folder) {
  struct Wanting {
    std::string name;
    Path folder;
    std::vector<std::string> needed;
    std::vector<std::string> run_paths;
  };
  const std::vector<Path> installed = system_folders();
  std::vector<Wanting> open = {{library.name, folder, library.needed, library.run_paths}};
  std::set<std::string> seen;
  while (!open.empty()) {
    const Wanting wanting = std::move(open.back());
    open.pop_back();
    const std::vector<Path> beside = folders_beside(wanting.run_paths, wanting.folder);
    for (const std::string& needed : wanting.needed) {
      const std::string sentence = "'" + one_line(wanting.name) + "' needs the library '" + one_line(needed) + "', ";
      if (needed.empty() || needed.find('/') != std::string::npos) {
        return fail(Errc::invalid, sentence + "which is not a plain file name; link it by its name");
      }
      const auto own =
          std::find_if(beside.begin(), beside.end(), [&](const Path& path) { return is_usable(path / needed); });
      if (own != beside.end()) {
        if (!seen.insert((*own / needed).string()).second) continue;
        const ElfFile file = TRY(ElfFile::open(*own / needed));
        open.push_back({needed, *own, file.needed(), file.run_paths()});
        continue;
      }
      if (std::any_of(installed.begin(), installed.end(), [&](const Path& path) { return is_usable(path / needed); }))
        continue;
      const bool unreachable = is_usable(folder / needed);
      return fail(
          Errc::invalid,
          sentence + (unreachable ? "which is in the package, but without the run path $ORIGIN it is not found there"
                                  : "which is neither in the package nor on this machine"));
    }
  }
  return {};
}

}  // namespace trainyard
