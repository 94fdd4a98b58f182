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

constexpr std::size_t kBuffer = std::size_t{4} << 20U;
constexpr std::size_t kAlignment = 4096;
// One being filled, one being written, and two for when the disk hesitates.
constexpr std::size_t kMostBuffers = 4;

}  // namespace

void PackWriter::FreeBuffer::operator()(char* buffer) const { std::free(buffer); }

PackWriter::Buffer PackWriter::new_buffer() {
  auto* const bytes = static_cast<char*>(std::aligned_alloc(kAlignment, kBuffer));
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
    : path_(std::move(path)), fd_(std::move(fd)), reading_(std::move(reading)), current_(new_buffer()) {}

PackWriter::~PackWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (!path_.empty()) static_cast<void>(remove_file(path_));
}

std::uint64_t PackWriter::size() const {
  const std::lock_guard lock(mutex_);
  return offset_ + filled_;
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

void PackWriter::turn_over() {
  full_.push_back({std::move(current_), offset_});
  offset_ += kBuffer;
  filled_ = 0;
  if (!thread_.joinable()) thread_ = std::jthread([this] { write_full_buffers(); });
  changed_.notify_all();
}

void PackWriter::write_full_buffers() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !full_.empty(); });
    if (full_.empty()) return;
    const Full& full = full_.front();
    const std::string_view bytes(full.bytes.get(), kBuffer);
    const std::uint64_t offset = full.offset;
    auto written = error_ ? Result<void>() : [&] {
      lock.unlock();
      auto result = write_at(fd_.get(), bytes, offset);
      lock.lock();
      return result;
    }();
    if (!written.ok() && !error_) error_ = std::move(written).error();
    spare_.push_back(std::move(full_.front().bytes));
    full_.pop_front();
    changed_.notify_all();
  }
}

Result<std::uint64_t> PackWriter::append(std::initializer_list<std::string_view> pieces) {
  // Waiting for a buffer gives mutex_ away; what one call appends stays together all the same.
  const std::lock_guard one_at_a_time(appending_);
  std::unique_lock lock(mutex_);
  const std::uint64_t begin = offset_ + filled_;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      if (error_) return *error_;
      const std::size_t part = std::min(piece.size(), kBuffer - filled_);
      std::memcpy(current_.get() + filled_, piece.data(), part);
      filled_ += part;
      piece.remove_prefix(part);
      if (filled_ < kBuffer) continue;
      turn_over();
      if (spare_.empty() && buffers_ < kMostBuffers) {
        spare_.push_back(new_buffer());
        ++buffers_;
      }
      changed_.wait(lock, [this] { return !spare_.empty(); });
      current_ = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  return begin;
}

Result<void> PackWriter::read_back(std::uint64_t offset, std::span<char> bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return full_.empty() && current_ != nullptr; });
  if (error_) return *error_;
  if (offset + bytes.size() > offset_ + filled_) return fail(Errc::corrupt, "an object ends after its pack does");
  if (offset + bytes.size() > offset_) {
    const std::uint64_t from = std::max(offset, offset_);
    const std::size_t part = static_cast<std::size_t>(offset + bytes.size() - from);
    std::memcpy(bytes.data() + bytes.size() - part, current_.get() + (from - offset_), part);
    bytes = bytes.first(bytes.size() - part);
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
  changed_.wait(lock, [this] { return full_.empty() && current_ != nullptr; });
  if (error_) return *error_;
  TRY(write_at(reading_.get(), std::string_view(current_.get(), filled_), offset_));
  if (::fdatasync(reading_.get()) != 0) return system_error("sync", path_, errno);
  return {};
}

}  // namespace trainyard
