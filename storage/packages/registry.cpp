// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/registry.hpp"

#include <algorithm>

#include "storage/packages/decisions.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSuffix = ".json";
// The record of a version that was taken away, which keeps its number.
constexpr std::string_view kRemoved = ".removed";

// The number after the highest: of `major` when given, else of the next major.
PackageVersion number_after(const std::vector<PackageVersion>& numbers, std::optional<std::uint32_t> major) {
  if (!major) return numbers.empty() ? PackageVersion{1, 0} : PackageVersion{numbers.back().major + 1, 0};
  PackageVersion highest{*major, 0};
  for (const PackageVersion& number : numbers) {
    if (number.major == *major) highest.minor = std::max(highest.minor, number.minor);
  }
  return {highest.major, highest.minor + 1};
}

struct Numbers {
  std::vector<PackageVersion> given;  // also those of versions that were taken away
  std::vector<PackageVersion> there;
};

Result<Numbers> all_numbers_in(const Path& folder) {
  Numbers numbers;
  for (const std::string& file : TRY(list_folder(folder))) {
    for (const std::string_view suffix : {kSuffix, kRemoved}) {
      if (!file.ends_with(suffix)) continue;
      const auto number = PackageVersion::parse(std::string_view(file).substr(0, file.size() - suffix.size()));
      if (!number.ok()) continue;
      numbers.given.push_back(*number);
      if (suffix == kSuffix) numbers.there.push_back(*number);
    }
  }
  std::sort(numbers.given.begin(), numbers.given.end());
  std::sort(numbers.there.begin(), numbers.there.end());
  return numbers;
}

Result<std::vector<PackageVersion>> numbers_in(const Path& folder) { return TRY(all_numbers_in(folder)).there; }

Result<VersionRecord> read_record(const Path& folder, const PackageVersion& version,
                                  std::string_view suffix = kSuffix) {
  const Path path = folder / (version.text() + std::string(suffix));
  auto record = VersionRecord::parse(TRY(read_file(path, limits::kRecordBytes)));
  if (!record.ok()) {
    const Errc code = record.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
    return fail(code, "the record '" + path.string() + "' cannot be read: " + record.error().message);
  }
  if (record->version != version)
    return fail(Errc::corrupt, "the record '" + path.string() + "' says that it is version " + record->version.text());
  return record;
}

Result<void> refuse_another_case(const PackageName& name, const std::optional<PackageName>& known) {
  if (!known || *known == name) return {};
  return fail(Errc::exists, "the package '" + known->text() + "' exists, and '" + name.text() +
                                "' differs from it only in upper and lower case; choose another name");
}

// The version of a run whose last driver died when it had announced it; it is there now.
std::optional<VersionRecord> version_announced_in(const StoreJournal::Session& session, const VersionDraft& draft) {
  const auto& last = session.last();
  if (!draft.run || !last || last->event.action != StoreEvent::Action::version_published) return std::nullopt;
  auto record = VersionRecord::parse(last->event.record.value_or(""));
  if (!record.ok() || record->content.run != draft.run) return std::nullopt;
  return std::move(*record);
}

// Oldest number first. What somebody takes away while they are read is passed by.
Result<std::vector<VersionRecord>> read_records(const Path& folder, const std::vector<PackageVersion>& numbers) {
  std::vector<VersionRecord> records;
  records.reserve(numbers.size());
  for (const PackageVersion& number : numbers) {
    auto record = read_record(folder, number);
    if (!record.ok() && record.error().code == Errc::not_found) continue;
    records.push_back(TRY(std::move(record)));
  }
  return records;
}

// All versions of a package have its name.
Result<std::optional<PackageName>> name_in(const Path& folder, std::vector<PackageVersion> numbers) {
  for (; !numbers.empty(); numbers.pop_back()) {
    const std::vector<VersionRecord> newest = TRY(read_records(folder, {numbers.back()}));
    if (!newest.empty()) return std::optional(newest.front().content.name);
  }
  return std::optional<PackageName>();
}

}  // namespace

Result<std::vector<PackageName>> PackageRegistry::names() const {
  std::vector<PackageName> names;
  for (const std::string& folder : TRY(list_folder(packages_))) {
    auto name = TRY(name_in(packages_ / folder, TRY(numbers_in(packages_ / folder))));
    if (name) names.push_back(std::move(*name));
  }
  return names;
}

Result<std::vector<VersionRecord>> PackageRegistry::versions(const PackageName& name) const {
  auto found = numbers_in(folder_of(name));
  if (!found.ok() && found.error().code != Errc::not_found) return found.error();
  std::vector<VersionRecord> records;
  if (found.ok()) records = TRY(read_records(folder_of(name), *found));
  if (records.empty()) {
    std::vector<std::string> known;
    for (const PackageName& other : TRY(names())) known.push_back(other.text());
    return fail(Errc::not_found, "there is no package '" + name.text() + "'" + did_you_mean(name.text(), known));
  }
  return records;
}

Result<VersionRecord> PackageRegistry::find(const PackageReference& reference) const {
  if (reference.version) {
    auto record = read_record(folder_of(reference.name), *reference.version);
    if (record.ok() || record.error().code != Errc::not_found) return record;
  }
  const auto records = TRY(versions(reference.name));
  if (reference.label) {
    const Standing standing = standing_of(TRY(PackageDecisions(packages_, journal_).of(reference.name)));
    const auto found = standing.labels.find(*reference.label);
    if (found != standing.labels.end()) return read_record(folder_of(reference.name), found->second);
    std::vector<std::string> labels;
    for (const auto& [label, version] : standing.labels) labels.push_back(label.text());
    return fail(Errc::not_found, "package '" + reference.name.text() + "' has no version labelled '" +
                                     reference.label->text() + "'" + did_you_mean(reference.label->text(), labels));
  }
  if (!reference.version) return records.back();
  std::vector<std::string> known;
  known.reserve(records.size());
  for (const VersionRecord& record : records) known.push_back(record.version.text());
  return fail(Errc::not_found, "package '" + reference.name.text() + "' has no version " + reference.version->text() +
                                   "; its newest is " + known.back());
}

Result<VersionRecord> PackageRegistry::find_removed(const PackageName& name, const PackageVersion& version) const {
  return read_record(folder_of(name), version, kRemoved);
}

Result<std::optional<VersionRecord>> PackageRegistry::made_by(const PackageName& name, const RunId& run) const {
  for (VersionRecord& record : TRY(versions(name))) {
    if (record.content.run == run) return std::optional(std::move(record));
  }
  return std::optional<VersionRecord>();
}

Result<RelPath> PackageRegistry::record_path(const PackageName& name, const PackageVersion& version) const {
  return RelPath::parse(packages_.filename().string() + "/" + name.folded() + "/" + version.text() +
                        std::string(kSuffix));
}

Result<void> PackageRegistry::sync(const PackageName& name) const { return sync_folder(folder_of(name)); }

Result<VersionRecord> PackageRegistry::publish_major(const VersionDraft& draft) const {
  return publish(draft, std::nullopt);
}

Result<VersionRecord> PackageRegistry::publish_minor(const VersionDraft& draft) const {
  return publish(draft, draft.parent->major);
}

Result<VersionRecord> PackageRegistry::publish_imported(const VersionDraft& draft, std::uint32_t major) const {
  const auto numbers = numbers_in(folder_of(draft.name));
  const bool known = numbers.ok() && std::any_of(numbers->begin(), numbers->end(),
                                                 [&](const PackageVersion& number) { return number.major == major; });
  return publish(draft, known ? std::optional(major) : std::nullopt);
}

Result<void> PackageRegistry::remove(const PackageName& name, const PackageVersion& version, Instant now) const {
  const Path stem = folder_of(name) / version.text();
  StoreJournal::Session session = TRY(journal_.begin());
  const std::string record = TRY(read_file(stem.string() + std::string(kSuffix), limits::kRecordBytes));
  // With both files it is there still; without the record its number stays taken.
  const auto kept = publish_file(journal_.scratch(), stem.string() + std::string(kRemoved), record, 0444, Durable::yes);
  if (!kept.ok() && kept.error().code != Errc::exists) return kept;
  const RelPath path = TRY(record_path(name, version));
  return journal_.remove(session, {StoreEvent::Action::version_removed, now, name.text() + "@" + version.text(), path});
}

Result<void> PackageRegistry::make_package_folder(const PackageName& name) const {
  const auto made = make_folder(folder_of(name));
  if (!made.ok() && made.error().code != Errc::exists) return made.error();
  if (made.ok()) TRY(sync_folder(packages_));
  return {};
}

Result<void> PackageRegistry::publish_pulled(const VersionRecord& record, std::string_view text, Instant now) const {
  const PackageName& name = record.content.name;
  const std::string subject = name.text() + "@" + record.version.text();
  TRY(make_package_folder(name));
  StoreJournal::Session session = TRY(journal_.begin());
  const Numbers numbers = TRY(all_numbers_in(folder_of(name)));
  TRY(refuse_another_case(name, TRY(name_in(folder_of(name), numbers.there))));
  if (std::binary_search(numbers.there.begin(), numbers.there.end(), record.version)) {
    if (TRY(read_file(folder_of(name) / (record.version.text() + std::string(kSuffix)), limits::kRecordBytes)) == text)
      return {};
    return fail(Errc::exists, "this store has another " + subject +
                                  "; what is published never changes, so the other one " +
                                  "cannot be pulled into it: 'trainyard package import' makes a new version of a zip");
  }
  if (std::binary_search(numbers.given.begin(), numbers.given.end(), record.version))
    return fail(Errc::exists, subject + " was removed from this store, and its number is never given again");
  const RelPath path = TRY(record_path(name, record.version));
  return journal_.publish(session,
                          {StoreEvent::Action::version_published, now, subject, path, sha256(text), std::string(text)});
}

Result<VersionRecord> PackageRegistry::publish(const VersionDraft& draft, std::optional<std::uint32_t> major) const {
  const Path folder = folder_of(draft.name);
  TRY(make_package_folder(draft.name));
  StoreJournal::Session session = TRY(journal_.begin());
  if (auto finished = version_announced_in(session, draft)) return std::move(*finished);
  for (;;) {
    const Numbers numbers = TRY(all_numbers_in(folder));
    TRY(refuse_another_case(draft.name, TRY(name_in(folder, numbers.there))));
    const VersionRecord record{number_after(numbers.given, major), draft};
    const std::string text = canonical(to_json(record)) + "\n";
    const RelPath path = TRY(record_path(draft.name, record.version));
    const auto published =
        journal_.publish(session, {StoreEvent::Action::version_published, draft.created_at,
                                   draft.name.text() + "@" + record.version.text(), path, sha256(text), text});
    if (published.ok()) return record;
    // Something is there under this number, though no version was: take the next.
    if (published.error().code != Errc::exists) return published.error();
  }
}

}  // namespace trainyard
