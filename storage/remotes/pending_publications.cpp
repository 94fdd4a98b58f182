// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/pending_publications.hpp"

#include <ctime>

#include "storage/values/limits.hpp"
#include "storage/values/named_enum.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPendingPublicationSchema = "trainyard.pending-publication/1";
constexpr std::string_view kPendingSuffix = ".json";
constexpr std::string_view kLockSuffix = ".lock";
// A lock without a record that is as old as this is that of a publisher who died between the two. A young one may be about to be
// taken.
constexpr std::time_t kForgottenAfter = 3600;
constexpr std::string_view kStates[] = {"claiming", "committing", "withdrawing"};

Result<PendingPublication::State> parse_state(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kStates); ++i) {
    if (kStates[i] == text) return static_cast<PendingPublication::State>(i);
  }
  return fail(Errc::invalid, "'" + std::string(text) + "' is no state of a publication");
}

Result<PendingPublication::Target> target_from(const Json& json) {
  Fields fields(json, "a target");
  PendingPublication::Target target{fields.text("name"), fields.text("address")};
  TRY(fields.finish());
  return target;
}

}  // namespace

Json to_json(const PendingPublication& pending) {
  Json targets = Json::array();
  for (const PendingPublication::Target& target : pending.targets)
    targets.push_back({{"name", target.name}, {"address", target.address}});
  return {{"schema", kPendingPublicationSchema}, {"publication", pending.publication},
          {"package", pending.package.text()},   {"version", pending.version.text()},
          {"record", pending.record.hex()},      {"manifest", to_json(pending.manifest)},
          {"targets", std::move(targets)},       {"state", kStates[static_cast<std::size_t>(pending.state)]},
          {"publisher", pending.publisher},      {"since", pending.since.text()}};
}

Result<PendingPublication> pending_publication_from(const Json& json) {
  Fields fields(json, "a pending publication");
  fields.schema(kPendingPublicationSchema);
  std::string publication = fields.text("publication");
  auto package = fields.parsed("package", PackageName::parse);
  const auto version = fields.parsed("version", PackageVersion::parse);
  const auto record = fields.parsed("record", Digest::parse);
  auto manifest = fields.nested("manifest", oci_descriptor_from);
  std::vector<PendingPublication::Target> targets;
  for (const Json& each : fields.array("targets")) {
    auto target = target_from(each);
    if (target.ok()) {
      targets.push_back(std::move(*target));
    } else {
      fields.note("targets", target.error().message);
    }
  }
  const auto state = fields.parsed("state", parse_state);
  std::string publisher = fields.text("publisher");
  const auto since = fields.parsed("since", Instant::parse);
  TRY(fields.finish());
  return PendingPublication{std::move(publication),
                            std::move(*package),
                            *version,
                            *record,
                            std::move(*manifest),
                            std::move(targets),
                            *state,
                            std::move(publisher),
                            *since};
}

Result<void> PendingPublications::Hold::write(const PendingPublication& pending) const {
  return replace_file(scratch_, file_, readable(to_json(pending)), 0644, Durable::yes);
}

Result<void> PendingPublications::Hold::finish() const {
  TRY(remove_file(file_));
  return remove_file(lock_file_);
}

Result<std::optional<PendingPublications::Hold>> PendingPublications::try_hold(const std::string& publication) const {
  const Path lock_file = folder_ / (publication + std::string(kLockSuffix));
  auto lock = TRY(FileLock::try_lock(lock_file));
  if (!lock) return std::optional<Hold>();
  return std::optional(
      Hold(folder_ / (publication + std::string(kPendingSuffix)), scratch_, lock_file, std::move(*lock)));
}

Result<PendingPublications::Hold> PendingPublications::begin(const std::string& publication) const {
  TRY(make_folders(folder_));
  auto hold = TRY(try_hold(publication));
  if (!hold) return fail(Errc::exists, "somebody goes on with the publication " + publication + " already");
  return std::move(*hold);
}

void PendingPublications::forget(const std::string& lock_name) const {
  const Path lock_file = folder_ / lock_name;
  const std::string publication = lock_name.substr(0, lock_name.size() - kLockSuffix.size());
  const auto status = status_of(lock_file);
  if (!status.ok() || !*status || (*status)->st_mtime > std::time(nullptr) - kForgottenAfter) return;
  const auto hold = try_hold(publication);
  if (!hold.ok() || !*hold || is_there(folder_ / (publication + std::string(kPendingSuffix)))) return;
  static_cast<void>(remove_file(lock_file));
}

Result<std::vector<std::pair<PendingPublication, PendingPublications::Hold>>> PendingPublications::left_behind() const {
  std::vector<std::pair<PendingPublication, Hold>> left;
  const auto names = list_folder(folder_);
  if (!names.ok() && names.error().code == Errc::not_found) return left;
  for (const std::string& name : TRY(names)) {
    if (name.ends_with(kLockSuffix)) forget(name);
    if (!name.ends_with(kPendingSuffix)) continue;
    auto hold = TRY(try_hold(name.substr(0, name.size() - kPendingSuffix.size())));
    if (!hold) continue;
    const Path file = folder_ / name;
    const auto text = read_file(file, limits::kRecordBytes);
    if (!text.ok() && text.error().code == Errc::not_found) continue;
    const auto json = parse_json(TRY(text), "a pending publication");
    auto pending = json.ok() ? pending_publication_from(*json) : json.error();
    if (!pending.ok()) {
      const Errc code = pending.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
      return fail(code, "'" + file.string() + "' cannot be read: " + pending.error().message);
    }
    left.emplace_back(std::move(*pending), std::move(*hold));
  }
  return left;
}

}  // namespace trainyard
