// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"

namespace trainyard {

// An ELF shared library as the dynamic loader would see it, read from the file and never mapped or loaded. Addresses
// are those of the file's own layout, before the loader adds its base. Nothing in the file is trusted: what lies
// outside it is an error, never a read.
class ElfFile {
 public:
  struct Pointer {
    bool filled = false;  // the loader will put an address there; anything else is of no use as a pointer
    std::optional<std::uint64_t> address;  // that address, as far as the file tells
  };

  // `invalid` when the file is no 64-bit shared library of this machine's byte order, `incompatible` when it is one for
  // another machine.
  static Result<ElfFile> open(const Path& path);

  // The file's name in quotes, for errors.
  [[nodiscard]] std::string shown() const;
  [[nodiscard]] const std::vector<std::string>& needed() const { return needed_; }
  [[nodiscard]] const std::vector<std::string>& run_paths() const { return run_paths_; }

  // The exported symbol that the loader would find under this name, if any.
  [[nodiscard]] Result<std::optional<Elf64_Sym>> find(std::string_view name) const;
  // `size` bytes of the image.
  [[nodiscard]] Result<std::string> bytes_at(std::uint64_t address, std::uint64_t size) const;
  // A text that ends with NUL; `most` bytes of it at most.
  [[nodiscard]] Result<std::string> text_at(std::uint64_t address, std::size_t most) const;
  // What the `count` pointers from `address` on will be once the loader has relocated them.
  [[nodiscard]] Result<std::vector<Pointer>> pointers_at(std::uint64_t address, std::size_t count) const;

 private:
  struct Table {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
  };

  ElfFile(Path path, UniqueFd fd, std::uint64_t size) : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  [[nodiscard]] Error damaged() const;
  Result<void> read_into(std::uint64_t offset, std::span<std::byte> bytes) const;
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::uint64_t size) const;
  template <class T>
  [[nodiscard]] Result<T> item_at(std::uint64_t address) const;
  // How many bytes of the image the file has from `address` on, and where.
  [[nodiscard]] std::optional<Table> segment_from(std::uint64_t address) const;
  Result<void> read_header();
  Result<void> read_dynamic(std::uint64_t offset, std::uint64_t size);
  [[nodiscard]] Result<bool> is_named(const Elf64_Sym& symbol, std::string_view name) const;
  [[nodiscard]] Result<std::optional<Elf64_Sym>> find_in_gnu_hash(std::string_view name) const;
  [[nodiscard]] Result<std::optional<Elf64_Sym>> find_in_hash(std::string_view name) const;
  // Calls `visit` with consecutive parts of a table, each of whole items of `item` bytes.
  [[nodiscard]] Result<void> for_each_part(const Table& table, std::size_t item,
                                           const std::function<Result<void>(std::string_view)>& visit) const;

  Path path_;
  UniqueFd fd_;
  std::uint64_t size_;
  std::vector<Elf64_Phdr> segments_;  // PT_LOAD
  std::vector<std::string> needed_;
  std::vector<std::string> run_paths_;
  std::uint64_t symbols_ = 0;  // addresses; 0 is none
  Table strings_;
  std::uint64_t hash_ = 0;
  std::uint64_t gnu_hash_ = 0;
  Table rela_;
  Table relr_;
};

}  // namespace trainyard
