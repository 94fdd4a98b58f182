// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace trainyard {

namespace {

constexpr std::size_t kWriteWindow = std::size_t{4} << 20U;
constexpr std::size_t kAlignment = 4096;
// One or two being filled, one being written, and others for when the disk hesitates.
constexpr std::size_t kMostBuffers = 6;
constexpr std::size_t kThreads = 2;
constexpr std::size_t kAllocated = std::size_t{64} << 20U;

}  // namespace

void PackWriter::FreeBuffer::operator()(char* buffer) const { std::free(buffer); }

PackWriter::Buffer PackWriter::new_buffer() {
  auto* const bytes = static_cast<char*>(std::aligned_alloc(kAlignment, kWriteWindow));
  if (bytes == nullptr) throw std::bad_alloc();
  return Buffer(bytes);
}

Result<std::unique_ptr<PackWriter>> PackWriter::create(Path path) {
  UniqueFd reading = TRY(open_file(path, O_RDWR | O_CREAT | O_EXCL, 0444));
  // Not every file system can write past its cache.
  UniqueFd direct(::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
  if (!direct) direct = UniqueFd(::fcntl(reading.get(), F_DUPFD_CLOEXEC, 0));
  if (!direct) return system_error("open", path, errno);
  return std::unique_ptr<PackWriter>(new PackWriter(std::move(path), std::move(direct), std::move(reading)));
}

PackWriter::PackWriter(Path path, UniqueFd fd, UniqueFd reading)
    : path_(std::move(path)), fd_(std::move(fd)), reading_(std::move(reading)) {}

PackWriter::~PackWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  threads_.clear();
  if (!path_.empty()) static_cast<void>(remove_file(path_));
}

std::uint64_t PackWriter::size() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

Result<void> PackWriter::write_at(int fd, std::string_view bytes, std::uint64_t offset) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error("write", path_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
    // A short write past the cache leaves the rest misaligned.
    if (put % static_cast<ssize_t>(kAlignment) != 0) fd = reading_.get();
  }
  return {};
}

PackWriter::Window& PackWriter::window_at(std::uint64_t offset, std::unique_lock<std::mutex>& lock) {
  for (;;) {
    const std::size_t number = static_cast<std::size_t>((offset - written_) / kWriteWindow);
    if (number < windows_.size()) return windows_[number];
    if (spare_.empty() && buffers_ == kMostBuffers) {
      changed_.wait(lock);
      continue;
    }
    if (spare_.empty()) {
      spare_.push_back(new_buffer());
      ++buffers_;
    }
    windows_.push_back({std::move(spare_.back()), kWriteWindow});
    spare_.pop_back();
    if (windows_.size() > 1 && threads_.size() < kThreads) threads_.emplace_back([this] { write_full_windows(); });
  }
}

std::optional<std::size_t> PackWriter::full_window() const {
  for (std::size_t number = 0; number < windows_.size() && windows_[number].missing == 0; ++number) {
    if (windows_[number].state == Window::State::waiting) return number;
  }
  return std::nullopt;
}

void PackWriter::write_window(std::size_t number, std::unique_lock<std::mutex>& lock) {
  Window& window = windows_[number];
  window.state = Window::State::being_written;
  const std::uint64_t offset = written_ + number * kWriteWindow;
  const std::uint64_t allocated = allocated_;
  if (offset + kWriteWindow > allocated_) allocated_ = offset + kAllocated;
  lock.unlock();
  // Not every file system can, and a full disk will be noticed when there is something to write.
  if (offset + kWriteWindow > allocated)
    static_cast<void>(::fallocate(reading_.get(), 0, static_cast<off_t>(offset), kAllocated));
  auto done = write_at(fd_.get(), std::string_view(window.bytes.get(), kWriteWindow), offset);
  lock.lock();
  if (!done.ok() && !error_) error_ = std::move(done).error();
  window.state = Window::State::written;
}

void PackWriter::write_full_windows() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || full_window(); });
    const auto number = full_window();
    if (!number) return;
    if (error_) {
      windows_[*number].state = Window::State::written;
    } else {
      write_window(*number, lock);
    }
    while (!windows_.empty() && windows_.front().state == Window::State::written) {
      spare_.push_back(std::move(windows_.front().bytes));
      windows_.pop_front();
      written_ += kWriteWindow;
    }
    changed_.notify_all();
  }
}

Result<std::uint64_t> PackWriter::append(std::initializer_list<std::string_view> pieces) {
  std::unique_lock lock(mutex_);
  if (error_) return *error_;
  const std::uint64_t begin = end_;
  for (const std::string_view piece : pieces) end_ += piece.size();
  const std::uint64_t end = end_;
  auto piece = pieces.begin();
  std::string_view rest;
  // What is reserved is copied even after an error, for the window to become full.
  for (std::uint64_t at = begin; at < end;) {
    Window& window = window_at(at, lock);
    const std::size_t inside = static_cast<std::size_t>(at % kWriteWindow);
    const std::size_t room = static_cast<std::size_t>(std::min<std::uint64_t>(end - at, kWriteWindow - inside));
    lock.unlock();
    for (std::size_t copied = 0; copied < room;) {
      while (rest.empty()) rest = *piece++;
      const std::size_t part = std::min(rest.size(), room - copied);
      std::memcpy(window.bytes.get() + inside + copied, rest.data(), part);
      rest.remove_prefix(part);
      copied += part;
    }
    at += room;
    lock.lock();
    window.missing -= room;
    if (window.missing == 0) changed_.notify_all();
  }
  if (error_) return *error_;
  return begin;
}

Result<void> PackWriter::read_back(std::uint64_t offset, std::span<char> bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    if (offset + bytes.size() > end_) return fail(Errc::corrupt, "an object ends after its pack does");
    while (!bytes.empty() && offset + bytes.size() > written_) {
      // From the end, down to the window in which the first byte lies or to what is written already.
      const std::uint64_t last = offset + bytes.size() - 1;
      const std::uint64_t from = std::max({offset, last / kWriteWindow * kWriteWindow, written_});
      const std::size_t part = static_cast<std::size_t>(last + 1 - from);
      const Window& window = windows_[static_cast<std::size_t>((from - written_) / kWriteWindow)];
      std::memcpy(bytes.data() + (from - offset), window.bytes.get() + from % kWriteWindow, part);
      bytes = bytes.first(bytes.size() - part);
    }
  }
  while (!bytes.empty()) {
    const ssize_t got = ::pread(reading_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path_, errno);
    if (got == 0) return fail(Errc::corrupt, "'" + path_.string() + "' is shorter than what was written to it");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<void> PackWriter::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return end_ - written_ < kWriteWindow; });
  if (error_) return *error_;
  if (end_ > written_) {
    const std::string_view last(windows_.front().bytes.get(), static_cast<std::size_t>(end_ - written_));
    TRY(write_at(reading_.get(), last, written_));
  }
  // What was asked for and not needed.
  if (allocated_ > end_ && ::ftruncate(reading_.get(), static_cast<off_t>(end_)) != 0)
    return system_error("shorten", path_, errno);
  if (::fdatasync(reading_.get()) != 0) return system_error("sync", path_, errno);
  return {};
}

}  // namespace trainyard
