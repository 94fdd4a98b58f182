// SPDX-License-Identifier: Apache-2.0
#include "runner/python/virtual_environments.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <sstream>

#include "runner/processes/own_environment.hpp"
#include "runner/processes/run_program.hpp"
#include "runner/python/python_interpreter.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::array<std::string_view, 2> kFiles = {"requirements.txt", "train_requirements.txt"};
constexpr std::chrono::minutes kInstallTime{60};
constexpr std::size_t kLastWords = 600;

// Only what tells pip where packages are and how to get there.
bool is_for_pip(std::string_view name) {
  if (name.starts_with("PIP_")) return true;
  for (const std::string_view known : {"HOME", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                                       "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}) {
    if (name == known) return true;
  }
  return false;
}

std::map<std::string, std::string> environment_for_pip() {
  std::map<std::string, std::string> environment = {{"PATH", kUsualPath}, {"LC_ALL", "C.UTF-8"}};
  for (const auto& [name, value] : own_environment()) {
    if (is_for_pip(name)) environment[name] = value;
  }
  return environment;
}

// pip tells what went wrong in lines that begin with ERROR; a traceback of anything else ends with its reason.
std::string last_words(const ProgramOutput& output) {
  const std::string text = output.err.empty() ? output.out : output.err;
  std::string words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.starts_with("ERROR: ")) words += (words.empty() ? "" : " ") + std::string(line.substr(7));
    begin = end + 1;
  }
  if (words.empty()) {
    std::string_view rest = text;
    while (rest.ends_with('\n')) rest.remove_suffix(1);
    words = rest.substr(rest.rfind('\n') + 1);
  }
  return std::string(utf8_prefix(utf8_cleaned(words), kLastWords));
}

Result<void> carry_out(const std::vector<std::string>& argv, const std::string& folder, const std::string& what) {
  const ProgramOutput output = TRY(run_program(argv, environment_for_pip(), folder, "", kInstallTime));
  if (output.status.code == 0) return {};
  return fail(Errc::package_failed, what + ": " + last_words(output));
}

struct Wanted {
  Digest key;
  std::vector<std::string> files;
};

// The files that lines such as "-r more.txt" or "--constraint=these.txt" name.
std::vector<std::string> included_by(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    for (char& c : line)
      if (c == '=' || c == '\t' || c == '\r') c = ' ';
    std::istringstream words(line);
    std::string option;
    std::string name;
    words >> option >> name;
    for (const std::string_view known : {"-r", "--requirement", "-c", "--constraint"})
      if (option == known && !name.empty()) names.push_back(name);
  }
  return names;
}

Result<Wanted> wanted_by(const Path& package, const Path& interpreter) {
  Sha256 hash;
  std::vector<std::string> files;
  hash.update(interpreter.string());
  hash.update(std::string_view("\0", 1));
  std::set<std::string> seen;
  std::vector<std::string> open(kFiles.begin(), kFiles.end());
  for (std::size_t i = 0; i < open.size(); ++i) {
    const std::string name = open[i];
    const auto status = TRY(status_of(package / name));
    if (!seen.insert(name).second || !status || !S_ISREG(status->st_mode)) continue;
    const std::string text = TRY(read_file(package / name, limits::kManifestBytes));
    hash.update(name + " " + std::to_string(text.size()) + "\n");
    hash.update(text);
    if (i < kFiles.size()) files.push_back(name);
    for (std::string& included : included_by(text)) open.push_back(std::move(included));
  }
  return Wanted{hash.finish(), std::move(files)};
}

Result<void> make(const Path& interpreter, const Path& package, const Wanted& wanted, const Path& folder) {
  TRY(remove_tree(folder));
  TRY(carry_out({interpreter.string(), "-I", "-m", "venv", "--system-site-packages", folder.string()}, "/",
                "cannot make a virtual environment with '" + interpreter.string() + "' (Debian: python3-venv)"));
  std::vector<std::string> install = {(folder / "bin" / "python").string(), "-I",         "-m",     "pip", "install",
                                      "--disable-pip-version-check",        "--no-input", "--quiet"};
  for (const std::string& file : wanted.files) {
    install.emplace_back("--requirement");
    install.push_back(file);
  }
  return carry_out(install, package.string(), "cannot install what the package requires");
}

}  // namespace

Result<Path> VirtualEnvironments::get(const Path& interpreter, const Path& package) const {
  TRY(check_interpreter(interpreter));
  const Wanted wanted = TRY(wanted_by(package, interpreter));
  if (wanted.files.empty()) return interpreter;
  TRY(make_folders(folder_));
  const Path folder = folder_ / wanted.key.hex();
  const Path python = folder / "bin" / "python";
  const Path complete = folder / "complete";
  if (is_there(complete)) return python;
  const FileLock lock = TRY(FileLock::wait(folder_ / (wanted.key.hex() + ".lock")));
  if (is_there(complete)) return python;
  TRY(make(interpreter, package, wanted, folder));
  TRY(publish_file(folder_, complete, "", 0644, Durable::yes));
  return python;
}

}  // namespace trainyard
