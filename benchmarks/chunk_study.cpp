// SPDX-License-Identifier: Apache-2.0
// What the sizes of chunks and blocks and the settings of zstd cost and bring, on given files: the table behind the constants
// in storage/objects/chunking_writer.cpp and block_codec.cpp.
//
//   chunk_study FILE                    settings of zstd and sizes of blocks, on the first 256 MiB of the file
//   chunk_study FILE CHANGED            sizes of chunks: what of the changed file is stored again
#include <zstd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "storage/objects/chunker.hpp"
#include "storage/values/sha256.hpp"

namespace {

using trainyard::Chunker;
using trainyard::Digest;

constexpr std::size_t kKibi = 1024;
constexpr std::size_t kMost = std::size_t{256} << 20U;

double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string beginning_of(const char* path, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(most, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(most));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

struct Setting {
  const char* name;
  int level;     // or 0, with
  int hash_log;  // a table of zstd's fastest strategy,
  int match;     // and the shortest match
};

constexpr Setting kSettings[] = {{"level -1", -1, 0, 0},    {"level 1", 1, 0, 0},      {"level 2", 2, 0, 0},
                                 {"level 3", 3, 0, 0},      {"table 12, 7", 0, 12, 7}, {"table 13, 6", 0, 13, 6},
                                 {"table 14, 6", 0, 14, 6}, {"table 15, 6", 0, 15, 6}, {"table 15, 7", 0, 15, 7},
                                 {"table 16, 6", 0, 16, 6}};

void compare_settings(const std::string& bytes) {
  std::printf("| zstd | block | stored | MB/s, one core |\n|---|---|---|---|\n");
  for (const std::size_t block : {128 * kKibi, 512 * kKibi, 1024 * kKibi}) {
    for (const Setting& setting : kSettings) {
      const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd(ZSTD_createCCtx(), ZSTD_freeCCtx);
      if (setting.level != 0) {
        ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_compressionLevel, setting.level);
      } else {
        ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_windowLog, 20);
        ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_hashLog, setting.hash_log);
        ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_chainLog, setting.hash_log);
        ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_minMatch, setting.match);
        ZSTD_CCtx_setParameter(zstd.get(), ZSTD_c_strategy, static_cast<int>(ZSTD_fast));
      }
      std::string frame(ZSTD_compressBound(block), '\0');
      std::size_t stored = 0;
      const double begin = cpu_seconds();
      for (std::size_t at = 0; at < bytes.size(); at += block) {
        stored += ZSTD_compress2(zstd.get(), frame.data(), frame.size(), bytes.data() + at,
                                 std::min(block, bytes.size() - at));
      }
      const double seconds = cpu_seconds() - begin;
      const auto size = static_cast<double>(bytes.size());
      std::printf("| %s | %zu KiB | %.2f%% | %.0f |\n", setting.name, block / kKibi,
                  100.0 * static_cast<double>(stored) / size, size / seconds / 1e6);
    }
  }
}

// Calls `see` for each chunk of a file of any size.
template <class See>
void cut_file(const char* path, const Chunker& chunker, See see) {
  std::ifstream file(path, std::ios::binary);
  std::string buffer;
  bool end = false;
  while (!end || !buffer.empty()) {
    if (!end && buffer.size() < chunker.sizes().most) {
      const std::size_t had = buffer.size();
      buffer.resize(had + (std::size_t{16} << 20U));
      file.read(buffer.data() + had, static_cast<std::streamsize>(buffer.size() - had));
      buffer.resize(had + static_cast<std::size_t>(file.gcount()));
      end = !file;
    }
    std::size_t at = 0;
    while (at < buffer.size() && (end || buffer.size() - at >= chunker.sizes().most)) {
      const std::size_t bytes = chunker.cut(std::string_view(buffer).substr(at));
      see(std::string_view(buffer).substr(at, bytes));
      at += bytes;
    }
    buffer.erase(0, at);
  }
}

void compare_sizes(const char* path, const char* changed) {
  std::printf(
      "| average chunk | chunks | index and list | stored again of the changed file | cut and hash, MB/s |\n"
      "|---|---|---|---|---|\n");
  for (std::size_t average = 16 * kKibi; average <= 2048 * kKibi; average *= 2) {
    const Chunker chunker({average / 4, average, average * 4});
    std::unordered_set<Digest> known;
    std::uint64_t chunks = 0;
    std::uint64_t bytes = 0;
    const double begin = cpu_seconds();
    cut_file(path, chunker, [&](std::string_view chunk) {
      known.insert(trainyard::sha256(chunk));
      ++chunks;
      bytes += chunk.size();
    });
    const double seconds = cpu_seconds() - begin;
    std::uint64_t again = 0;
    std::uint64_t all = 0;
    cut_file(changed, chunker, [&](std::string_view chunk) {
      all += chunk.size();
      if (known.insert(trainyard::sha256(chunk)).second) again += chunk.size();
    });
    // A line of 56 bytes in the index, 36 in its record and 40 in the list.
    const double overhead = 132.0 * static_cast<double>(chunks) / static_cast<double>(bytes);
    std::printf("| %zu KiB | %llu | %.3f%% | %.4f%% | %.0f |\n", average / kKibi,
                static_cast<unsigned long long>(chunks), 100 * overhead,
                100.0 * static_cast<double>(again) / static_cast<double>(all),
                static_cast<double>(bytes) / seconds / 1e6);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    compare_settings(beginning_of(argv[1], kMost));
  } else if (argc == 3) {
    compare_sizes(argv[1], argv[2]);
  } else {
    std::fprintf(stderr, "usage: chunk_study FILE [CHANGED]\n");
    return 2;
  }
  return 0;
}
