// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>

#include "storage/http/rate_limit.hpp"
#include "storage/remotes/key_folder.hpp"
#include "storage/remotes/key_store.hpp"

namespace trainyard {

// Keys as files below a folder, which many hosts may share:
//
//   <root>/trainyard-remote.json    {"schema":"trainyard.remote/1"}; written by the first `probe`
//   <root>/<key>                    the file of a key; 0444 less the umask
//   <root>/tmp/<key, '+' for '/'>+<host>+file-<pid>-<count>-<random>    one that is being written
//
// A file is written in tmp/, synced, and gets its name by link(2), which fails where the name is taken, or by rename(2)
// where it replaces another; then the folder is synced. Every method but `probe` refuses a folder without
// trainyard-remote.json, so that nobody publishes into the folder that a disk should be mounted on. Only `probe` makes the
// root, so it is for when the remote is added. No link below the root is followed; what is there and no key is left alone.
class FolderKeys final : public KeyStore {
 public:
  // The limit, of what is put and streamed, outlives this.
  FolderKeys(Path root, RateLimit& limit) : folder_(std::move(root)), limit_(limit) {}

  Result<void> create(const std::string& key, std::string_view bytes) override;
  Result<void> replace(const std::string& key, std::string_view bytes) override;
  // A file there of that size is taken for the content, since none gets its name before its digest was read back.
  Result<void> put(const std::string& key, const Path& file, std::uint64_t bytes, const Digest& digest,
                   const Moved& moved) override;
  Result<std::optional<std::uint64_t>> size(const std::string& key) override;
  Result<std::string> read(const std::string& key, std::size_t most) override;
  Result<void> stream(const std::string& key, const Sink& sink) override;
  Result<KeyEntry> stream_listed(const KeyEntry& listed, const Sink& sink) override;
  Result<void> list(const std::string& prefix, const std::function<Result<void>(const KeyEntry&)>& each) override;
  Result<void> remove(const std::string& key) override;
  Result<std::uint64_t> unfinished(const std::string& prefix, Instant before, Unfinished what) override;
  Result<void> probe() override;
  [[nodiscard]] std::string text() const override { return folder_.text(); }

 private:
  Result<void> read_file_of(const std::string& key, const std::function<bool(const struct stat&)>& still,
                            const Sink& sink);

  KeyFolder folder_;
  RateLimit& limit_;
};

}  // namespace trainyard
