// SPDX-License-Identifier: Apache-2.0
#include "storage/store/store.hpp"

#include <algorithm>
#include <iterator>

#include "storage/values/json.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr const char* kFolders[] = {"objects", "packages", "snapshots", "datasets", "checkouts",
                                    "runs",    "active",   "cache",     "journal",  "tmp"};
// The journal's first line is signed with a key that is made for it.
constexpr const char* kKeysFolder = "keys";

Result<std::int64_t> read_format(const std::string& text, const std::string& what) {
  const Json json = TRY(parse_json(text, what));
  Fields fields(json, what);
  const std::int64_t format = fields.integer("format", 1, INT32_MAX);
  TRY(fields.finish());
  return format;
}

Result<void> check_format(const Path& root) {
  const auto text = read_file(root / "format", limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) {
    return fail(Errc::not_found,
                "'" + root.string() + "' is not a store; make one with 'trainyard init --store " + root.string() + "'");
  }
  if (!text.ok()) return text.error();
  const auto read = read_format(*text, "the file '" + (root / "format").string() + "'");
  if (!read.ok()) return fail(Errc::corrupt, read.error().message);
  const std::int64_t format = *read;
  if (format != Store::kFormat) {
    return fail(Errc::incompatible,
                "the store '" + root.string() + "' has format " + std::to_string(format) +
                    " but this Trainyard reads format " + std::to_string(Store::kFormat) +
                    (format > Store::kFormat ? "; use a newer Trainyard" : "; use the Trainyard that made it"));
  }
  return {};
}

// Holds nothing, or no more than what an interrupted `create` leaves: a store without its format.
Result<bool> can_become_store(const Path& root) {
  for (const std::string& name : TRY(list_folder(root))) {
    const bool ours =
        name == kKeysFolder || std::find(std::begin(kFolders), std::end(kFolders), name) != std::end(kFolders);
    if (!ours || !is_folder(root / name)) return false;
    for (const std::string& inner : TRY(list_folder(root / name))) {
      const bool unfinished = name == "journal" || (name == kKeysFolder && inner.starts_with("store.")) ||
                              (name == "tmp" && inner.starts_with("file-"));
      const bool empty =
          name == "objects" && is_folder(root / name / inner) && TRY(list_folder(root / name / inner)).empty();
      if (!unfinished && !empty) return false;
    }
  }
  return true;
}

}  // namespace

Result<void> Store::create(const Path& root, Instant now) {
  if (is_there(root / "format")) return fail(Errc::exists, "'" + root.string() + "' is a store already");
  TRY(make_folders(root));
  if (!TRY(can_become_store(root))) {
    return fail(Errc::invalid, "'" + root.string() + "' is not empty; a store needs a folder of its own");
  }
  for (const char* const name : kFolders) {
    const auto made = make_folder(root / name);
    if (!made.ok() && made.error().code != Errc::exists) return made.error();
  }
  TRY(PackObjects::create(root / "objects"));
  TRY(StoreJournal(root, root / "tmp").create(now));
  TRY(sync_folder(root));
  return publish_file(root / "tmp", root / "format", readable({{"format", kFormat}}), 0444, Durable::yes);
}

Result<Store> Store::open(const Path& root, PackObjects::DamagedIndex damaged) {
  const Path full = TRY(absolute_path(root));
  if (!is_utf8(full.string())) {
    return fail(Errc::invalid, "the path of the store '" + utf8_cleaned(full.string()) +
                                   "' is not UTF-8, so no record can hold it; move it");
  }
  TRY(check_format(full));
  Store store(full, TRY(PackObjects::open(full / "objects", full / "tmp", damaged)));
  // A store that cannot be written can be read all the same; whoever writes is told then.
  static_cast<void>(store.journal().finish_announced());
  return store;
}

Path Store::stat_cache_of(const Path& folder) const {
  return root_ / "cache" / (sha256(folder.string()).hex() + ".stat");
}

Path Store::bucket_cache_of(const std::string& address) const {
  return root_ / "cache" / (sha256(address).hex() + ".bucket");
}

Result<StoreConfig> Store::config() const {
  const Path path = root_ / "config.json";
  if (!is_there(path)) return StoreConfig();
  return store_config_from(TRY(parse_json(TRY(read_file(path, limits::kRecordBytes)), "'" + path.string() + "'")));
}

Result<void> Store::set_config(const StoreConfig& config) const {
  return replace_file(scratch(), root_ / "config.json", readable(to_json(config)), 0644, Durable::yes);
}

}  // namespace trainyard
