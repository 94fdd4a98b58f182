// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/package_check.hpp"

#include <utility>

#include "storage/packages/metric_pattern.hpp"
#include "storage/packages/native_library.hpp"
#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

// A file itself; neither a folder nor a link to one elsewhere.
Result<bool> is_file(const Path& path) {
  const auto status = TRY(status_of(path));
  return status.has_value() && S_ISREG(status->st_mode);
}

Result<Manifest> read_manifest(const Path& folder, const std::optional<std::string>& name) {
  const Path path = folder / std::string(kManifestFile);
  const bool present = TRY(is_file(path));
  if (present) {
    const std::string text = TRY(read_file(path, limits::kManifestBytes + 1));
    return Manifest::parse(text);
  }
  const bool python = TRY(is_file(folder / "train.py")) || TRY(is_file(folder / "main.py"));
  if (!python) return fail(Errc::invalid, "the package has no package.json, train.py or main.py in its root folder");
  auto known = PackageName::parse(name.value_or(""));
  if (!known.ok()) {
    return fail(Errc::invalid, "the package has no package.json that names it, and its root folder cannot: " +
                                   known.error().message + "; give --name NAME");
  }
  return Manifest::of_python(std::move(*known));
}

Result<PackageAbi> check_native(const Manifest& manifest, const Path& folder) {
  const std::string& name = manifest.library->bytes();
  const std::string shown = "'" + manifest.library->text() + "'";
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
  return std::move(library.abi);
}

Result<PackageAbi> check_python(const Path& folder, PythonReader& python) {
  PythonSource source = TRY(python.read(folder));
  for (const auto& [there, missing] : {std::pair(Verb::train, Verb::save), std::pair(Verb::save, Verb::train)}) {
    if (!source.verbs.contains(there) || source.verbs.contains(missing)) continue;
    return fail(Errc::invalid, "the class Main in train.py has " + std::string(name_of(there)) + "() but no " +
                                   std::string(name_of(missing)) + "()");
  }
  return PackageAbi{Runtime::python, 1, 0, "Python " + source.version, std::move(source.verbs)};
}

}  // namespace

Result<CheckedPackage> check_package(const Path& folder, PythonReader& python, const std::optional<std::string>& name) {
  Manifest manifest = TRY(read_manifest(folder, name));
  for (const auto& metric : manifest.metrics) TRY(MetricPattern::of(metric.name, metric.regex));
  const bool native = manifest.runtime == Runtime::native;
  PackageAbi abi = TRY(native ? check_native(manifest, folder) : check_python(folder, python));
  const std::string shown = native ? "'" + manifest.library->text() + "'" : std::string("the package");
  if (abi.verbs.empty()) {
    return fail(Errc::invalid,
                shown + " can do nothing: it has none of train and save, evaluate, process_data, predict");
  }
  const bool stated = TRY(is_file(folder / std::string(kManifestFile)));
  if (stated && manifest.training_enabled && !abi.verbs.contains(Verb::train)) {
    return fail(Errc::invalid,
                shown + " has no train and no save, although package.json does not say \"training_enabled\": false");
  }
  return CheckedPackage{std::move(manifest), std::move(abi)};
}

}  // namespace trainyard
