// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/files/files.hpp"
#include "storage/values/result.hpp"

// A folder that keeps keys as files, seen from below: no link in it is followed, and every look opens the folders anew,
// for that makes an NFS client ask its server what is in them (nfs(5), "Close-to-open cache consistency").
namespace trainyard {

// Says that a folder is a remote. Where a disk is not mounted, its folder is there and this is not.
inline constexpr char kRemoteFileName[] = "trainyard-remote.json";
inline constexpr std::string_view kRemoteFileText = "{\"schema\":\"trainyard.remote/1\"}\n";

// Where the file of one key lies: an open folder and a name in it.
struct KeyPlace {
  UniqueFd folder;
  std::string name;
  Path shown;  // for errors
};

class KeyFolder {
 public:
  enum class Mark { asked_for, not_yet };
  explicit KeyFolder(Path root, Mark mark = Mark::asked_for) : root_(std::move(root)), mark_(mark) {}

  // `unavailable` when the folder is not there; `not_found` when it is no remote, where its mark is asked for.
  [[nodiscard]] Result<UniqueFd> open() const;

  enum class Missing { leave, make };
  // The place of a key. None where a folder on the way is missing and left so. A folder that is made is durable.
  [[nodiscard]] Result<std::optional<KeyPlace>> place(const std::string& key, Missing folders) const;
  // A folder by its key, "" being the root. The same.
  [[nodiscard]] Result<std::optional<UniqueFd>> folder(const std::string& key, Missing folders) const;

  // None where there is no such file. `corrupt` when it is no file.
  [[nodiscard]] Result<std::optional<UniqueFd>> open_file(const KeyPlace& place) const;

  [[nodiscard]] Error error(std::string_view action, const Path& shown, int error_number) const;
  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] std::string text() const { return "file://" + root_.string(); }

 private:
  [[nodiscard]] Result<std::optional<UniqueFd>> below(UniqueFd root, std::string_view key, Missing folders) const;

  Path root_;
  Mark mark_;
};

// A file in <root>/tmp that is being made; its name there is gone when this ends. It is called by its key, '+' standing
// for '/', and by host, process and chance: "digits+versions+1.4.json+host7+4242+<random>".
class FreshFile {
 public:
  static Result<FreshFile> make(const KeyFolder& at, const std::string& key);
  FreshFile(FreshFile&& other) noexcept = default;
  FreshFile& operator=(FreshFile&&) = delete;
  ~FreshFile();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const Path& shown() const { return shown_; }

  // Both need what was written to be synced, and sync the folder of the new name. `exists` when the place is taken.
  Result<void> name_once(const KeyPlace& place);
  Result<void> name_over(const KeyPlace& place);

 private:
  FreshFile(const KeyFolder& at, UniqueFd folder, UniqueFd fd, std::string name, Path shown)
      : at_(&at), folder_(std::move(folder)), fd_(std::move(fd)), name_(std::move(name)), shown_(std::move(shown)) {}

  const KeyFolder* at_;
  UniqueFd folder_;
  UniqueFd fd_;
  std::string name_;
  Path shown_;
};

// What the name of a fresh file begins with, for all keys that begin so.
std::string fresh_prefix(std::string_view key_prefix);
bool is_fresh_name(std::string_view name);

}  // namespace trainyard
