// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/pack_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "storage/objects/block_codec.hpp"
#include "storage/objects/pack_format.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kOpenFiles = 256;
constexpr std::string_view kPackSuffix = ".pack";

}  // namespace

Result<std::shared_ptr<const UniqueFd>> PackFiles::open(const PackId& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = open_.find(id); found != open_.end()) return found->second;
  if (open_.size() >= kOpenFiles) open_.clear();
  auto fd = std::make_shared<const UniqueFd>(TRY(open_file(path_of(id), O_RDONLY)));
  open_.emplace(id, fd);
  return fd;
}

Result<void> PackFiles::read(const PackId& id, std::uint64_t offset, std::span<char> bytes) {
  const auto fd = TRY(open(id));
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd->get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path_of(id), errno);
    if (got == 0) return fail(Errc::corrupt, "the pack '" + path_of(id).string() + "' is shorter than its index says");
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

void PackFiles::expect(const PackId& id, std::uint64_t offset, std::uint64_t bytes) {
  const auto fd = open(id);
  if (!fd.ok()) return;
  ::posix_fadvise((*fd)->get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

void PackFiles::forget(const PackId& id) {
  const std::lock_guard lock(mutex_);
  open_.erase(id);
}

Result<std::vector<PackId>> PackFiles::list() const {
  std::vector<PackId> packs;
  for (const std::string& name : TRY(list_folder(folder_))) {
    if (!name.ends_with(kPackSuffix)) continue;
    const auto id = parse_pack_id(std::string_view(name).substr(0, name.size() - kPackSuffix.size()));
    if (id) packs.push_back(*id);
  }
  return packs;
}

Result<std::string_view> raw_bytes_of(std::string_view record, Room& room, const Path& shown) {
  using namespace pack_format;
  const auto header = read_header(record);
  if (!header.ok()) return within("the pack '" + shown.string() + "'", header.error());
  if (record.size() != header->record_bytes())
    return fail(Errc::corrupt, "the pack '" + shown.string() + "' has a record of another length than its index says");
  const std::string_view payload = record.substr(record.size() - header->payload_bytes);
  if (header->coding == Coding::none) return payload;
  const std::span<char> raw = room.of(header->raw_bytes);
  const auto done = decompress_block(payload, raw.data(), raw.size());
  if (!done.ok()) return within("the pack '" + shown.string() + "'", done.error());
  return std::string_view(raw.data(), raw.size());
}

}  // namespace trainyard
