// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/elf_file.hpp"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
constexpr std::uint32_t kRelocateByBase = R_X86_64_RELATIVE;
constexpr std::uint32_t kRelocateToSymbol = R_X86_64_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
constexpr std::uint32_t kRelocateByBase = R_AARCH64_RELATIVE;
constexpr std::uint32_t kRelocateToSymbol = R_AARCH64_ABS64;
#else
#error "native packages are read on x86_64 and aarch64 only"
#endif
static_assert(std::endian::native == std::endian::little);

// What a real library stays far below; the bounds keep a hostile one from costing time.
constexpr std::size_t kMaxSegments = 1024;
constexpr std::uint64_t kMaxDynamicSize = std::uint64_t{1} << 20U;
constexpr std::size_t kMaxNeeded = 4096;
constexpr std::size_t kMaxNameSize = 4096;
constexpr std::uint32_t kMaxChain = 100'000;
constexpr std::size_t kPartSize = std::size_t{64} << 10U;
#ifndef DT_RELR
constexpr Elf64_Sxword kTagRelrSize = 35;
constexpr Elf64_Sxword kTagRelr = 36;
#else
constexpr Elf64_Sxword kTagRelrSize = DT_RELRSZ;
constexpr Elf64_Sxword kTagRelr = DT_RELR;
#endif

template <class T>
T record(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string machine_name(Elf64_Half machine) {
  switch (machine) {
    case EM_X86_64: return "x86_64";
    case EM_AARCH64: return "aarch64";
    case EM_386: return "x86";
    case EM_ARM: return "arm";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    default: return "number " + std::to_string(machine);
  }
}

struct GnuHashHeader {
  std::uint32_t buckets;
  std::uint32_t first_symbol;
  std::uint32_t bloom_words;
  std::uint32_t bloom_shift;
};

std::uint32_t gnu_hash_of(std::string_view name) {
  std::uint32_t hash = 5381;
  for (const char c : name) hash = hash * 33 + static_cast<std::uint8_t>(c);
  return hash;
}

std::uint32_t sysv_hash_of(std::string_view name) {
  std::uint32_t hash = 0;
  for (const char c : name) {
    hash = (hash << 4U) + static_cast<std::uint8_t>(c);
    const std::uint32_t high = hash & 0xF0000000U;
    hash = (hash ^ (high >> 24U)) & ~high;
  }
  return hash;
}

// Addresses in a hostile file may wrap around; then they are nowhere.
std::uint64_t moved(std::uint64_t address, std::uint64_t index, std::uint64_t item) {
  constexpr std::uint64_t kNowhere = std::numeric_limits<std::uint64_t>::max();
  if (index > (kNowhere - address) / item) return kNowhere;
  return address + index * item;
}

}  // namespace

Result<ElfFile> ElfFile::open(const Path& path) {
  UniqueFd fd = TRY(open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("read", path, errno);
  ElfFile file(path, std::move(fd), S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size) : 0);
  TRY(file.read_header());
  return file;
}

std::string ElfFile::shown() const { return "'" + utf8_cleaned(path_.filename().string()) + "'"; }

Error ElfFile::damaged() const {
  return fail(Errc::invalid, shown() + " is damaged: its parts do not fit together; build it again");
}

Result<void> ElfFile::read_into(std::uint64_t offset, std::span<std::byte> bytes) const {
  if (offset > size_ || bytes.size() > size_ - offset) return damaged();
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path_, errno);
    if (got == 0) return damaged();
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<std::string> ElfFile::read(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset) return damaged();
  std::string bytes(static_cast<std::size_t>(size), '\0');
  TRY(read_into(offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

template <class T>
Result<T> ElfFile::item_at(std::uint64_t address) const {
  const auto segment = segment_from(address);
  if (!segment || segment->size < sizeof(T)) return damaged();
  T item;
  TRY(read_into(segment->address, std::as_writable_bytes(std::span(&item, 1))));
  return item;
}

Result<void> ElfFile::read_header() {
  if (size_ < sizeof(Elf64_Ehdr)) return fail(Errc::invalid, shown() + " is not an ELF shared library");
  Elf64_Ehdr header;
  TRY(read_into(0, std::as_writable_bytes(std::span(&header, 1))));
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return fail(Errc::invalid, shown() + " is not an ELF shared library");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return fail(Errc::incompatible, shown() + " is built for a 32-bit or big-endian machine, but this machine is " +
                                        machine_name(kMachine) + "; build it for this one");
  }
  if (header.e_machine != kMachine) {
    return fail(Errc::incompatible, shown() + " is built for machine " + machine_name(header.e_machine) +
                                        ", but this machine is " + machine_name(kMachine) + "; build it for this one");
  }
  if (header.e_type != ET_DYN)
    return fail(Errc::invalid, shown() + " is not an ELF shared library, but another kind of ELF file");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxSegments) return damaged();

  const std::string table = TRY(read(header.e_phoff, std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr)));
  std::optional<Elf64_Phdr> dynamic;
  for (std::size_t at = 0; at < table.size(); at += sizeof(Elf64_Phdr)) {
    const auto segment = record<Elf64_Phdr>(table, at);
    if (segment.p_type == PT_LOAD) segments_.push_back(segment);
    if (segment.p_type == PT_DYNAMIC) dynamic = segment;
  }
  if (!dynamic)
    return fail(Errc::invalid, shown() + " is not an ELF shared library: it has nothing for the dynamic loader");
  return read_dynamic(dynamic->p_offset, dynamic->p_filesz);
}

Result<void> ElfFile::read_dynamic(std::uint64_t offset, std::uint64_t size) {
  if (size > kMaxDynamicSize) return damaged();
  const std::string table = TRY(read(offset, size - size % sizeof(Elf64_Dyn)));
  std::vector<std::uint64_t> needed;
  std::vector<std::uint64_t> paths;
  for (std::size_t at = 0; at < table.size(); at += sizeof(Elf64_Dyn)) {
    const auto entry = record<Elf64_Dyn>(table, at);
    const std::uint64_t value = entry.d_un.d_val;
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED) needed.push_back(value);
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) paths.push_back(value);
    if (entry.d_tag == DT_STRTAB) strings_.address = value;
    if (entry.d_tag == DT_STRSZ) strings_.size = value;
    if (entry.d_tag == DT_SYMTAB) symbols_ = value;
    if (entry.d_tag == DT_HASH) hash_ = value;
    if (entry.d_tag == DT_GNU_HASH) gnu_hash_ = value;
    if (entry.d_tag == DT_RELA) rela_.address = value;
    if (entry.d_tag == DT_RELASZ) rela_.size = value;
    if (entry.d_tag == kTagRelr) relr_.address = value;
    if (entry.d_tag == kTagRelrSize) relr_.size = value;
    if (entry.d_tag == DT_RELAENT && value != sizeof(Elf64_Rela)) return damaged();
    if (entry.d_tag == DT_SYMENT && value != sizeof(Elf64_Sym)) return damaged();
  }
  if (needed.size() > kMaxNeeded || paths.size() > kMaxNeeded) return damaged();
  for (const std::uint64_t place : needed) {
    if (place >= strings_.size) return damaged();
    needed_.push_back(TRY(text_at(moved(strings_.address, place, 1), kMaxNameSize)));
  }
  for (const std::uint64_t place : paths) {
    if (place >= strings_.size) return damaged();
    const std::string list = TRY(text_at(moved(strings_.address, place, 1), kMaxNameSize));
    for (std::size_t begin = 0; begin < list.size();) {
      const std::size_t end = std::min(list.find(':', begin), list.size());
      if (end > begin) run_paths_.push_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return {};
}

std::optional<ElfFile::Table> ElfFile::segment_from(std::uint64_t address) const {
  for (const Elf64_Phdr& segment : segments_) {
    if (address < segment.p_vaddr || address - segment.p_vaddr >= segment.p_filesz) continue;
    const std::uint64_t inside = address - segment.p_vaddr;
    if (segment.p_offset > size_ || inside >= size_ - segment.p_offset) return std::nullopt;
    const std::uint64_t offset = segment.p_offset + inside;
    return Table{offset, std::min(segment.p_filesz - inside, size_ - offset)};
  }
  return std::nullopt;
}

Result<std::string> ElfFile::bytes_at(std::uint64_t address, std::uint64_t size) const {
  const auto segment = segment_from(address);
  if (!segment || segment->size < size) return damaged();
  return read(segment->address, size);
}

Result<std::string> ElfFile::text_at(std::uint64_t address, std::size_t most) const {
  const auto segment = segment_from(address);
  if (!segment) return damaged();
  std::string text = TRY(read(segment->address, std::min<std::uint64_t>(segment->size, most + 1)));
  const std::size_t end = text.find('\0');
  if (end == std::string::npos) return damaged();
  text.resize(end);
  return text;
}

Result<std::optional<Elf64_Sym>> ElfFile::find(std::string_view name) const {
  if (symbols_ == 0) return std::optional<Elf64_Sym>();
  if (gnu_hash_ != 0) return find_in_gnu_hash(name);
  if (hash_ != 0) return find_in_hash(name);
  return std::optional<Elf64_Sym>();
}

Result<bool> ElfFile::is_named(const Elf64_Sym& symbol, std::string_view name) const {
  if (symbol.st_name >= strings_.size) return damaged();
  const auto segment = segment_from(moved(strings_.address, symbol.st_name, 1));
  if (!segment) return damaged();
  if (segment->size < name.size() + 1) return false;
  const std::string text = TRY(read(segment->address, name.size() + 1));
  return std::string_view(text) == std::string(name) + '\0';
}

// {nbuckets, symbol offset, bloom words, bloom shift}, bloom words of 64 bits, buckets, chains. A chain holds the
// hashes of consecutive symbols; the last has its lowest bit set. The bloom filter only saves time.
Result<std::optional<Elf64_Sym>> ElfFile::find_in_gnu_hash(std::string_view name) const {
  const auto header = TRY(item_at<GnuHashHeader>(gnu_hash_));
  if (header.buckets == 0) return std::optional<Elf64_Sym>();
  const std::uint32_t hash = gnu_hash_of(name);
  const std::uint64_t buckets = moved(moved(gnu_hash_, 16, 1), header.bloom_words, 8);
  const std::uint64_t chains = moved(buckets, header.buckets, 4);
  const auto first = TRY(item_at<std::uint32_t>(moved(buckets, hash % header.buckets, 4)));
  if (first < header.first_symbol) return std::optional<Elf64_Sym>();
  for (std::uint64_t i = first; i - first < kMaxChain; ++i) {
    const auto value = TRY(item_at<std::uint32_t>(moved(chains, i - header.first_symbol, 4)));
    if ((value | 1U) == (hash | 1U)) {
      const auto symbol = TRY(item_at<Elf64_Sym>(moved(symbols_, i, sizeof(Elf64_Sym))));
      const bool found = TRY(is_named(symbol, name));
      if (found) return std::optional(symbol);
    }
    if ((value & 1U) != 0) return std::optional<Elf64_Sym>();
  }
  return damaged();
}

// {nbuckets, nchains}, buckets, chains: each the number of the next symbol, 0 at the end.
Result<std::optional<Elf64_Sym>> ElfFile::find_in_hash(std::string_view name) const {
  const auto bucket_count = TRY(item_at<std::uint32_t>(hash_));
  const auto chain_count = TRY(item_at<std::uint32_t>(moved(hash_, 4, 1)));
  if (bucket_count == 0) return std::optional<Elf64_Sym>();
  const std::uint64_t buckets = moved(hash_, 8, 1);
  const std::uint64_t chains = moved(buckets, bucket_count, 4);
  auto index = TRY(item_at<std::uint32_t>(moved(buckets, sysv_hash_of(name) % bucket_count, 4)));
  for (std::uint32_t steps = 0; steps < kMaxChain; ++steps) {
    if (index == 0) return std::optional<Elf64_Sym>();
    if (index >= chain_count) return damaged();
    const auto symbol = TRY(item_at<Elf64_Sym>(moved(symbols_, index, sizeof(Elf64_Sym))));
    const bool found = TRY(is_named(symbol, name));
    if (found) return std::optional(symbol);
    index = TRY(item_at<std::uint32_t>(moved(chains, index, 4)));
  }
  return damaged();
}

Result<void> ElfFile::for_each_part(const Table& table, std::size_t item,
                                    const std::function<Result<void>(std::string_view)>& visit) const {
  if (table.size == 0) return {};
  const auto segment = segment_from(table.address);
  if (!segment || segment->size < table.size) return damaged();
  const std::uint64_t size = table.size - table.size % item;
  const std::uint64_t step = kPartSize - kPartSize % item;
  for (std::uint64_t done = 0; done < size; done += step) {
    const std::string part = TRY(read(segment->address + done, std::min(step, size - done)));
    TRY(visit(part));
  }
  return {};
}

Result<std::vector<ElfFile::Pointer>> ElfFile::pointers_at(std::uint64_t address, std::size_t count) const {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::string bytes = TRY(bytes_at(address, count * kWord));
  std::vector<Pointer> pointers(count);
  const auto at = [&](std::uint64_t place) -> Pointer* {
    if (place < address || (place - address) % kWord != 0 || (place - address) / kWord >= count) return nullptr;
    return &pointers[static_cast<std::size_t>((place - address) / kWord)];
  };
  // Here the loader adds its base to what stands in the file.
  const auto relocate_in_place = [&](std::uint64_t place) {
    Pointer* const pointer = at(place);
    if (pointer != nullptr)
      *pointer = Pointer{true, record<std::uint64_t>(bytes, static_cast<std::size_t>(place - address))};
  };

  TRY(for_each_part(rela_, sizeof(Elf64_Rela), [&](std::string_view part) -> Result<void> {
    for (std::size_t i = 0; i < part.size(); i += sizeof(Elf64_Rela)) {
      const auto relocation = record<Elf64_Rela>(part, i);
      Pointer* const pointer = at(relocation.r_offset);
      const auto type = static_cast<std::uint32_t>(ELF64_R_TYPE(relocation.r_info));
      if (pointer == nullptr || type == 0) continue;
      *pointer = Pointer{true, std::nullopt};
      const auto addend = static_cast<std::uint64_t>(relocation.r_addend);
      if (type == kRelocateByBase) pointer->address = addend;
      if (type == kRelocateToSymbol && symbols_ != 0) {
        const std::uint64_t place = moved(symbols_, ELF64_R_SYM(relocation.r_info), sizeof(Elf64_Sym));
        const auto symbol = TRY(item_at<Elf64_Sym>(place));
        if (symbol.st_shndx != SHN_UNDEF) pointer->address = symbol.st_value + addend;
      }
    }
    return {};
  }));

  // An even word is an address to relocate; an odd one has a bit for each of the 63 words that follow the last.
  std::uint64_t next = 0;
  TRY(for_each_part(relr_, kWord, [&](std::string_view part) -> Result<void> {
    for (std::size_t i = 0; i < part.size(); i += kWord) {
      const auto word = record<std::uint64_t>(part, i);
      if ((word & 1U) == 0) {
        relocate_in_place(word);
        next = word + kWord;
        continue;
      }
      for (std::uint64_t bit = 1; bit < 64; ++bit) {
        if (((word >> bit) & 1U) != 0) relocate_in_place(next + (bit - 1) * kWord);
      }
      next += 63 * kWord;
    }
    return {};
  }));
  return pointers;
}

}  // namespace trainyard
