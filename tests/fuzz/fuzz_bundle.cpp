// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/bundle.hpp"
#include "storage/objects/memory_objects.hpp"
#include "storage/values/sha256.hpp"
#include "tests/fuzz/memory_folder.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/sealing.hpp"

using namespace trainyard;

namespace {

constexpr std::size_t kMost = std::size_t{1} << 20U;

// Everything that a bundle says it has.
std::vector<Digest> members_of(PackObjects& bundles) {
  std::vector<Digest> digests;
  for (const auto& segment : *bundles.index().segments())
    for (std::size_t i = 0; i < segment->size(); ++i) digests.push_back(segment->entry(i).digest);
  return digests;
}

void take_objects(PackObjects& bundles) {
  MemoryObjects to;
  for (const Digest& digest : members_of(bundles)) {
    const auto copied = copy_object(digest, kMost, Cut::coarse, bundles, to);
    fuzz::require(to.has(digest).value() == copied.ok(), "what was copied is there, and nothing else");
    if (!copied.ok()) {
      fuzz::require_sentence(copied.error());
    } else {
      fuzz::require(sha256(to.read(digest, kMost).value()) == digest, "an object has the bytes of its digest");
    }
  }
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_and_seal(data, size, max_size, seed, fuzz::seal_pack);
}

// A bundle, as a stranger published it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFolder memory;
  const Path work = memory.path() / "work";
  const Path file = work / "1.bundle";
  fuzz::require(make_folder(work).ok(), "there is a folder");
  fuzz::require(replace_file(work, file, fuzz::text_of(data, size), 0644, Durable::no).ok(), "there is a bundle");
  {
    const auto bundles = open_bundles(std::vector<Path>{file}, work);
    if (bundles.ok()) {
      take_objects(**bundles);
    } else {
      fuzz::require_sentence(bundles.error());
    }
  }
  fuzz::require(remove_tree(work).ok(), "what was made can be removed");
  return 0;
}
