// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/package_exchange.hpp"

#include "storage/packages/package_metadata.hpp"
#include "storage/packages/registry.hpp"
#include "storage/packages/zip_writer.hpp"
#include "storage/trees/checkout.hpp"
#include "storage/trees/stored_tree.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

Result<void> refuse_what_is_there(const Path& path) {
  if (!is_there(path)) return {};
  return fail(Errc::exists, "'" + path.string() + "' is already there; remove it, or choose another folder");
}

}  // namespace

Result<Manifest> manifest_of(const VersionRecord& record, const Tree& tree, ObjectStore& objects) {
  const auto entry = tree.find(TRY(RelPath::parse(kManifestFile)));
  if (entry && entry->digest) return Manifest::parse(TRY(objects.read(*entry->digest, limits::kManifestBytes)));
  if (record.content.abi.runtime == Runtime::python) return Manifest::of_python(record.content.name);
  return fail(Errc::corrupt, "the stored package '" + record.content.name.text() + "@" + record.version.text() +
                                 "' has no package.json");
}

Result<ExportedPackage> export_package(const VersionRecord& version, const Path& folder, const Store& store) {
  const Path zip = folder / (export_name(version) + ".zip");
  const Path metadata = folder / (export_name(version) + "_metadata.json");
  TRY(refuse_what_is_there(zip));
  TRY(refuse_what_is_there(metadata));
  const Tree tree = TRY(load_tree(version.content.tree.digest, store.objects()));
  const Manifest manifest = TRY(manifest_of(version, tree, store.objects()));
  if (!is_folder(folder)) TRY(make_folders(folder));
  const Path scratch = scratch_name(store.scratch(), "export");
  TRY(make_folder(scratch));
  const auto written = materialise(tree, store.objects(), scratch);
  const auto packed =
      written.ok() ? pack_folder(scratch, version.content.name.text(), tree, zip) : Result<ZipSummary>(written.error());
  TRY(remove_tree(scratch));
  const ZipSummary summary = TRY(packed);
  const auto told = publish_file(folder, metadata, readable(package_metadata(version, manifest)), 0644, Durable::yes);
  if (told.ok()) return ExportedPackage{zip, metadata, summary};
  TRY(remove_file(zip));
  return told.error();
}

Result<VersionRecord> import_package(const Path& zip, const Path& metadata, PythonReader& python, const Store& store,
                                     Instant now) {
  const std::string text = TRY(read_file(metadata, limits::kManifestBytes));
  const auto meta = imported_metadata(TRY(parse_json(text, "'" + metadata.string() + "'")));
  if (!meta.ok()) return within("'" + metadata.string() + "'", meta.error());
  return upload_package(zip, {python, meta->name}, meta->change_log, store, now, meta->version.major);
}

}  // namespace trainyard
