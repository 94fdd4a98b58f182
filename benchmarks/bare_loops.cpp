// SPDX-License-Identifier: Apache-2.0
//
// What nobody who keeps a folder can avoid, each part alone and with nothing around it: looking at every entry, reading
// every byte, hashing every byte, writing the bytes once. benchmarks/snapshots.py measures it beside everything else.
//
//   bare_loops walk DIR [--threads N]      openat, getdents64, fstatat of every entry; one thread when not given
//   bare_loops read DIR [--threads N]      every byte of every file; 16 threads, for a cold disk is latency
//   bare_loops sha256 DIR [--threads N]    the same, and SHA-256 of each file; as many threads as cores
//   bare_loops pieces DIR [--threads N]    SHA-256 of each mebibyte instead, so that several threads share one file
//   bare_loops copy DIR FILE               every file's bytes, one after the other, into one new file; one thread
//
// Prints one JSON line: the seconds without the start of the process, and what was seen.
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace {

enum class Loop { walk, read, sha256, pieces, copy };

constexpr unsigned kThreadsForLatency = 16;
constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kEntriesBuffer = 64 * 1024;
// Files handed to a thread at once: few enough to keep all busy, many enough that the queue costs nothing.
constexpr std::size_t kBatch = 32;
constexpr std::int64_t kPiece = 1 << 20;
// A file is read by several threads in parts of this size.
constexpr std::int64_t kPart = 8 * kPiece;

[[noreturn]] void give_up(const std::string& what) {
  const char* why = std::strerror(errno);
  std::fprintf(stderr, "bare_loops: %s: %s\n", what.c_str(), why);
  std::exit(1);
}

struct OpenFile {
  explicit OpenFile(int opened) : fd(opened) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd); }
  const int fd;
};
using SharedFile = std::shared_ptr<const OpenFile>;

SharedFile open_at(int folder, const std::string& name, int flags) {
  const int fd = ::openat(folder, name.c_str(), flags | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) give_up(name);
  return std::make_shared<const OpenFile>(fd);
}

// One of: a folder to list (only `path`), files to read (`in`, `names`), a part of a file (`in`, `from`, `to`).
struct Task {
  std::string path;
  SharedFile in;
  std::vector<std::string> names;
  std::int64_t from = 0, to = 0;
};

// Last in, first out, so that the open folders stay few. Ends when every task taken is done and none is left.
class Tasks {
 public:
  void add(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    ++unfinished_;
    changed_.notify_one();
  }

  std::optional<Task> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !tasks_.empty() || unfinished_ == 0; });
    if (tasks_.empty()) return std::nullopt;
    Task task = std::move(tasks_.back());
    tasks_.pop_back();
    return task;
  }

  void done() {
    const std::lock_guard lock(mutex_);
    if (--unfinished_ == 0) changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::size_t unfinished_ = 0;
};

struct Seen {
  std::uint64_t files = 0, folders = 0, bytes = 0;
  // All digests, combined in any order: the same for every number of threads.
  std::array<unsigned char, 32> digests = {};
};

// One thread's share of the work.
class Worker {
 public:
  Worker(Loop loop, int root, Tasks& tasks, const EVP_MD* sha256, int copy_to)
      : loop_(loop), root_(root), tasks_(tasks), sha256_(sha256), copy_to_(copy_to), hash_(EVP_MD_CTX_new()) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { EVP_MD_CTX_free(hash_); }

  Seen run() {
    while (auto task = tasks_.take()) {
      if (!task->in) {
        list(task->path);
      } else if (task->names.empty()) {
        read_part(*task->in, task->from, task->to);
      } else {
        for (const auto& name : task->names) read_file(open_at(task->in->fd, name, 0));
      }
      tasks_.done();
    }
    return seen_;
  }

 private:
  void list(const std::string& path) {
    const SharedFile folder = open_at(root_, path, O_DIRECTORY);
    ++seen_.folders;
    std::vector<std::string> batch;
    const auto hand_out = [&] {
      if (!batch.empty()) tasks_.add({.path = {}, .in = folder, .names = std::exchange(batch, {})});
    };
    while (true) {
      const long got = ::syscall(SYS_getdents64, folder->fd, entries_.data(), entries_.size());
      if (got < 0) give_up(path);
      if (got == 0) break;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        const auto* entry = reinterpret_cast<const struct dirent64*>(entries_.data() + at);
        at += entry->d_reclen;
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        const unsigned char kind = loop_ == Loop::walk ? look_at(folder->fd, entry->d_name) : entry->d_type;
        if (kind == DT_DIR) {
          tasks_.add({.path = path + "/" + entry->d_name, .in = {}, .names = {}});
        } else if (kind == DT_REG && loop_ != Loop::walk) {
          batch.emplace_back(name);
          if (batch.size() == kBatch) hand_out();
        }
      }
    }
    hand_out();
  }

  unsigned char look_at(int folder, const char* name) {
    struct stat status = {};
    if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) give_up(name);
    if (S_ISDIR(status.st_mode)) return DT_DIR;
    ++seen_.files;
    seen_.bytes += static_cast<std::uint64_t>(status.st_size);
    return DT_REG;
  }

  void read_file(const SharedFile& file) {
    ++seen_.files;
    const bool in_parts = loop_ == Loop::read || loop_ == Loop::pieces;
    begin_hash();
    std::int64_t at = 0;
    while (true) {
      const auto got = read_at(*file, at, buffer_.size());
      at += static_cast<std::int64_t>(got);
      if (got < buffer_.size()) break;
      if (in_parts && at == kPiece) {
        hand_out_rest(file, at);
        break;
      }
    }
    end_hash();
  }

  void hand_out_rest(const SharedFile& file, std::int64_t from) {
    struct stat status = {};
    if (::fstat(file->fd, &status) != 0) give_up("a file");
    for (; from < status.st_size; from += kPart) {
      tasks_.add({.path = {}, .in = file, .names = {}, .from = from, .to = std::min(from + kPart, status.st_size)});
    }
  }

  void read_part(const OpenFile& file, std::int64_t from, std::int64_t to) {
    for (std::int64_t piece = from; piece < to; piece += kPiece) {
      begin_hash();
      const std::int64_t end = std::min(piece + kPiece, to);
      for (std::int64_t at = piece; at < end;) {
        const auto got = read_at(file, at, std::min(buffer_.size(), static_cast<std::size_t>(end - at)));
        if (got == 0) break;
        at += static_cast<std::int64_t>(got);
      }
      end_hash();
    }
  }

  std::size_t read_at(const OpenFile& file, std::int64_t at, std::size_t most) {
    const ssize_t got = ::pread(file.fd, buffer_.data(), most, at);
    if (got < 0) give_up("a file");
    const auto bytes = static_cast<std::size_t>(got);
    seen_.bytes += bytes;
    if (hashes() && EVP_DigestUpdate(hash_, buffer_.data(), bytes) != 1) give_up("SHA-256");
    if (loop_ == Loop::copy && ::write(copy_to_, buffer_.data(), bytes) != got) give_up("the copy");
    return bytes;
  }

  [[nodiscard]] bool hashes() const { return loop_ == Loop::sha256 || loop_ == Loop::pieces; }

  void begin_hash() {
    if (hashes() && EVP_DigestInit_ex2(hash_, sha256_, nullptr) != 1) give_up("SHA-256");
  }

  void end_hash() {
    if (!hashes()) return;
    std::array<unsigned char, 32> digest = {};
    if (EVP_DigestFinal_ex(hash_, digest.data(), nullptr) != 1) give_up("SHA-256");
    for (std::size_t i = 0; i < digest.size(); ++i) seen_.digests[i] ^= digest[i];
  }

  const Loop loop_;
  const int root_;
  Tasks& tasks_;
  const EVP_MD* const sha256_;
  const int copy_to_;
  EVP_MD_CTX* const hash_;
  std::vector<char> buffer_ = std::vector<char>(kBuffer);
  std::vector<char> entries_ = std::vector<char>(kEntriesBuffer);
  Seen seen_;
};

Seen run(Loop loop, const std::string& folder, unsigned threads, int copy_to) {
  EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const SharedFile root = open_at(AT_FDCWD, folder, O_DIRECTORY);
  Tasks tasks;
  tasks.add({.path = ".", .in = {}, .names = {}});

  std::vector<Seen> seen(threads);
  const auto work = [&](unsigned which) { seen[which] = Worker(loop, root->fd, tasks, sha256, copy_to).run(); };
  std::vector<std::thread> others;
  for (unsigned which = 1; which < threads; ++which) others.emplace_back(work, which);
  work(0);
  for (auto& other : others) other.join();
  EVP_MD_free(sha256);

  Seen all;
  for (const auto& one : seen) {
    all.files += one.files;
    all.folders += one.folders;
    all.bytes += one.bytes;
    for (std::size_t i = 0; i < all.digests.size(); ++i) all.digests[i] ^= one.digests[i];
  }
  return all;
}

[[noreturn]] void wrong_usage() {
  std::fputs("usage: bare_loops walk|read|sha256|pieces DIR [--threads N]\n       bare_loops copy DIR FILE\n", stderr);
  std::exit(2);
}

Loop loop_named(std::string_view name) {
  if (name == "walk") return Loop::walk;
  if (name == "read") return Loop::read;
  if (name == "sha256") return Loop::sha256;
  if (name == "pieces") return Loop::pieces;
  if (name == "copy") return Loop::copy;
  wrong_usage();
}

unsigned usual_threads(Loop loop) {
  if (loop == Loop::walk || loop == Loop::copy) return 1;
  if (loop == Loop::read) return kThreadsForLatency;
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2) wrong_usage();
  const Loop loop = loop_named(arguments[0]);
  unsigned threads = usual_threads(loop);
  int copy_to = -1;
  if (loop == Loop::copy) {
    if (arguments.size() != 3) wrong_usage();
    copy_to = ::open(arguments[2].c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (copy_to < 0) give_up(arguments[2]);
  } else if (arguments.size() == 4 && arguments[2] == "--threads") {
    threads = static_cast<unsigned>(std::strtoul(arguments[3].c_str(), nullptr, 10));
    if (threads == 0 || threads > 1024) wrong_usage();
  } else if (arguments.size() != 2) {
    wrong_usage();
  }

  const auto begin = std::chrono::steady_clock::now();
  const Seen seen = run(loop, arguments[1], threads, copy_to);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("{\"seconds\": %.6f, \"threads\": %u, \"files\": %ju, \"folders\": %ju, \"bytes\": %ju, \"digests\": \"",
              took.count(), threads, std::uintmax_t{seen.files}, std::uintmax_t{seen.folders},
              std::uintmax_t{seen.bytes});
  for (const auto byte : seen.digests) std::printf("%02x", byte);
  std::puts("\"}");
  return 0;
}
