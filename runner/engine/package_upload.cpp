// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/package_upload.hpp"

#include "storage/packages/registry.hpp"
#include "storage/packages/zip_reader.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/capture.hpp"

namespace trainyard {

namespace {

// A folder that is gone, with everything in it, at the end of the scope.
class ScratchFolder {
 public:
  static Result<ScratchFolder> in(const Path& scratch) {
    ScratchFolder folder(scratch_name(scratch, "package"));
    TRY(make_folder(folder.path_));
    return folder;
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, Path())) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    if (!path_.empty()) static_cast<void>(remove_tree(path_));
  }
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  explicit ScratchFolder(Path path) : path_(std::move(path)) {}
  Path path_;
};

Result<UnpackedZip> unpack(const Path& zip, const Path& folder) {
  FolderWriter writer = TRY(FolderWriter::at(folder));
  return unpack_zip(zip, writer);
}

// `root` is how the root folder is called where the package comes from.
Result<CheckedPackage> check(const Path& folder, const std::string& root, const PackageReading& reading) {
  CheckedPackage checked = TRY(check_package(folder, reading.python, reading.name ? reading.name->text() : root));
  if (reading.name && checked.manifest.name.text() != reading.name->text()) {
    return fail(Errc::invalid, "the package is called '" + checked.manifest.name.text() +
                                   "' by its package.json, not '" + reading.name->text() + "'");
  }
  return checked;
}

Result<CheckedPackage> check_in_place(const Path& folder, const PackageReading& reading) {
  return check(folder, TRY(real_path(folder)).filename().string(), reading);
}

CaptureOptions content_options(ObjectStore* objects) {
  CaptureOptions options;
  options.objects = objects;
  options.wanted = [](const RelPath& path) { return path.name() != "__pycache__"; };
  return options;
}

Result<void> require_there(const Path& package) {
  if (TRY(status_of(package))) return {};
  return fail(Errc::not_found, "there is no file or folder '" + package.string() + "'");
}

Result<VersionRecord> upload_folder(const Path& folder, const CheckedPackage& checked, std::optional<ZipSummary> zip,
                                    const std::string& change_log, const Store& store, Instant now,
                                    std::optional<std::uint32_t> major) {
  ObjectStore& objects = store.objects();
  const CapturedFolder captured = TRY(capture(folder, content_options(&objects)));
  if (!zip) {
    const Path packed = scratch_name(store.scratch(), "zip");
    auto summary = pack_folder(folder, checked.manifest.name.text(), captured.tree, packed);
    TRY(remove_file(packed));
    zip = TRY(std::move(summary));
  }
  const TreeSummary tree = TRY(store_tree(captured.tree, objects));
  TRY(objects.sync());
  const PackageRegistry registry(store.packages(), store.journal());
  const VersionDraft draft{checked.manifest.name, now, std::nullopt, std::nullopt, tree, *zip, checked.abi, change_log};
  VersionRecord record = TRY(major ? registry.publish_imported(draft, *major) : registry.publish_major(draft));
  objects.release();
  return record;
}

}  // namespace

Result<CheckedPackage> validate_package(const Path& package, const Path& scratch, const PackageReading& reading) {
  TRY(require_there(package));
  if (is_folder(package)) return check_in_place(package, reading);
  const ScratchFolder folder = TRY(ScratchFolder::in(scratch));
  const UnpackedZip unpacked = TRY(unpack(package, folder.path()));
  return check(folder.path(), unpacked.root, reading);
}

Result<PackedPackage> pack_package(const Path& folder, Path zip, const PackageReading& reading) {
  TRY(require_there(folder));
  if (!is_folder(folder))
    return fail(Errc::invalid, "'" + folder.string() + "' is not a folder; only a package folder can be packed");
  CheckedPackage checked = TRY(check_in_place(folder, reading));
  if (zip.empty()) zip = checked.manifest.name.text() + ".zip";
  const CapturedFolder captured = TRY(capture(folder, content_options(nullptr)));
  const ZipSummary summary = TRY(pack_folder(folder, checked.manifest.name.text(), captured.tree, zip));
  return PackedPackage{std::move(checked), std::move(zip), TreeSummary::of(captured.tree), summary};
}

Result<VersionRecord> upload_package(const Path& package, const PackageReading& reading, const std::string& change_log,
                                     const Store& store, Instant now, std::optional<std::uint32_t> major) {
  TRY(require_there(package));
  if (is_folder(package)) {
    const CheckedPackage checked = TRY(check_in_place(package, reading));
    return upload_folder(package, checked, std::nullopt, change_log, store, now, major);
  }
  const ScratchFolder folder = TRY(ScratchFolder::in(store.scratch()));
  const UnpackedZip unpacked = TRY(unpack(package, folder.path()));
  const CheckedPackage checked = TRY(check(folder.path(), unpacked.root, reading));
  return upload_folder(folder.path(), checked, unpacked.zip, change_log, store, now, major);
}

}  // namespace trainyard
