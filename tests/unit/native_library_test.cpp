// SPDX-License-Identifier: Apache-2.0
//
// What is told of a library without loading it. TRAINYARD_TEST_PACKAGES_DIR holds the packages of tests/packages, as
// folders and zips.
#include <catch2/catch.hpp>

#include <boost/filesystem/operations.hpp>
#include <random>

#include <elf.h>

#include <cstring>

#include "storage/packages/native_library.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::native_library_test {
namespace {

using Catch::Matchers::Contains;

std::string message_of(const Path& library) {
  const auto result = read_native_library(library);
  return result.ok() ? "(a package)" : result.error().message;
}

TEST_CASE("what is no package's library is told apart", "[native]") {
  const TempFolder temp;
  CHECK(message_of(temp.write("liba.so", "")) == "'liba.so' is not an ELF shared library");
  CHECK(message_of(temp.write("libb.so", std::string(10'000, 'x'))) == "'libb.so' is not an ELF shared library");
  CHECK(message_of(temp.folder("libc.so")) == "'libc.so' is not an ELF shared library");
  CHECK_THAT(message_of(temp.path() / "libd.so"), Contains("libd.so': No such file"));
  CHECK_THAT(message_of(temp.write("libe.so", std::string("\x7F"
                                                          "ELF\x02\x01\x01") +
                                                  std::string(57, '\0'))),
             Contains("'libe.so' is"));
}

TEST_CASE("a program is not a package", "[native]") {
  const auto result = read_native_library("/proc/self/exe");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::invalid);
  CHECK_THAT(result.error().message,
             Contains("does not export trainyard_package_v1 (is TRAINYARD_PACKAGE(...) in one of its sources?)") ||
                 Contains("another kind of ELF file"));
}

#ifdef TRAINYARD_TEST_PACKAGES_DIR

Path library_of(const std::string& package) {
  return Path(TRAINYARD_TEST_PACKAGES_DIR) / package / ("lib" + package + ".so");
}

std::string bytes_of(const Path& path) {
  const auto bytes = read_file(path, SIZE_MAX / 4);
  REQUIRE(bytes.ok());
  return *bytes;
}

template <class T>
T record(const std::string& bytes, std::size_t at) {
  T value;
  REQUIRE(at + sizeof value <= bytes.size());
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void put(std::string& bytes, std::size_t at, const T& value) {
  REQUIRE(at + sizeof value <= bytes.size());
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// The places of the entries of the dynamic section with this tag.
std::vector<std::size_t> dynamic_entries(const std::string& bytes, Elf64_Sxword tag) {
  std::vector<std::size_t> places;
  const auto header = record<Elf64_Ehdr>(bytes, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = record<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type != PT_DYNAMIC) continue;
    for (std::size_t at = segment.p_offset; at < segment.p_offset + segment.p_filesz; at += sizeof(Elf64_Dyn)) {
      if (record<Elf64_Dyn>(bytes, at).d_tag == tag) places.push_back(at);
    }
  }
  return places;
}

// Where the symbol of the table stands in a library that exports nothing else, found by its section.
std::size_t entry_symbol(const std::string& bytes) {
  const auto header = record<Elf64_Ehdr>(bytes, 0);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = record<Elf64_Shdr>(bytes, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (section.sh_type != SHT_DYNSYM) continue;
    for (std::size_t at = section.sh_offset; at < section.sh_offset + section.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = record<Elf64_Sym>(bytes, at);
      if (symbol.st_shndx != SHN_UNDEF && ELF64_ST_TYPE(symbol.st_info) == STT_OBJECT) return at;
    }
  }
  FAIL("the library exports no constant");
  return 0;
}

TEST_CASE("a package's table is read from the file", "[native]") {
  const auto library = read_native_library(library_of("counts"));
  INFO((library.ok() ? "" : library.error().message));
  REQUIRE(library.ok());
  CHECK(library->name == "libcounts.so");
  CHECK(library->abi.major == 1);
  CHECK(library->abi.minor == 0);
  CHECK_THAT(library->abi.builder, Contains("trainyard kit 1.0"));
  CHECK(library->abi.verbs.contains(Verb::train));
  CHECK(library->abi.verbs.contains(Verb::save));
  CHECK(std::find(library->needed.begin(), library->needed.end(), "libc.so.6") != library->needed.end());
  CHECK(library->run_paths == std::vector<std::string>{"$ORIGIN"});
  CHECK(check_needed(*library, library_of("counts").parent_path()).ok());
}

TEST_CASE("a library without the entry, and a text with a library's name", "[native]") {
  CHECK(message_of(library_of("no_entry")) ==
        "'libno_entry.so' does not export trainyard_package_v1 (is TRAINYARD_PACKAGE(...) in one of its sources?)");
  CHECK(message_of(library_of("not_a_library")) == "'libnot_a_library.so' is not an ELF shared library");
}

TEST_CASE("lies of a library are named", "[native]") {
  const TempFolder temp;
  const std::string honest = bytes_of(library_of("counts"));
  std::string bytes = honest;
  const auto changed = [&] { return message_of(temp.write("libx.so", bytes)); };

  SECTION("another machine") {
    auto header = record<Elf64_Ehdr>(bytes, 0);
    header.e_machine = header.e_machine == EM_X86_64 ? EM_AARCH64 : EM_X86_64;
    put(bytes, 0, header);
    CHECK_THAT(changed(), Contains("'libx.so' is built for machine ") && Contains("but this machine is "));
    CHECK(read_native_library(temp.path() / "libx.so").error().code == Errc::incompatible);
  }
  SECTION("another class") {
    bytes[EI_CLASS] = ELFCLASS32;
    CHECK_THAT(changed(), Contains("32-bit or big-endian"));
  }
  SECTION("another kind") {
    auto header = record<Elf64_Ehdr>(bytes, 0);
    header.e_type = ET_REL;
    put(bytes, 0, header);
    CHECK_THAT(changed(), Contains("another kind of ELF file"));
  }
  SECTION("a function instead of a constant") {
    const std::size_t at = entry_symbol(bytes);
    auto symbol = record<Elf64_Sym>(bytes, at);
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    put(bytes, at, symbol);
    CHECK_THAT(changed(), Contains("not as a constant of data"));
  }
  SECTION("an undefined entry") {
    const std::size_t at = entry_symbol(bytes);
    auto symbol = record<Elf64_Sym>(bytes, at);
    symbol.st_shndx = SHN_UNDEF;
    put(bytes, at, symbol);
    CHECK_THAT(changed(), Contains("does not export trainyard_package_v1"));
  }
  SECTION("a short table") {
    const std::size_t at = entry_symbol(bytes);
    auto symbol = record<Elf64_Sym>(bytes, at);
    symbol.st_size = 16;
    put(bytes, at, symbol);
    CHECK_THAT(changed(), Contains("of 16 bytes, which is too short"));
    symbol.st_size = 48;
    put(bytes, at, symbol);
    CHECK_THAT(changed(), Contains("says that its trainyard_package_v1 has 72 bytes, but it has 48"));
  }
  SECTION("an entry outside the file") {
    const std::size_t at = entry_symbol(bytes);
    auto symbol = record<Elf64_Sym>(bytes, at);
    symbol.st_value = 0xFFFFFFFFFFFFFFF0;
    put(bytes, at, symbol);
    CHECK_THAT(changed(), Contains("'libx.so' is damaged"));
  }
  SECTION("tables of no extent") {
    for (const Elf64_Sxword tag : {DT_STRTAB, DT_SYMTAB, DT_GNU_HASH, DT_RELA, DT_RELASZ, DT_STRSZ, DT_NEEDED}) {
      bytes = honest;
      const auto places = dynamic_entries(bytes, tag);
      REQUIRE_FALSE(places.empty());
      auto entry = record<Elf64_Dyn>(bytes, places.front());
      entry.d_un.d_val = 0x7FFFFFFFFFFFFFFF;
      put(bytes, places.front(), entry);
      INFO("tag " << tag);
      if (tag == DT_STRSZ) {
        static_cast<void>(changed());  // only the bound is gone
      } else {
        CHECK_THAT(changed(), Contains("'libx.so' is damaged"));
      }
    }
  }
  SECTION("relocations taken away") {
    const auto places = dynamic_entries(bytes, DT_RELASZ);
    REQUIRE(places.size() == 1);
    auto entry = record<Elf64_Dyn>(bytes, places.front());
    entry.d_un.d_val = 0;
    put(bytes, places.front(), entry);
    CHECK_THAT(changed(), Contains("has no create or no destroy"));
  }
}

TEST_CASE("needed libraries are looked for beside the library and in the system, nowhere else", "[native]") {
  const TempFolder temp;
  const Path folder = temp.folder("package");
  NativeLibrary library{"libx.so", {}, {"libc.so.6"}, {"$ORIGIN"}};
  CHECK(check_needed(library, folder).ok());
  const auto sentence = [&] {
    const auto result = check_needed(library, folder);
    return result.ok() ? "(all there)" : result.error().message;
  };
  library.needed = {"libc.so.6", "libnowhere-7.so"};
  CHECK(sentence() ==
        "'libx.so' needs the library 'libnowhere-7.so', which is neither in the package nor on this machine");
  temp.write("package/libnowhere-7.so", "no library");
  CHECK_THAT(sentence(), Contains("neither in the package nor on this machine"));
  temp.write("package/libnowhere-7.so", bytes_of(library_of("counts")));
  CHECK(sentence() == "(all there)");
  library.run_paths = {};
  CHECK_THAT(sentence(), Contains("without the run path $ORIGIN it is not found there"));
  library.run_paths = {folder.string()};
  CHECK_THAT(sentence(), Contains("without the run path $ORIGIN it is not found there"));
  library.run_paths = {"/nowhere", "${ORIGIN}/lib/"};
  CHECK_THAT(sentence(), Contains("without the run path $ORIGIN it is not found there"));
  temp.write("package/lib/libnowhere-7.so", bytes_of(library_of("counts")));
  CHECK(sentence() == "(all there)");
  library.run_paths = {"$ORIGIN/../package"};
  CHECK_THAT(sentence(), Contains("is not found there"));
  library.needed = {"/lib/libnowhere-7.so"};
  CHECK_THAT(sentence(), Contains("is not a plain file name"));
}

TEST_CASE("a needed library in the package must find its own", "[native]") {
  const TempFolder temp;
  std::string bytes = bytes_of(library_of("counts"));
  const std::size_t at = bytes.find("libc.so.6");
  REQUIRE(at != std::string::npos);
  bytes.replace(at, 9, "libc.so.9");
  temp.write("package/libinner.so", bytes);
  const NativeLibrary library{"libx.so", {}, {"libinner.so"}, {"$ORIGIN"}};
  const auto result = check_needed(library, temp.path() / "package");
  REQUIRE_FALSE(result.ok());
  CHECK_THAT(result.error().message, Contains("'libinner.so' needs the library 'libc.so.9'"));
}

TEST_CASE("no damage to a library crashes or stalls its reader", "[native]") {
  const TempFolder temp;
  const std::string honest = bytes_of(library_of("counts"));
  const auto header = record<Elf64_Ehdr>(honest, 0);
  const std::size_t headers_end = header.e_phoff + std::size_t{header.e_phnum} * sizeof(Elf64_Phdr);
  const Path path = temp.write("libx.so", honest);
  const auto file = open_file(path, O_RDWR);
  REQUIRE(file.ok());
  unsigned refused = 0;
  const auto attempt = [&](std::size_t at, std::string_view bytes) {
    REQUIRE(::pwrite(file->get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
            static_cast<ssize_t>(bytes.size()));
    const auto result = read_native_library(path);
    if (!result.ok()) {
      ++refused;
      REQUIRE_THAT(result.error().message, Contains("libx.so'"));
    } else {
      static_cast<void>(check_needed(*result, temp.path()));
    }
    REQUIRE(::pwrite(file->get(), honest.data() + at, bytes.size(), static_cast<off_t>(at)) ==
            static_cast<ssize_t>(bytes.size()));
  };

  for (std::size_t at = 0; at < headers_end; ++at) {
    attempt(at, std::string(1, static_cast<char>(~honest[at])));
  }
  std::mt19937_64 random(20260101);
  const auto dynamic = dynamic_entries(honest, DT_NULL);
  REQUIRE_FALSE(dynamic.empty());
  for (int i = 0; i < 2000; ++i) {
    // Mostly where structure is: the headers, the tables at the front, the dynamic section before its end.
    const std::size_t place = random() % 4 == 0   ? random() % headers_end
                              : random() % 2 == 0 ? random() % std::min<std::size_t>(honest.size(), 8192)
                              : random() % 3 == 0 ? random() % honest.size()
                                                  : dynamic.front() - random() % 512;
    const std::size_t at = std::min(place, honest.size() - 8);
    std::string bytes = honest.substr(at, 1 + random() % 8);
    for (char& c : bytes) c = random() % 3 == 0 ? '\xFF' : static_cast<char>(random() & 0xFFU);
    attempt(at, bytes);
  }
  CHECK(refused > 300);
  CHECK(read_native_library(path).ok());

  for (std::size_t size = 0; size < honest.size(); size += size < 4096 ? 13 : 997) {
    const auto result = read_native_library(temp.write("cut.so", std::string_view(honest).substr(0, size)));
    if (size < headers_end) REQUIRE_FALSE(result.ok());
  }
}

#endif

}  // namespace
}  // namespace trainyard::native_library_test
