// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "storage/archives/archive_reader.hpp"
#include "storage/objects/memory_objects.hpp"
#include "storage/packages/zip_reader.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/capture.hpp"
#include "tests/fuzz/input_file.hpp"
#include "tests/fuzz/memory_folder.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/sealing.hpp"

using namespace trainyard;

namespace {

Result<UnpackedZip> unpack(const Path& zip, const Path& folder) {
  fuzz::require(make_folder(folder).ok(), "there is a folder");
  auto writer = FolderWriter::at(folder);
  fuzz::require(writer.ok(), "there is a folder");
  return unpack_zip(zip, *writer);
}

Tree tree_of(const Path& folder) {
  CaptureOptions options;
  options.threads = 1;
  auto captured = capture(folder, options);
  fuzz::require(captured.ok(), "files and folders are all that is written");
  return std::move(captured->tree);
}

void require_only(const Path& folder, const std::vector<std::string>& names) {
  const auto there = list_folder(folder);
  fuzz::require(there.ok() && *there == names, "nothing is written anywhere else");
}

// The same content without the root folder, as a dataset has it.
Tree below(const std::string& root, const Tree& tree) {
  std::vector<TreeEntry> entries;
  for (TreeEntry entry : tree.entries()) {
    auto path = RelPath::parse(root + "/" + entry.path.bytes());
    fuzz::require(path.ok(), "a path below the root folder is one");
    entry.path = std::move(*path);
    entries.push_back(std::move(entry));
  }
  auto all = Tree::of(std::move(entries));
  fuzz::require(all.ok(), "a tree below a root folder is one");
  return std::move(*all);
}

void require_rewrite(const Path& folder, const UnpackedZip& unpacked, const Tree& tree) {
  const Path again = folder / "again.zip";
  const auto packed = pack_folder(folder / "out", unpacked.root, tree, again);
  fuzz::require(packed.ok(), "what was unpacked can be packed");
  const auto once_more = unpack(again, folder / "out2");
  fuzz::require(once_more.ok() && once_more->root == unpacked.root, "what was packed can be unpacked");
  fuzz::require(tree_of(folder / "out2") == tree, "what was packed is unpacked as it was");
  fuzz::require(remove_file(again).ok() && remove_tree(folder / "out2").ok(), "what was made can be removed");
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_and_seal(data, size, max_size, seed, fuzz::seal_zip);
}

// The zip of a package.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::InputFile input;
  static const fuzz::MemoryFolder memory;
  const Path& folder = memory.path();
  input.hold(fuzz::text_of(data, size));
  const auto unpacked = unpack(input.path(), folder / "out");
  require_only(folder, {"out"});
  if (!unpacked.ok()) {
    fuzz::require(unpacked.error().code == Errc::invalid, "a zip that is refused is the user's mistake");
    fuzz::require_terminal_sentence(unpacked.error());
    tree_of(folder / "out");
  } else {
    const Tree tree = tree_of(folder / "out");
    require_rewrite(folder, *unpacked, tree);
    MemoryObjects objects;
    ArchiveOptions options;
    options.threads = 1;
    const auto dataset = read_archive(input.path(), objects, options);
    if (dataset.ok()) fuzz::require(*dataset == below(unpacked->root, tree), "both readers see the same in a zip");
  }
  fuzz::require(remove_tree(folder / "out").ok(), "what was made can be removed");
  require_only(folder, {});
  return 0;
}
