// SPDX-License-Identifier: Apache-2.0
#include "storage/datasets/datasets.hpp"

#include <algorithm>

#include "storage/values/limits.hpp"
#include "storage/values/names.hpp"
#include "storage/values/number.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kDatasetSchema = "trainyard.dataset/1";
constexpr std::string_view kSuffix = ".json";

// Of "3.json"; other files are none of ours.
std::optional<std::uint32_t> number_of(std::string_view file) {
  if (!file.ends_with(kSuffix) || file.starts_with('0')) return std::nullopt;
  file.remove_suffix(kSuffix.size());
  return number_in<std::uint32_t>(file);
}

// Ascending.
Result<std::vector<std::uint32_t>> numbers_in(const Path& folder) {
  std::vector<std::uint32_t> numbers;
  for (const std::string& file : TRY(list_folder(folder))) {
    if (const auto number = number_of(file)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Path record_of(const Path& folder, std::uint32_t number) {
  return folder / (std::to_string(number) + std::string(kSuffix));
}

Result<DatasetVersion> read_record(const Path& folder, std::uint32_t number) {
  const Path path = record_of(folder, number);
  const auto json = parse_json(TRY(read_file(path, limits::kRecordBytes)), "the dataset record");
  auto version = json.ok() ? dataset_version_from(*json) : Result<DatasetVersion>(json.error());
  if (!version.ok()) {
    const Errc code = version.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
    return fail(code, "the record '" + path.string() + "' cannot be read: " + version.error().message);
  }
  if (version->number != number || version->name.folded() != folder.filename().string())
    return fail(Errc::corrupt, "the record '" + path.string() + "' says that it is " + version->text());
  return version;
}

Result<void> same_name(const DatasetName& name, const DatasetVersion& newest) {
  if (newest.name == name) return {};
  return fail(Errc::exists, "the dataset '" + newest.name.text() + "' exists, and '" + name.text() +
                                "' differs from it only in upper and lower case; choose another name");
}

}  // namespace

Json to_json(const DatasetVersion& version) {
  return {{"schema", kDatasetSchema},
          {"name", version.name.text()},
          {"version", version.number},
          {"tree", to_json(version.tree)},
          {"created_at", version.created_at.text()},
          {"source", version.source}};
}

Result<DatasetVersion> dataset_version_from(const Json& json) {
  Fields fields(json, "the dataset record");
  fields.schema(kDatasetSchema);
  const auto name = fields.parsed("name", DatasetName::parse);
  const auto number = static_cast<std::uint32_t>(fields.integer("version", 1, UINT32_MAX));
  const auto tree = fields.nested("tree", tree_summary_from);
  const auto created_at = fields.parsed("created_at", Instant::parse);
  std::string source = fields.text("source");
  TRY(fields.finish());
  return DatasetVersion{*name, number, *tree, *created_at, std::move(source)};
}

Result<RelPath> Datasets::record_path(const DatasetName& name, std::uint32_t number) const {
  return RelPath::parse(folder_.filename().string() + "/" + name.folded() + "/" +
                        record_of(folder_of(name), number).filename().string());
}

Result<void> Datasets::check_name(const DatasetName& name) const {
  const auto found = numbers_in(folder_of(name));
  if (!found.ok() && found.error().code == Errc::not_found) return {};
  if (TRY(found).empty()) return {};
  return same_name(name, TRY(read_record(folder_of(name), found->back())));
}

Result<Datasets::Added> Datasets::add(const DatasetName& name, const TreeSummary& tree, Instant now,
                                      const std::string& source) const {
  const Path folder = folder_of(name);
  const auto made = make_folder(folder);
  if (!made.ok() && made.error().code != Errc::exists) return made.error();
  if (made.ok()) TRY(sync_folder(folder_));
  StoreJournal::Session session = TRY(journal_.begin());
  for (;;) {
    const auto found = TRY(numbers_in(folder));
    if (!found.empty()) {
      DatasetVersion newest = TRY(read_record(folder, found.back()));
      TRY(same_name(name, newest));
      if (newest.tree == tree) {
        // Its writer may have come no further than to give it its name.
        TRY(sync_folder(folder));
        return Added{std::move(newest), Added::How::as_newest_before};
      }
    }
    const DatasetVersion next{name, found.empty() ? 1 : found.back() + 1, tree, now, source};
    const std::string text = canonical(to_json(next)) + "\n";
    const RelPath path = TRY(record_path(name, next.number));
    const auto published =
        journal_.publish(session, {StoreEvent::Action::dataset_added, now, next.text(), path, sha256(text), text});
    if (published.ok()) return Added{next, Added::How::as_new_version};
    // Something is there under this number since a moment ago, and what is the newest has to be asked again.
    if (published.error().code != Errc::exists) return published.error();
  }
}

Result<std::vector<DatasetName>> Datasets::names() const {
  std::vector<DatasetName> names;
  for (const std::string& folder : TRY(list_folder(folder_))) {
    const auto found = TRY(numbers_in(folder_ / folder));
    if (!found.empty()) names.push_back(TRY(read_record(folder_ / folder, found.back())).name);
  }
  return names;
}

Result<std::vector<DatasetVersion>> Datasets::versions(const DatasetName& name) const {
  auto found = numbers_in(folder_of(name));
  if (!found.ok() && found.error().code != Errc::not_found) return found.error();
  if (!found.ok() || found->empty()) {
    std::vector<std::string> known;
    for (const DatasetName& other : TRY(names())) known.push_back(other.text());
    return fail(Errc::not_found, "there is no dataset '" + name.text() + "'" + did_you_mean(name.text(), known));
  }
  std::vector<DatasetVersion> versions;
  versions.reserve(found->size());
  for (const std::uint32_t number : *found) versions.push_back(TRY(read_record(folder_of(name), number)));
  return versions;
}

Result<DatasetVersion> Datasets::find(const DatasetReference& reference) const {
  if (reference.number) {
    auto version = read_record(folder_of(reference.name), *reference.number);
    if (version.ok() || version.error().code != Errc::not_found) return version;
  }
  auto all = TRY(versions(reference.name));
  if (!reference.number) return std::move(all.back());
  return fail(Errc::not_found, "dataset '" + reference.name.text() + "' has no version " +
                                   std::to_string(*reference.number) + "; its newest is " +
                                   std::to_string(all.back().number));
}

}  // namespace trainyard
