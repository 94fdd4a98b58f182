// SPDX-License-Identifier: Apache-2.0
//
// A store for benchmarks/uses.py: the trees of many large datasets, without any of their files. Every tree shares a tenth of
// its files with the one before and has the others alone. Prints digests to ask for, one a line.
//
//   uses_store STORE TREES FILES      makes STORE, or adds to it
#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "runner/processes/clock.hpp"
#include "storage/datasets/datasets.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/stored_tree.hpp"

namespace {

using namespace trainyard;

constexpr std::size_t kFilesOfFolder = 1000;
constexpr std::size_t kAskedOfTree = 20;

template <class T>
T need(Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "uses_store: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

Digest digest_of(std::uint64_t content) {
  std::mt19937_64 random(content);
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t word = random();
    for (std::size_t j = 0; j < 8; ++j) bytes[i + j] = static_cast<std::uint8_t>(word >> (8 * j));
  }
  return Digest(bytes);
}

std::string padded(std::size_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return std::string(digits > text.size() ? digits - text.size() : 0, '0') + text;
}

Tree tree_of(std::size_t number, std::size_t files) {
  TreeBuilder builder;
  std::uint32_t folder = 0;
  for (std::size_t i = 0; i < files; ++i) {
    if (i % kFilesOfFolder == 0)
      folder = builder.folder("batch_" + padded(number, 3) + "/part_" + padded(i / kFilesOfFolder, 4));
    const std::size_t source = i % 10 == 0 && number > 0 ? number - 1 : number;
    const std::size_t entry = builder.add_file(folder, "image_" + padded(i, 8) + ".jpg", 20'000 + i % 9000, false);
    // Every tenth file of the tree before, one further on, so that it is not the one which that shares itself.
    builder.set_digest(entry, digest_of(source * files + (source == number ? i : i + 1)));
  }
  return need(std::move(builder).finish());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "uses_store STORE TREES FILES\n");
    return 2;
  }
  const std::size_t trees = std::strtoul(argv[2], nullptr, 10);
  const std::size_t files = std::strtoul(argv[3], nullptr, 10);
  if (!is_there(Path(argv[1]) / "format")) need(Store::create(argv[1], Instant{0}));
  const Store store = need(Store::open(argv[1]));
  const Datasets datasets(store.datasets(), store.journal());
  for (std::size_t number = 0; number < trees; ++number) {
    const Tree tree = tree_of(number, files);
    const TreeSummary summary = need(store_tree(tree, store.objects()));
    need(store.objects().sync());
    const DatasetName name = need(DatasetName::parse("images"));
    static_cast<void>(need(datasets.add(name, summary, now(), "/made/up")));
    store.objects().release();
    for (std::size_t i = 0; i < kAskedOfTree; ++i)
      std::printf("%s\n", digest_of(number * files + i * (files / kAskedOfTree) + 1).hex().c_str());
  }
  return 0;
}
