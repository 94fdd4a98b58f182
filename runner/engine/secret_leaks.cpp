// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/secret_leaks.hpp"

#include <fcntl.h>

#include <boost/filesystem/operations.hpp>
#include <optional>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

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

// One walk. What cannot be read is taken for a leak: nobody can say that it is none.
class LeakSearch {
 public:
  LeakSearch(const SecretForms& secrets, const std::function<bool(const RelPath&)>& wanted)
      : secrets_(secrets), wanted_(wanted) {}

  void search(const Path& folder, const std::string& inner) {
    const auto names = list_folder(folder);
    if (!names.ok()) return note(folder, inner, "");
    for (const std::string& name : *names) look(folder / name, inner.empty() ? name : inner + "/" + name);
  }

  std::vector<SecretLeak> leaks;

 private:
  void note(const Path& file, const std::string& inner, std::string_view secret) {
    leaks.push_back({file, utf8_cleaned(secrets_.redacted(inner)), std::string(secret)});
  }

  void look(const Path& file, const std::string& inner) {
    const auto path = RelPath::parse(inner);
    if (path.ok() && !wanted_(*path)) return;
    const auto status = status_of(file);
    const mode_t mode = status.ok() && *status ? (*status)->st_mode : 0;
    if (const auto found = secrets_.find(inner)) return note(file, inner, found->name);
    if (S_ISDIR(mode)) return search(file, inner);
    if (S_ISLNK(mode)) {
      boost::system::error_code error;
      const std::string target = boost::filesystem::read_symlink(file, error).string();
      const auto found = secrets_.find(target);
      if (error || found) note(file, inner, found ? found->name : "");
    } else if (S_ISREG(mode)) {
      const auto found = secret_in(file, secrets_);
      if (!found.ok() || *found) note(file, inner, found.ok() ? **found : "");
    }
  }

  const SecretForms& secrets_;
  const std::function<bool(const RelPath&)>& wanted_;
};

}  // namespace

std::string SecretLeak::why() const {
  return secret.empty() ? "it cannot be searched for secrets" : "the secret " + secret + " is in it";
}

std::vector<SecretLeak> find_leaks(const Path& folder, const SecretForms& secrets,
                                   const std::function<bool(const RelPath&)>& wanted) {
  LeakSearch search(secrets, wanted);
  search.search(folder, "");
  return std::move(search.leaks);
}

Result<std::vector<SecretLeak>> remove_leaks(const Path& folder, const SecretForms& secrets) {
  if (!is_there(folder)) return std::vector<SecretLeak>();
  auto leaks = find_leaks(folder, secrets, [](const RelPath&) { return true; });
  // A folder's name may be one of them, and what is in it too.
  for (const SecretLeak& leak : leaks) TRY(remove_tree(leak.file));
  return leaks;
}

}  // namespace trainyard
