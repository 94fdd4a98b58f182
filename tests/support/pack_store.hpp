// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/objects/pack_objects.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

// Bytes that do not compress, always the same ones for a seed.
inline std::string random_bytes(std::uint64_t seed, std::size_t size) {
  std::string bytes;
  bytes.reserve(size + 8);
  while (bytes.size() < size) {
    seed += 0x9e37'79b9'7f4a'7c15;
    std::uint64_t mixed = (seed ^ (seed >> 30U)) * 0xbf58'476d'1ce4'e5b9;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d0'49bb'1331'11eb;
    mixed ^= mixed >> 31U;
    for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(static_cast<unsigned char>(mixed >> (8 * i)));
  }
  bytes.resize(size);
  return bytes;
}

// Bytes that compress well, and of which no long part comes twice.
inline std::string text_bytes(std::uint64_t seed, std::size_t size) {
  std::string bytes;
  for (std::uint64_t line = 0; bytes.size() < size; ++line)
    bytes += "line " + std::to_string(seed) + " " + std::to_string(line * line) + "\n";
  bytes.resize(size);
  return bytes;
}

template <class T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}
inline void must(const Result<void>& result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
}

// A store of packs in a folder of its own, gone at the end.
struct PackStore {
  TempFolder folder;
  Path root = folder.path() / "objects";
  Path scratch = folder.folder("tmp");
  std::unique_ptr<PackObjects> objects;

  PackStore() {
    must(PackObjects::create(root));
    reopen();
  }
  void reopen() {
    objects.reset();
    objects = another();
  }
  // As another process would open it.
  [[nodiscard]] std::unique_ptr<PackObjects> another() const { return must(PackObjects::open(root, scratch)); }

  [[nodiscard]] Digest put(const std::string& bytes) const { return must(objects->put(bytes)); }
  // Puts these in a pack of their own.
  std::vector<Digest> put_pack(const std::vector<std::string>& all) const {
    std::vector<Digest> digests;
    for (const std::string& bytes : all) digests.push_back(put(bytes));
    sync();
    return digests;
  }
  void sync() const {
    must(objects->sync());
    objects->release();
  }
  // "" when the object cannot be read.
  [[nodiscard]] std::string read(const Digest& digest) const {
    auto bytes = objects->read(digest, SIZE_MAX);
    return bytes.ok() ? std::move(*bytes) : std::string();
  }
  [[nodiscard]] std::vector<Path> files(const char* subfolder) const {
    std::vector<Path> paths;
    for (const std::string& name : must(list_folder(root / subfolder))) paths.push_back(root / subfolder / name);
    return paths;
  }
  [[nodiscard]] std::vector<Path> packs() const { return files("packs"); }
  [[nodiscard]] std::uint64_t pack_bytes() const {
    std::uint64_t sum = 0;
    for (const Path& pack : packs()) sum += static_cast<std::uint64_t>(must(status_of(pack))->st_size);
    return sum;
  }
};

// Writes over bytes of a file that is not meant to be changed.
inline void damage_file(const Path& path, std::uint64_t offset, const std::string& bytes) {
  const UniqueFd reading = must(open_file(path, O_RDONLY));
  if (::fchmod(reading.get(), 0644) != 0) throw std::runtime_error("cannot open up " + path.string());
  const UniqueFd fd = must(open_file(path, O_WRONLY));
  if (::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("cannot write to " + path.string());
}
inline void cut_file(const Path& path, std::uint64_t size) {
  damage_file(path, 0, "");
  const UniqueFd fd = must(open_file(path, O_WRONLY));
  if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) throw std::runtime_error("cannot cut " + path.string());
}

}  // namespace trainyard
