// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/package_check.hpp"

#include "storage/packages/native_library.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

// A file itself; neither a folder nor a link to one elsewhere.
Result<bool> is_file(const Path& path) {
  const auto status = TRY(status_of(path));
  return status.has_value() && S_ISREG(status->st_mode);
}

Result<Manifest> read_manifest(const Path& folder) {
  const Path path = folder / std::string(kManifestFile);
  const bool present = TRY(is_file(path));
  if (present) {
    const std::string text = TRY(read_file(path, limits::kManifestBytes + 1));
    return Manifest::parse(text);
  }
  const bool python = TRY(is_file(folder / "train.py")) || TRY(is_file(folder / "main.py"));
  if (python) {
    return fail(Errc::incompatible,
                "this is a Python package (train.py or main.py without package.json), and this Trainyard runs native "
                "packages only");
  }
  return fail(Errc::invalid, "the package has no package.json in its root folder");
}

}  // namespace

Result<CheckedPackage> check_package(const Path& folder) {
  Manifest manifest = TRY(read_manifest(folder));
  const std::string& name = manifest.library.bytes();
  const std::string shown = "'" + manifest.library.text() + "'";
  if (name.find('/') != std::string::npos) {
    return fail(Errc::invalid, "the manifest package.json names the library " + shown +
                                   ", which must lie beside it, in the root folder");
  }
  const bool present = TRY(is_file(folder / name));
  if (!present) {
    return fail(Errc::invalid,
                "the manifest package.json names the library " + shown + ", which is not a file in the package");
  }
  NativeLibrary library = TRY(read_native_library(folder / name));
  TRY(check_needed(library, folder));
  if (library.abi.verbs.empty()) {
    return fail(Errc::invalid,
                shown + " can do nothing: it has none of train and save, evaluate, process_data, predict");
  }
  if (manifest.training_enabled && !library.abi.verbs.contains(Verb::train)) {
    return fail(Errc::invalid,
                shown + " has no train and no save, although package.json does not say \"training_enabled\": false");
  }
  return CheckedPackage{std::move(manifest), std::move(library.abi)};
}

}  // namespace trainyard
