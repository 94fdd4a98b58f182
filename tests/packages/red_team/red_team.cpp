// SPDX-License-Identifier: Apache-2.0
// Makes every attempt, and writes what came of them to artifacts/attempts.tsv: the name, "done" or "kept", and why. Or, as
// `bomb` says, takes too much of one thing.
#include <trainyard/package.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "attempts.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMebibyte = std::size_t{1} << 20U;

// No bomb takes more than this, should nothing stop it.
constexpr int kMost = 2048;

[[noreturn]] void wait_for_the_end() {
  for (int i = 0; i < 60; ++i) ::sleep(1);
  ::_exit(0);
}

void take_memory(std::size_t mebibytes) {
  for (std::size_t i = 0; i < mebibytes; ++i) {
    void* const piece = ::mmap(nullptr, kMebibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) throw std::bad_alloc();
    std::memset(piece, 1, kMebibyte);
    if (i % 16 == 0) ::usleep(5000);
  }
}

void take_memory_in_children() {
  for (int i = 0; i < 16; ++i) {
    if (::fork() != 0) continue;
    try {
      take_memory(kMost / 32);
    } catch (...) {
    }
    wait_for_the_end();
  }
  wait_for_the_end();
}

void take_shared_memory() {
  const int file = ::shm_open("/red-team", O_RDWR | O_CREAT, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(kMost * kMebibyte)) != 0) throw std::bad_alloc();
  ::shm_unlink("/red-team");
  for (std::size_t i = 0; i < kMost; ++i) {
    const std::vector<char> bytes(kMebibyte, 'x');
    if (::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(i * kMebibyte)) < 0) throw std::bad_alloc();
    if (i % 16 == 0) ::usleep(5000);
  }
  wait_for_the_end();
}

void take_processes() {
  for (int i = 0; i < 400; ++i) {
    if (::fork() == 0) wait_for_the_end();
  }
  wait_for_the_end();
}

void take_open_files() {
  for (int i = 0; i < kMost; ++i) static_cast<void>(!::dup(1));
  wait_for_the_end();
}

void fill(const fs::path& folder, int files, std::size_t mebibytes) {
  const std::string bytes(kMebibyte, 'x');
  for (int i = 0; i < files; ++i) {
    std::ofstream file(folder / ("fill" + std::to_string(i)), std::ios::binary);
    for (std::size_t written = 0; written < mebibytes; ++written) file << bytes;
    file.flush();
  }
}

class RedTeam {
 public:
  explicit RedTeam(trainyard::Run& run) : run_(run) {}

  void train(const fs::path& data) {
    const auto bomb = run_.parameter<std::string>("bomb", "none");
    const fs::path artifacts = run_.artifacts_directory();
    if (bomb == "memory") take_memory(kMost);
    if (bomb == "memory of many") take_memory_in_children();
    if (bomb == "shared memory") take_shared_memory();
    if (bomb == "processes") take_processes();
    if (bomb == "files") take_open_files();
    if (bomb == "disk") fill(artifacts, kMost / 16, 16);
    if (bomb == "many files") fill(artifacts, 200'000, 0);
    if (bomb == "layer") fill(data, kMost / 16, 16);
    if (bomb == "log") {
      const std::string line(4095, 'x');
      for (int i = 0; i < 1 << 18; ++i) std::puts(line.c_str());
    }
    if (bomb == "events") {
      const std::string line(4000, 'x');
      for (int i = 0; i < 1 << 18; ++i) run_.info(line);
    }
    if (bomb == "symlink") fs::create_symlink("/etc/passwd", artifacts / "passwd");
    if (bomb == "climbs") fs::create_symlink("../../../..", run_.package_directory() / "above");
    if (bomb == "elsewhere") {
      fs::remove_all(artifacts);
      fs::create_directory_symlink(std::getenv("elsewhere"), artifacts);
    }
    if (bomb == "results") std::ofstream(artifacts / "_results.json") << "{\"forged\": true}";
    if (bomb == "none") attempt(artifacts);
  }

  void save() {}

 private:
  void attempt(const fs::path& artifacts) const {
    const fs::path own_run = run_.package_directory().parent_path().parent_path();
    std::ofstream table(artifacts / "attempts.tsv");
    for (const red_team::Attempt& attempt : red_team::attempts(own_run)) {
      std::string why;
      try {
        attempt.act();
      } catch (const std::exception& error) {
        why = error.what();
      }
      table << attempt.name << '\t' << (why.empty() ? "done" : "kept") << '\t' << why << '\n';
    }
  }

  trainyard::Run& run_;
};

}  // namespace

TRAINYARD_PACKAGE(RedTeam)
