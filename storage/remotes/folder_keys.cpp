// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/folder_keys.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "storage/remotes/file_copy.hpp"
#include "storage/remotes/folder_listing.hpp"
#include "storage/remotes/key_name.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kReadPiece = std::size_t{1} << 20U;

Result<FreshFile> fresh_file(const KeyFolder& folder, const std::string& key, std::string_view bytes) {
  FreshFile fresh = TRY(FreshFile::make(folder, key));
  if (const auto written = write_all(fresh.fd(), bytes, fresh.shown()); !written.ok()) {
    if (written.error().code == Errc::unavailable) return folder.error("write", fresh.shown(), ENOSPC);
    return written.error();
  }
  if (::fsync(fresh.fd()) != 0) return folder.error("sync", fresh.shown(), errno);
  return fresh;
}

}  // namespace

Result<void> FolderKeys::create(const std::string& key, std::string_view bytes) {
  TRY(check_key(key));
  const auto place = TRY(folder_.place(key, KeyFolder::Missing::make));
  FreshFile fresh = TRY(fresh_file(folder_, key, bytes));
  return fresh.name_once(*place);
}

Result<void> FolderKeys::replace(const std::string& key, std::string_view bytes) {
  TRY(check_key(key));
  const auto place = TRY(folder_.place(key, KeyFolder::Missing::make));
  FreshFile fresh = TRY(fresh_file(folder_, key, bytes));
  return fresh.name_over(*place);
}

Result<void> FolderKeys::put(const std::string& key, const Path& file, std::uint64_t bytes, const Digest& digest,
                             const Moved& moved) {
  const auto there = TRY(size(key));
  if (there == bytes) return {};
  if (there)
    return fail(Errc::corrupt, "'" + key + "' in " + text() + " has " + std::to_string(*there) + " bytes instead of " +
                                   std::to_string(bytes) + "; it was changed there; remove it and try again");
  const auto place = TRY(folder_.place(key, KeyFolder::Missing::make));
  FreshFile fresh = TRY(FreshFile::make(folder_, key));
  TRY(copy_file(file, bytes, folder_, fresh, limit_, moved));
  const Digest arrived = TRY(digest_of(fresh.fd(), fresh.shown()));
  if (arrived != digest)
    return fail(Errc::corrupt, "what arrived of '" + file.string() + "' as '" + key + "' in " + text() +
                                   " has the digest " + arrived.hex() + " instead of " + digest.hex() +
                                   "; the file is damaged or was changed meanwhile, and nothing was put there");
  const auto named = fresh.name_once(*place);
  if (!named.ok() && named.error().code == Errc::exists) return {};
  return named;
}

Result<std::optional<std::uint64_t>> FolderKeys::size(const std::string& key) {
  TRY(check_key(key));
  const auto place = TRY(folder_.place(key, KeyFolder::Missing::leave));
  if (!place) return std::optional<std::uint64_t>();
  const auto file = TRY(folder_.open_file(*place));
  if (!file) return std::optional<std::uint64_t>();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return folder_.error("look at", place->shown, errno);
  return std::optional(static_cast<std::uint64_t>(status.st_size));
}

Result<std::string> FolderKeys::read(const std::string& key, std::size_t most) {
  std::string all;
  TRY(stream(key, [&](std::string_view piece) -> Result<void> {
    if (piece.size() > most - all.size())
      return fail(Errc::invalid, "'" + key + "' in " + text() + " is longer than " + std::to_string(most) + " bytes");
    all += piece;
    return {};
  }));
  return all;
}

Result<void> FolderKeys::stream(const std::string& key, const Sink& sink) {
  return read_file_of(
      key, [](const struct stat&) { return true; }, sink);
}

Result<KeyEntry> FolderKeys::stream_listed(const KeyEntry& listed, const Sink& sink) {
  const auto still = [&](const struct stat& status) {
    return static_cast<std::uint64_t>(status.st_size) == listed.bytes && modified_at(status) == listed.modified;
  };
  const auto read = read_file_of(listed.key, still, sink);
  if (!read.ok() && read.error().code == Errc::not_found) return changed_key("'" + listed.key + "' in " + text());
  TRY(read);
  return listed;
}

// `still` looks at the file before and after it is read.
Result<void> FolderKeys::read_file_of(const std::string& key, const std::function<bool(const struct stat&)>& still,
                                      const Sink& sink) {
  TRY(check_key(key));
  const auto place = TRY(folder_.place(key, KeyFolder::Missing::leave));
  std::optional<UniqueFd> file;
  if (place) file = TRY(folder_.open_file(*place));
  if (!file) return fail(Errc::not_found, "there is no '" + key + "' in " + text());
  const auto look = [&](struct stat& status) -> Result<void> {
    if (::fstat(file->get(), &status) != 0) return folder_.error("look at", place->shown, errno);
    if (!still(status)) return changed_key("'" + place->shown.string() + "'");
    return {};
  };
  struct stat status {};
  TRY(look(status));
  const auto size = static_cast<std::size_t>(status.st_size);
  std::vector<std::byte> buffer(std::min({kReadPiece, size + 1, limit_.piece()}));
  for (;;) {
    const ssize_t got = ::read(file->get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return folder_.error("read", place->shown, errno);
    if (got == 0) return look(status);
    limit_.wait(static_cast<std::uint64_t>(got));
    TRY(sink(std::string_view(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(got))));
  }
}

Result<void> FolderKeys::list(const std::string& prefix, const std::function<Result<void>(const KeyEntry&)>& each) {
  TRY(check_key_prefix(prefix));
  return list_keys(folder_, prefix, each);
}

Result<void> FolderKeys::remove(const std::string& key) {
  TRY(check_key(key));
  const auto place = TRY(folder_.place(key, KeyFolder::Missing::leave));
  if (!place) return {};
  if (::unlinkat(place->folder.get(), place->name.c_str(), 0) != 0) {
    if (errno == ENOENT) return {};
    return folder_.error("remove", place->shown, errno);
  }
  if (::fsync(place->folder.get()) != 0) return folder_.error("sync", place->shown.parent_path(), errno);
  return {};
}

Result<std::uint64_t> FolderKeys::unfinished(const std::string& prefix, Instant before, Unfinished what) {
  TRY(check_key_prefix(prefix));
  return fresh_files(folder_, prefix, before, what);
}

Result<void> FolderKeys::probe() {
  TRY(make_folders(folder_.root()));
  const KeyFolder folder(folder_.root(), KeyFolder::Mark::not_yet);
  {
    FreshFile first = TRY(fresh_file(folder, "probe", "first"));
    FreshFile second = TRY(fresh_file(folder, "probe", "second"));
    auto scratch = TRY(folder.folder("tmp", KeyFolder::Missing::leave));
    if (!scratch) return folder.error("open the folder", folder.root() / "tmp", ENOENT);
    const std::string name = first.shown().filename().string() + "+probe";
    const KeyPlace place{std::move(*scratch), name, folder.root() / "tmp" / name};
    const auto one = first.name_once(place);
    const auto two = second.name_once(place);
    static_cast<void>(::unlinkat(place.folder.get(), name.c_str(), 0));
    TRY(one);
    if (two.ok())
      return fail(Errc::incompatible,
                  "the file system of " + text() +
                      " lets two create the same file, so two publishers could overwrite each other there");
    if (two.error().code != Errc::exists) return two.error();
  }
  const auto place = TRY(folder.place(kRemoteFileName, KeyFolder::Missing::leave));
  if (TRY(folder.open_file(*place))) return {};
  FreshFile mark = TRY(fresh_file(folder, kRemoteFileName, kRemoteFileText));
  const auto named = mark.name_once(*place);
  if (!named.ok() && named.error().code == Errc::exists) return {};
  return named;
}

}  // namespace trainyard
