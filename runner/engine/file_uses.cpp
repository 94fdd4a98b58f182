// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/file_uses.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace trainyard {

namespace {

constexpr std::size_t kMostPaths = 10;
constexpr std::size_t kFewestDigits = 8;

std::vector<UseIndex::Asked> files_of(const AskedFiles& asked) {
  if (!asked.folder) {
    if (asked.sha256) return {{*asked.sha256, 1}};
    return {};
  }
  std::map<Digest, std::uint64_t> counts;
  for (std::size_t i = 0; i < asked.folder->size(); ++i) {
    const Digest* const digest = asked.folder->view(i).digest;
    if (digest != nullptr) ++counts[*digest];
  }
  std::vector<UseIndex::Asked> files;
  for (const auto& [digest, count] : counts) files.push_back({digest, count});
  return files;
}

std::optional<std::string> text_or_none(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

FileUse use_of(const UseIndex::Holder& holder, const UseIndex::Found& found, bool whole) {
  const UseRecord& record = holder.record;
  FileUse use{
      holder.part, record.title, text_or_none(record.run), {}, {}, holder.tree, whole, found.files, found.places,
      found.paths, record.at};
  if (record.kind == UseRecord::Kind::run) {
    use.ran = record.package + "@" + record.parent;
    if (!record.version.empty()) use.made = record.package + "@" + record.version;
  }
  return use;
}

// A name and a number, apart: "digits@1.1".
std::pair<std::string, std::string> split(const std::string& version) {
  const std::size_t at = version.find('@');
  return {version.substr(0, at), version.substr(at + 1)};
}

Result<std::vector<InheritedUse>> inherited_from(const UseIndex& index, const std::vector<FileUse>& uses) {
  std::set<std::string> trained;
  for (const FileUse& use : uses) {
    if (use.part == UsePart::training_data && use.made) trained.insert(*use.made);
  }
  std::map<std::string, InheritedUse> all;
  for (const std::string& version : trained) {
    const auto [package, number] = split(version);
    for (const auto& made : TRY(index.descendants(package, number))) {
      const std::string name = package + "@" + made.version;
      if (trained.contains(name) || all.contains(name)) continue;
      const auto record = TRY(index.version(package, made.version));
      all.emplace(name,
                  InheritedUse{name, package + "@" + made.parent, record ? std::optional(record->at) : std::nullopt});
    }
  }
  std::vector<InheritedUse> sorted;
  for (auto& [name, use] : all) sorted.push_back(std::move(use));
  std::stable_sort(sorted.begin(), sorted.end(), [](const InheritedUse& a, const InheritedUse& b) {
    return a.at.value_or(Instant{0}) < b.at.value_or(Instant{0});
  });
  return sorted;
}

Json hex_or_null(const std::optional<Digest>& digest) { return digest ? Json(digest->hex()) : Json(nullptr); }

Json to_json(const FileUse& use) {
  return {{"part", name_of(use.part)}, {"name", use.name},       {"run", or_null(use.run)}, {"ran", or_null(use.ran)},
          {"made", or_null(use.made)}, {"tree", use.tree.hex()}, {"whole", use.whole},      {"files", use.files},
          {"places", use.places},      {"paths", use.paths},     {"at", use.at.text()}};
}

}  // namespace

std::string_view name_of(UsePart part) {
  constexpr std::string_view kNames[] = {"training_data", "evaluation_data", "package",
                                         "artifacts",     "snapshot",        "dataset"};
  return kNames[static_cast<std::size_t>(part)];
}

std::string_view name_of(AskedFiles::What what) {
  constexpr std::string_view kNames[] = {"file", "sha256", "folder"};
  return kNames[static_cast<std::size_t>(what)];
}

Json to_json(const FileUses& uses) {
  Json list = Json::array();
  for (const FileUse& use : uses.uses) list.push_back(to_json(use));
  Json inherited = Json::array();
  for (const InheritedUse& use : uses.inherited) {
    inherited.push_back(
        {{"version", use.version}, {"from", use.from}, {"at", use.at ? Json(use.at->text()) : Json(nullptr)}});
  }
  return {{"schema", "trainyard.uses/1"},
          {"asked",
           {{"what", name_of(uses.what)},
            {"name", uses.name},
            {"files", uses.files},
            {"sha256", hex_or_null(uses.sha256)},
            {"tree", hex_or_null(uses.tree)}}},
          {"uses", std::move(list)},
          {"inherited", std::move(inherited)}};
}

Result<std::optional<Digest>> find_digest(const UseIndex& index, const std::string& digits) {
  if (digits.size() < kFewestDigits || digits.size() > 2 * Digest::kBytes)
    return fail(Errc::invalid, "'" + digits + "' is not a SHA-256, or its beginning of 8 digits or more");
  if (digits.size() == 2 * Digest::kBytes) return std::optional(TRY(Digest::parse(digits)));
  const auto fitting = TRY(index.beginning_with(digits));
  if (fitting.size() > 1) {
    return fail(Errc::invalid, "'" + digits + "' begins the SHA-256 of several files, such as " + fitting[0].hex() +
                                   " and " + fitting[1].hex() + "; give more digits");
  }
  return fitting.empty() ? std::nullopt : std::optional(fitting.front());
}

Result<FileUses> find_uses(const UseIndex& index, const AskedFiles& asked,
                           const std::function<void(std::size_t)>& progress) {
  FileUses answer{asked.what, asked.name, asked.sha256, std::nullopt, 0, {}, {}};
  const auto files = files_of(asked);
  for (const UseIndex::Asked& file : files) answer.files += file.files;
  auto found = TRY(index.find(files, kMostPaths, progress));
  std::optional<std::int64_t> whole;
  if (asked.folder) {
    answer.tree = asked.folder->digest();
    whole = TRY(index.number_of(*answer.tree));
  }
  // Of a folder without files nothing else is found.
  if (whole && files.empty()) found.push_back({*whole, 0, 0, {}});
  for (const UseIndex::Holder& holder : TRY(index.holders(found))) {
    const UseIndex::Found& in = found[holder.found];
    answer.uses.push_back(use_of(holder, in, whole == in.tree));
  }
  const auto order = [](const FileUse& use) { return std::tie(use.part, use.at.microseconds, use.name); };
  std::sort(answer.uses.begin(), answer.uses.end(),
            [&](const FileUse& a, const FileUse& b) { return order(a) < order(b); });
  answer.inherited = TRY(inherited_from(index, answer.uses));
  return answer;
}

}  // namespace trainyard
