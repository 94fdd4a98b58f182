// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/registry.hpp"

#include <algorithm>

#include "storage/values/limits.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSuffix = ".json";

// The number after the highest: of `major` when given, else of the next major.
PackageVersion number_after(const std::vector<PackageVersion>& numbers, std::optional<std::uint32_t> major) {
  if (!major) return numbers.empty() ? PackageVersion{1, 0} : PackageVersion{numbers.back().major + 1, 0};
  PackageVersion highest{*major, 0};
  for (const PackageVersion& number : numbers) {
    if (number.major == *major) highest.minor = std::max(highest.minor, number.minor);
  }
  return {highest.major, highest.minor + 1};
}

Result<std::vector<PackageVersion>> numbers_in(const Path& folder) {
  std::vector<PackageVersion> numbers;
  for (const std::string& file : TRY(list_folder(folder))) {
    if (!file.ends_with(kSuffix)) continue;
    auto number = PackageVersion::parse(std::string_view(file).substr(0, file.size() - kSuffix.size()));
    if (number.ok()) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<VersionRecord> read_record(const Path& folder, const PackageVersion& version) {
  const Path path = folder / (version.text() + std::string(kSuffix));
  auto record = VersionRecord::parse(TRY(read_file(path, limits::kRecordBytes)));
  if (!record.ok()) {
    const Errc code = record.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
    return fail(code, "the record '" + path.string() + "' cannot be read: " + record.error().message);
  }
  if (record->version != version)
    return fail(Errc::corrupt, "the record '" + path.string() + "' says that it is version " + record->version.text());
  return record;
}

}  // namespace

Result<std::vector<PackageName>> PackageRegistry::names() const {
  std::vector<PackageName> names;
  for (const std::string& folder : TRY(list_folder(packages_))) {
    const auto found = TRY(numbers_in(packages_ / folder));
    if (!found.empty()) names.push_back(TRY(read_record(packages_ / folder, found.back())).content.name);
  }
  return names;
}

Result<std::vector<VersionRecord>> PackageRegistry::versions(const PackageName& name) const {
  auto found = numbers_in(folder_of(name));
  if (!found.ok() && found.error().code != Errc::not_found) return found.error();
  if (!found.ok() || found->empty()) {
    std::vector<std::string> known;
    for (const PackageName& other : TRY(names())) known.push_back(other.text());
    return fail(Errc::not_found, "there is no package '" + name.text() + "'" + did_you_mean(name.text(), known));
  }
  std::vector<VersionRecord> records;
  records.reserve(found->size());
  for (const PackageVersion& number : *found) records.push_back(TRY(read_record(folder_of(name), number)));
  return records;
}

Result<VersionRecord> PackageRegistry::find(const PackageReference& reference) const {
  if (reference.version) {
    auto record = read_record(folder_of(reference.name), *reference.version);
    if (record.ok() || record.error().code != Errc::not_found) return record;
  }
  const auto records = TRY(versions(reference.name));
  if (!reference.version) return records.back();
  std::vector<std::string> known;
  known.reserve(records.size());
  for (const VersionRecord& record : records) known.push_back(record.version.text());
  return fail(Errc::not_found, "package '" + reference.name.text() + "' has no version " + reference.version->text() +
                                   "; its newest is " + known.back());
}

Result<std::optional<VersionRecord>> PackageRegistry::made_by(const PackageName& name, const RunId& run) const {
  for (VersionRecord& record : TRY(versions(name))) {
    if (record.content.run == run) return std::optional(std::move(record));
  }
  return std::optional<VersionRecord>();
}

Result<void> PackageRegistry::sync(const PackageName& name) const { return sync_folder(folder_of(name)); }

Result<VersionRecord> PackageRegistry::publish_major(const VersionDraft& draft) const {
  return publish(draft, std::nullopt);
}

Result<VersionRecord> PackageRegistry::publish_minor(const VersionDraft& draft) const {
  return publish(draft, draft.parent->major);
}

Result<VersionRecord> PackageRegistry::publish(const VersionDraft& draft, std::optional<std::uint32_t> major) const {
  const Path folder = folder_of(draft.name);
  const auto made = make_folder(folder);
  if (!made.ok() && made.error().code != Errc::exists) return made.error();
  if (made.ok()) TRY(sync_folder(packages_));
  for (;;) {
    const auto found = TRY(numbers_in(folder));
    if (!found.empty()) {
      const VersionRecord newest = TRY(read_record(folder, found.back()));
      if (newest.content.name != draft.name) {
        return fail(Errc::exists, "the package '" + newest.content.name.text() + "' exists, and '" + draft.name.text() +
                                      "' differs from it only in upper and lower case; choose another name");
      }
    }
    const VersionRecord record{number_after(found, major), draft};
    const auto published = publish_file(scratch_, folder / (record.version.text() + std::string(kSuffix)),
                                        canonical(to_json(record)) + "\n", 0444, Durable::yes);
    if (published.ok()) return record;
    // Somebody was faster with this number: take the next.
    if (published.error().code != Errc::exists) return published.error();
  }
}

}  // namespace trainyard
