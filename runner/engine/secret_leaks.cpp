// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/secret_leaks.hpp"

#include <fcntl.h>

#include <boost/filesystem/operations.hpp>
#include <optional>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

namespace bfs = boost::filesystem;

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

Result<std::optional<std::string>> secret_in(const Path& file, const SecretForms& secrets) {
  const UniqueFd fd = TRY(open_file(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::vector<std::byte> piece(kPieceBytes);
  SecretSearch search(secrets);
  for (;;) {
    const std::size_t got = TRY(read_some(fd.get(), piece, file));
    if (auto found = search.feed({reinterpret_cast<const char*>(piece.data()), got})) return found;
    if (got < piece.size()) return std::optional<std::string>();
  }
}

}  // namespace

Result<std::vector<SecretLeak>> find_leaks(const Path& folder, const SecretForms& secrets,
                                           const std::function<bool(const RelPath&)>& wanted) {
  std::vector<SecretLeak> leaks;
  boost::system::error_code error;
  bfs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != bfs::recursive_directory_iterator(); entry.increment(error)) {
    const Path& file = entry->path();
    const std::string inner = file.lexically_relative(folder).string();
    const auto path = RelPath::parse(inner);
    if (path.ok() && !wanted(*path)) continue;
    const auto note = [&](std::string_view secret) {
      leaks.push_back({file, utf8_cleaned(secrets.redacted(inner)), std::string(secret)});
    };
    const auto status = TRY(status_of(file));
    if (const auto found = secrets.find(inner)) {
      note(found->name);
    } else if (status && S_ISLNK(status->st_mode)) {
      const std::string target = bfs::read_symlink(file, error).string();
      if (const auto in_target = secrets.find(target)) note(in_target->name);
    } else if (status && S_ISREG(status->st_mode)) {
      if (const auto inside = TRY(secret_in(file, secrets))) note(*inside);
    }
  }
  if (error) return system_error("search", folder, error.value());
  return leaks;
}

Result<std::vector<SecretLeak>> remove_leaks(const Path& folder, const SecretForms& secrets) {
  if (!is_there(folder)) return std::vector<SecretLeak>();
  auto leaks = TRY(find_leaks(folder, secrets, [](const RelPath&) { return true; }));
  // A folder's name may be one of them, and what is in it too.
  for (const SecretLeak& leak : leaks) TRY(remove_tree(leak.file));
  return leaks;
}

}  // namespace trainyard
