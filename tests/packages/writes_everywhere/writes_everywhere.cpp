// SPDX-License-Identifier: Apache-2.0
// Tries to change its data, its own package folder and whatever the parameter `victim` names (absolute paths, separated
// by ':'). It goes on after every refusal and succeeds in the end; artifacts/attempts.txt has a line for every attempt.
#include <trainyard/package.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

class WritesEverywhere {
 public:
  explicit WritesEverywhere(trainyard::Run& run) : run_(run) {}

  void train(const fs::path& data) {
    attempts_.open(run_.artifacts_directory() / "attempts.txt");
    spoil_folder(data);
    // The manifest stays readable unless asked: whether a spoilt one may become a version is a question of its own.
    write("overwrite", run_.package_directory() / "sibling.txt", O_TRUNC);
    write("create", run_.package_directory() / "created.txt", O_CREAT | O_EXCL);
    if (run_.parameter("spoil_manifest", false)) write("overwrite", run_.package_directory() / "package.json", O_TRUNC);
    std::istringstream victims(run_.parameter<std::string>("victim", ""));
    for (std::string victim; std::getline(victims, victim, ':');) {
      if (victim.empty()) continue;
      std::error_code ignored;
      fs::is_directory(victim, ignored) ? spoil_folder(victim) : spoil_file(victim);
    }
  }

  void save() { std::ofstream(run_.package_directory() / "model.txt") << "saved\n"; }

 private:
  void spoil_folder(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> files;
    // The bound is for the machine's sake, should a test ever name the wrong folder.
    for (fs::recursive_directory_iterator i(folder, error), end; !error && i != end && files.size() < 100;
         i.increment(error))
      if (i->is_regular_file(error)) files.push_back(i->path());
    for (const auto& file : files) spoil_file(file);
    write("create", folder / "created.txt", O_CREAT | O_EXCL);
    fs::create_directory(folder / "created", error);
    note("create folder", folder / "created", error);
  }

  // From the harmless to the final: what an earlier attempt spared, a later one takes.
  void spoil_file(const fs::path& file) {
    const fs::path elsewhere = file.string() + ".renamed";
    std::error_code error;
    write("append", file, O_APPEND);
    write("overwrite", file, 0);
    write("truncate", file, O_TRUNC);
    fs::permissions(file, fs::perms::all, error);
    note("chmod", file, error);
    fs::rename(file, elsewhere, error);
    note("rename", file, error);
    if (!fs::remove(error ? file : elsewhere, error) && !error)
      error = std::make_error_code(std::errc::no_such_file_or_directory);
    note("delete", file, error);
  }

  void write(const char* what, const fs::path& file, int flags) {
    constexpr char kScrawl[] = "was here";
    const int fd = open(file.c_str(), O_WRONLY | O_CLOEXEC | flags, 0644);
    const bool done = fd >= 0 && ::write(fd, kScrawl, sizeof kScrawl - 1) == sizeof kScrawl - 1;
    note(what, file, done ? std::error_code() : std::error_code(errno, std::generic_category()));
    if (fd >= 0) close(fd);
  }

  void note(const char* what, const fs::path& path, const std::error_code& error) {
    attempts_ << what << " " << path.string() << ": " << (error ? error.message() : "done") << std::endl;
  }

  trainyard::Run& run_;
  std::ofstream attempts_;
};

}  // namespace

TRAINYARD_PACKAGE(WritesEverywhere)
