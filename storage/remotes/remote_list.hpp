// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/remotes/remote_address.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"

namespace trainyard {

// What a store calls a remote: begins with a letter and goes on with letters, digits and '-', 63 characters at most.
class RemoteName {
 public:
  static Result<RemoteName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  friend auto operator<=>(const RemoteName&, const RemoteName&) = default;

 private:
  explicit RemoteName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// A remote that a store knows. Schema: schemas/known-remote.schema.json.
struct KnownRemote {
  RemoteName name;
  RemoteAddress address;
  enum class Approval { not_required, required } approval = Approval::not_required;  // of versions published to it
  Instant added_at;
  enum class Use { publishing, reading } use = Use::publishing;  // what this store does there

  friend bool operator==(const KnownRemote&, const KnownRemote&) = default;
};

std::string_view name_of(KnownRemote::Use use);  // "publishing", "reading"
Json to_json(const KnownRemote& remote);
Result<KnownRemote> known_remote_from(const Json& json);

// <store>/remotes/<name>.json, one file each, made once and never changed. No credentials are in it.
class RemoteList {
 public:
  // `folder` need not be there; `scratch` lies on the same file system.
  RemoteList(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // `exists` when there is one of that name.
  Result<void> add(const KnownRemote& remote) const;
  // Sorted by name. `corrupt` names a file that cannot be read.
  [[nodiscard]] Result<std::vector<KnownRemote>> list() const;
  // `not_found` names the nearest.
  [[nodiscard]] Result<KnownRemote> find(const std::string& name) const;
  Result<void> remove(const RemoteName& name) const;

 private:
  [[nodiscard]] Path file_of(const RemoteName& name) const { return folder_ / (name.text() + ".json"); }
  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
