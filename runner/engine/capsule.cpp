// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/capsule.hpp"

#include <fcntl.h>

#include "runner/engine/capsule_contents.hpp"
#include "runner/engine/verify_capsule.hpp"
#include "storage/files/name_once.hpp"
#include "storage/packages/zip_writer.hpp"

namespace trainyard {

namespace {

Result<ZipSummary> pack_durably(const CapsuleFolder& folder, const std::string& root, const Tree& tree,
                                const Path& file) {
  const Path made = scratch_name(file.parent_path(), ".trainyard-capsule");
  const ZipSummary summary = TRY(pack_folder(folder.path(), root, tree, made));
  const auto published = [&]() -> Result<void> {
    const UniqueFd fd = TRY(open_file(made, O_RDONLY));
    TRY(sync_file(fd.get(), file));
    return name_once(made, file);
  }();
  if (!published.ok()) {
    TRY(remove_file(made));
    return published.error();
  }
  TRY(sync_folder(file.parent_path()));
  return summary;
}

}  // namespace

Result<WrittenCapsule> write_capsule(const VersionRecord& version, const Lineage& lineage, const Store& store,
                                     const Path& file, const CapsuleOptions& options) {
  if (is_there(file))
    return fail(Errc::exists, "'" + file.string() + "' is already there; remove it, or choose another name");
  if (!is_folder(file.parent_path()))
    return fail(Errc::not_found, "there is no folder '" + file.parent_path().string() + "' to write the capsule to");
  CapsuleFolder folder = TRY(CapsuleFolder::make(store.scratch()));
  CapsuleContents contents(version, lineage, store, options, folder);
  CapsuleManifest manifest = TRY(contents.gather());
  TRY(folder.add("VERIFY.md", "how to check all of this", capsule_guide(manifest)));
  TRY(folder.add("capsule.json", "what is here, for programs", readable(to_json(manifest))));
  TRY(folder.add("verify.py", "the steps that need more than a line of shell", kVerifyCapsule));
  if (options.progress) options.progress("packing all of it", 0, 0);
  const Tree tree = TRY(folder.seal());
  if (options.cancelled()) return fail(Errc::cancelled, "the capsule was not written, because you stopped it");
  const ZipSummary zip = TRY(pack_durably(folder, capsule_folder(manifest.version), tree, file));
  return WrittenCapsule{std::move(manifest), zip};
}

}  // namespace trainyard
