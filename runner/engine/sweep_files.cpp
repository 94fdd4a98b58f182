// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/sweep_files.hpp"

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSweepSuffix = ".json";
constexpr std::string_view kSweepLock = ".lock";

Result<Sweep> read_sweep(const Path& file) {
  const auto json = parse_json(TRY(read_file(file, limits::kRecordBytes)), "a sweep");
  auto sweep = json.ok() ? sweep_from(*json) : json.error();
  if (sweep.ok()) return sweep;
  const Errc code = sweep.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
  return fail(code, "'" + file.string() + "' cannot be read: " + sweep.error().message);
}

Result<std::vector<std::string>> sweep_names_in(const Path& folder) {
  std::vector<std::string> names;
  const auto files = list_folder(folder);
  if (!files.ok() && files.error().code == Errc::not_found) return names;
  for (const std::string& file : TRY(files)) {
    if (file.ends_with(kSweepSuffix)) names.push_back(file.substr(0, file.size() - kSweepSuffix.size()));
  }
  return names;
}

}  // namespace

Result<FileLock> SweepFiles::take(const RunName& name) const {
  TRY(make_folders(folder_));
  auto lock = TRY(FileLock::try_lock(folder_ / (name.text() + std::string(kSweepLock))));
  if (lock) return std::move(*lock);
  return fail(Errc::exists, "another process makes the runs of the sweep " + name.text() +
                                " right now; 'trainyard sweeps show " + name.text() + "' tells how far it is");
}

Result<void> SweepFiles::add(const Sweep& sweep) const {
  const std::string text = readable(to_json(sweep));
  if (text.size() > limits::kRecordBytes)
    return fail(Errc::invalid, "the parameters of the sweep have too many or too long values to be kept");
  TRY(make_folders(folder_));
  TRY(sync_folder(folder_.parent_path()));  // it may be the first
  auto added =
      publish_file(scratch_, folder_ / (sweep.name.text() + std::string(kSweepSuffix)), text, 0444, Durable::yes);
  if (added.ok() || added.error().code != Errc::exists) return added;
  return fail(Errc::exists, "there is a sweep " + sweep.name.text() + " already; 'trainyard sweep --resume " +
                                sweep.name.text() + "' goes on with it, and --experiment gives this one another name");
}

Result<std::vector<Sweep>> SweepFiles::list() const {
  std::vector<Sweep> sweeps;
  for (const std::string& name : TRY(sweep_names_in(folder_)))
    sweeps.push_back(TRY(read_sweep(folder_ / (name + std::string(kSweepSuffix)))));
  return sweeps;
}

Result<Sweep> SweepFiles::find(const std::string& name) const {
  const auto names = TRY(sweep_names_in(folder_));
  for (const std::string& known : names) {
    if (known == name) return read_sweep(folder_ / (name + std::string(kSweepSuffix)));
  }
  return fail(Errc::not_found, "there is no sweep '" + name + "'" + did_you_mean(name, names));
}

}  // namespace trainyard
