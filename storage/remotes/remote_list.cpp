// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/remote_list.hpp"

#include <algorithm>

#include "storage/values/limits.hpp"
#include "storage/values/named_enum.hpp"
#include "storage/values/names.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kKnownRemoteSchema = "trainyard.known-remote/1";
constexpr std::string_view kUses[] = {"publishing", "reading"};
constexpr std::string_view kRemoteSuffix = ".json";
constexpr std::size_t kMostName = 63;

Result<KnownRemote> read_remote(const Path& file) {
  const auto json = parse_json(TRY(read_file(file, limits::kRecordBytes)), "a remote");
  auto remote = json.ok() ? known_remote_from(*json) : json.error();
  if (remote.ok()) return remote;
  const Errc code = remote.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
  return fail(code, "'" + file.string() + "' cannot be read: " + remote.error().message);
}

}  // namespace

Result<RemoteName> RemoteName::parse(std::string_view text) {
  const bool right = !text.empty() && text.size() <= kMostName && is_ascii_letter(text.front()) &&
                     std::all_of(text.begin(), text.end(),
                                 [](char c) { return is_ascii_letter(c) || (c >= '0' && c <= '9') || c == '-'; });
  if (right) return RemoteName(std::string(text));
  return fail(Errc::invalid,
              "'" + std::string(text) +
                  "' is no name for a remote; it begins with a letter and goes on with letters, digits and "
                  "'-', 63 characters at most");
}

std::string_view name_of(KnownRemote::Use use) { return kUses[static_cast<std::size_t>(use)]; }

Json to_json(const KnownRemote& remote) {
  return {{"schema", kKnownRemoteSchema},
          {"name", remote.name.text()},
          {"address", remote.address.text()},
          {"approval", remote.approval == KnownRemote::Approval::required ? "required" : "not_required"},
          {"added_at", remote.added_at.text()},
          {"use", name_of(remote.use)}};
}

Result<KnownRemote> known_remote_from(const Json& json) {
  Fields fields(json, "a remote");
  fields.schema(kKnownRemoteSchema);
  auto name = fields.parsed("name", RemoteName::parse);
  auto address = fields.parsed("address", RemoteAddress::parse);
  const std::string approval = fields.text("approval");
  if (approval != "required" && approval != "not_required") fields.note("approval", "is 'required' or 'not_required'");
  const auto added = fields.parsed("added_at", Instant::parse);
  std::optional<KnownRemote::Use> use = KnownRemote::Use::publishing;
  if (fields.has("use")) use = enum_named<KnownRemote::Use>(kUses, fields.text("use"));
  if (!use) fields.note("use", "is 'publishing' or 'reading'");
  TRY(fields.finish());
  return KnownRemote{std::move(*name), std::move(*address),
                     approval == "required" ? KnownRemote::Approval::required : KnownRemote::Approval::not_required,
                     *added, *use};
}

Result<void> RemoteList::add(const KnownRemote& remote) const {
  TRY(make_folders(folder_));
  auto added = publish_file(scratch_, file_of(remote.name), readable(to_json(remote)), 0444, Durable::yes);
  if (added.ok() || added.error().code != Errc::exists) return added;
  return fail(Errc::exists, "there is a remote '" + remote.name.text() +
                                "' already; 'trainyard remote list' tells where, and "
                                "'trainyard remote remove' forgets it");
}

Result<std::vector<KnownRemote>> RemoteList::list() const {
  std::vector<KnownRemote> remotes;
  const auto files = list_folder(folder_);
  if (!files.ok() && files.error().code == Errc::not_found) return remotes;
  for (const std::string& file : TRY(files)) {
    if (file.ends_with(kRemoteSuffix)) remotes.push_back(TRY(read_remote(folder_ / file)));
  }
  return remotes;
}

Result<KnownRemote> RemoteList::find(const std::string& name) const {
  std::vector<std::string> names;
  for (KnownRemote& remote : TRY(list())) {
    if (remote.name.text() == name) return std::move(remote);
    names.push_back(remote.name.text());
  }
  return fail(Errc::not_found, "this store knows no remote '" + name + "'" + did_you_mean(name, names) +
                                   "; 'trainyard remote add " + (name.empty() ? "NAME" : name) +
                                   " URL' makes one known");
}

Result<void> RemoteList::remove(const RemoteName& name) const {
  TRY(find(name.text()));
  TRY(remove_file(file_of(name)));
  return sync_folder(folder_);
}

}  // namespace trainyard
