// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/folder_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "storage/remotes/key_name.hpp"

namespace trainyard {

namespace {

constexpr int kMostDepth = 32;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

struct Found {
  std::string name;
  struct stat status {};
};

bool begins_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// What is in an open folder under a name that `wanted` takes, in the order of the names; files and folders only.
Result<std::vector<Found>> read_names(const KeyFolder& at, const UniqueFd& folder, const Path& shown,
                                      const std::function<bool(std::string_view)>& wanted) {
  UniqueFd own(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
  const std::unique_ptr<DIR, CloseFolder> stream(own ? ::fdopendir(own.get()) : nullptr);
  if (!stream) return at.error("read the folder", shown, errno);
  static_cast<void>(own.release());
  std::vector<Found> found;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    if (!wanted(entry->d_name)) continue;
    Found each{entry->d_name, {}};
    if (::fstatat(folder.get(), entry->d_name, &each.status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return at.error("look at", shown / entry->d_name, errno);
    }
    if (S_ISREG(each.status.st_mode) || S_ISDIR(each.status.st_mode)) found.push_back(std::move(each));
  }
  if (errno != 0) return at.error("read the folder", shown, errno);
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
  return found;
}

Result<void> list_below(const KeyFolder& at, const UniqueFd& folder, const std::string& above, std::string_view prefix,
                        int depth, const std::function<Result<void>(const KeyEntry&)>& each) {
  if (depth > kMostDepth)
    return fail(Errc::corrupt, "'" + above + "' in " + at.text() + " lies deeper than any key does");
  const auto found = TRY(read_names(at, folder, at.root() / above, [&](std::string_view name) {
    return is_key_part(name) && !begins_with(name, ".nfs") && begins_with(name, prefix);
  }));
  for (const Found& one : found) {
    const std::string key = above + one.name;
    if (S_ISREG(one.status.st_mode)) {
      TRY(each({key, static_cast<std::uint64_t>(one.status.st_size), modified_at(one.status)}));
      continue;
    }
    const UniqueFd inner(::openat(folder.get(), one.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inner && errno == ENOENT) continue;
    if (!inner) return at.error("open the folder", at.root() / key, errno);
    TRY(list_below(at, inner, key + "/", "", depth + 1, each));
  }
  return {};
}

}  // namespace

Instant modified_at(const struct stat& status) {
  return {static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000 + status.st_mtim.tv_nsec / 1000};
}

Result<void> list_keys(const KeyFolder& folder, const std::string& prefix,
                       const std::function<Result<void>(const KeyEntry&)>& each) {
  const std::size_t slash = prefix.rfind('/');
  const std::string above = slash == std::string::npos ? "" : prefix.substr(0, slash);
  const auto start = TRY(folder.folder(above, KeyFolder::Missing::leave));
  if (!start) return {};
  const std::string_view rest = std::string_view(prefix).substr(slash == std::string::npos ? 0 : slash + 1);
  return list_below(folder, *start, above.empty() ? "" : above + "/", rest, 0, each);
}

Result<std::uint64_t> fresh_files(const KeyFolder& folder, const std::string& prefix, Instant before,
                                  KeyStore::Unfinished what) {
  const auto scratch = TRY(folder.folder("tmp", KeyFolder::Missing::leave));
  if (!scratch) return std::uint64_t{0};
  const Path shown = folder.root() / "tmp";
  const std::string begin = fresh_prefix(prefix);
  const auto found = TRY(read_names(
      folder, *scratch, shown, [&](std::string_view name) { return is_fresh_name(name) && begins_with(name, begin); }));
  std::uint64_t count = 0;
  for (const Found& one : found) {
    if (!S_ISREG(one.status.st_mode) || modified_at(one.status) >= before) continue;
    ++count;
    if (what == KeyStore::Unfinished::count) continue;
    if (::unlinkat(scratch->get(), one.name.c_str(), 0) != 0 && errno != ENOENT)
      return folder.error("remove", shown / one.name, errno);
  }
  return count;
}

}  // namespace trainyard
