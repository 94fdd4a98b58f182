// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "storage/archives/archive_reader.hpp"
#include "storage/archives/tar_writer.hpp"
#include "storage/objects/memory_objects.hpp"
#include "tests/fuzz/input_file.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/sealing.hpp"

using namespace trainyard;

namespace {

ArchiveOptions one_thread() {
  ArchiveOptions options;
  options.threads = 1;
  return options;
}

// Trees of more are slow to write, and no different.
constexpr std::uint64_t kWritten = std::uint64_t{4} << 20U;

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_and_seal(data, size, max_size, seed, [](fuzz::Bytes bytes) {
    const bool zip = fuzz::text_of(bytes.data(), bytes.size()).starts_with("PK");
    zip ? fuzz::seal_zip(bytes) : fuzz::seal_tar(bytes);
  });
}

// A dataset that is given as an archive: a tar of any kind, or a zip.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::InputFile input;
  input.hold(fuzz::text_of(data, size));
  MemoryObjects objects;
  const auto tree = read_archive(input.path(), objects, one_thread());
  if (!tree.ok()) {
    fuzz::require(tree.error().code == Errc::invalid, "an archive that is refused is the user's mistake");
    fuzz::require_terminal_sentence(tree.error());
    return 0;
  }
  fuzz::require(Tree::from_canonical(tree->canonical()).ok(), "what is in an archive is a tree");
  if (tree->bytes() > kWritten) return 0;

  static fuzz::InputFile output;
  output.hold("");
  const auto fd = open_file(output.path(), O_WRONLY);
  fuzz::require(fd.ok(), "there is a file");
  const auto written = write_tar(*tree, objects, fd->get(), output.path());
  fuzz::require(written.ok(), "what was read can be written");
  MemoryObjects others;
  const auto again = read_archive(output.path(), others, one_thread());
  fuzz::require(again.ok(), "what is written can be read");
  fuzz::require(*again == *tree, "what is written is read as it was");
  return 0;
}
