// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/sparse_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace trainyard {

namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kProbe = SparseWriter::kHole / 2;  // any run of kHole has a whole one

bool is_zero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::size_t leading_zeros(std::string_view bytes) {
  std::size_t count = 0;
  while (count < bytes.size() && is_zero(bytes.substr(count, kBlock))) count += std::min(kBlock, bytes.size() - count);
  while (count < bytes.size() && bytes[count] == 0) ++count;
  return count;
}

// How many bytes come before the next run of zeros that may become a hole, alone or with what follows the piece.
std::size_t data_before_zeros(std::string_view bytes) {
  for (std::size_t at = 0; at + kProbe <= bytes.size(); at += kProbe) {
    if (!is_zero(bytes.substr(at, kProbe))) continue;
    std::size_t begin = at;
    while (begin > 0 && bytes[begin - 1] == 0) --begin;
    if (leading_zeros(bytes.substr(begin)) >= SparseWriter::kHole) return begin;
  }
  const std::size_t last = bytes.find_last_not_of('\0');
  return last == std::string_view::npos ? 0 : last + 1;
}

}  // namespace

Result<void> SparseWriter::write(std::string_view piece, const Path& shown) {
  while (!piece.empty()) {
    const std::size_t zeros = leading_zeros(piece);
    zeros_ += zeros;
    piece.remove_prefix(zeros);
    if (piece.empty()) break;
    static constexpr std::array<char, kHole> kZeros{};
    if (zeros_ >= kHole) {
      written_ += zeros_;
    } else if (zeros_ != 0) {
      TRY(write_data(std::string_view(kZeros.data(), zeros_), shown));
    }
    zeros_ = 0;
    const std::size_t data = data_before_zeros(piece);
    TRY(write_data(piece.substr(0, data), shown));
    piece.remove_prefix(data);
  }
  return {};
}

Result<void> SparseWriter::write_data(std::string_view data, const Path& shown) {
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(written_));
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error("write", shown, errno);
    }
    data.remove_prefix(static_cast<std::size_t>(written));
    written_ += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> SparseWriter::finish(const Path& shown) {
  if (zeros_ == 0) return {};
  if (::ftruncate(fd_, static_cast<off_t>(bytes())) != 0) return system_error("write", shown, errno);
  return {};
}

}  // namespace trainyard
