// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/byte_difference.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace trainyard {

namespace {

// The bytes at a place of the file, as many as wanted or as there are.
Result<std::string_view> read_at(int fd, std::uint64_t place, std::size_t wanted, std::vector<char>& buffer,
                                 const Path& shown) {
  buffer.resize(std::max(buffer.size(), wanted));
  std::size_t read = 0;
  while (read < wanted) {
    const ssize_t some = ::pread(fd, buffer.data() + read, wanted - read, static_cast<off_t>(place + read));
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return system_error("read", shown, errno);
    if (some == 0) break;
    read += static_cast<std::size_t>(some);
  }
  return std::string_view(buffer.data(), read);
}

}  // namespace

Result<DifferentBytes> compare_bytes(const Digest& before, const Digest& after, const Store& store) {
  const Path scratch = scratch_name(store.scratch(), "compared");
  const UniqueFd fd = TRY(open_file(scratch, O_RDWR | O_CREAT | O_EXCL, 0600));
  // Nameless from now on, so that nothing is left whatever happens.
  TRY(remove_file(scratch));
  TRY(store.objects().copy_to(before, fd.get(), scratch));
  std::optional<std::uint64_t> first;
  std::uint64_t count = 0;
  std::uint64_t place = 0;
  std::vector<char> buffer;
  TRY(store.objects().stream(after, [&](std::string_view piece) -> Result<void> {
    const std::string_view other = TRY(read_at(fd.get(), place, piece.size(), buffer, scratch));
    for (std::size_t i = 0; i < other.size(); ++i) {
      if (piece[i] == other[i]) continue;
      if (!first) first = place + i;
      ++count;
    }
    if (!first && other.size() < piece.size()) first = place + other.size();
    place += piece.size();
    return {};
  }));
  return DifferentBytes{first.value_or(place), count};
}

}  // namespace trainyard
