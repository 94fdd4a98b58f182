// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/python_choice.hpp"

#include "runner/python/python_interpreter.hpp"
#include "storage/trees/checkout.hpp"

namespace trainyard {

namespace {

constexpr std::uint64_t kRequirementsBytes = std::uint64_t{1} << 20U;

// The small text files of the root folder, which is where requirements lie and what they include.
Result<Tree> requirement_files(const Tree& tree) {
  std::vector<TreeEntry> files;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Tree::View file = tree.view(i);
    const bool wanted = file.folder.empty() && file.name.ends_with(".txt") && file.size <= kRequirementsBytes;
    if (wanted && file.digest != nullptr) files.push_back(tree.entry(i));
  }
  return Tree::of(std::move(files));
}

}  // namespace

Result<void> choose_python(RunRequest& request, const Manifest& manifest, RunPorts& ports) {
  if (manifest.runtime != Runtime::python) return {};
  const StoreConfig config = TRY(ports.store.config());
  if (!request.python) request.python = manifest.python;
  if (!request.python) request.python = config.python;
  if (!request.python) request.python = kDefaultPython;
  return PythonInterpreter(*request.python, ports.python_kit).check();
}

Result<void> check_requirements(const RunRequest& request, const VersionRecord& version, const Tree& content,
                                RunPorts& ports) {
  const Tree files = TRY(requirement_files(content));
  if (files.size() == 0 || request.dependencies == Dependencies::venv) return {};
  const Path folder = scratch_name(ports.store.scratch(), "requirements");
  TRY(make_folder(folder));
  const auto written = materialise(files, ports.store.objects(), folder);
  auto asked = written.ok() ? PythonInterpreter(*request.python, ports.python_kit).requirements(folder)
                            : Result<Requirements>(written.error());
  TRY(remove_tree(folder));
  const Requirements requirements = TRY(std::move(asked));
  const std::string package = "package '" + version.content.name.text() + "@" + version.version.text() + "'";
  if (!requirements.missing.empty()) {
    const auto& first = requirements.missing.front();
    const std::size_t more = requirements.missing.size() - 1;
    return fail(Errc::incompatible,
                package + " requires '" + first.requirement + "' (" + first.file + ", line " +
                    std::to_string(first.line) + ")" + (more == 0 ? "" : " and " + std::to_string(more) + " more") +
                    ", which " + *request.python + " does not have; install it there, or give --dependencies venv");
  }
  for (const auto& other : requirements.different) {
    ports.observer.noticed(package + " requires '" + other.requirement + "', and " + *request.python + " has version " +
                           other.installed);
  }
  return {};
}

}  // namespace trainyard
