// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "storage/values/digest.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"
#include "storage/values/runtime.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// The calls of a package, in the order in which runs make them.
enum class Verb { process_data, train, save, evaluate, predict };
std::string_view name_of(Verb verb);
Result<Verb> parse_verb(std::string_view text);

// What can be told of a package's code without running it. The numbers are of the plugin ABI; Python packages have one
// interface only.
struct PackageAbi {
  Runtime runtime = Runtime::native;
  std::uint32_t major = 1;
  std::uint32_t minor = 0;
  std::string builder;  // compiler and kit, as the package states them; the Python that read its source
  std::set<Verb> verbs;
  friend bool operator==(const PackageAbi&, const PackageAbi&) = default;
};

// A zip of the version's content: its bytes depend on the zipper, so the tree, not the zip, is the identity.
struct ZipSummary {
  Digest digest;
  std::uint64_t bytes = 0;
  friend bool operator==(const ZipSummary&, const ZipSummary&) = default;
};

// Everything about a version before it has a number.
struct VersionDraft {
  PackageName name;
  Instant created_at;
  std::optional<PackageVersion> parent;  // none for an upload
  std::optional<RunId> run;              // the run that made it; none for an upload
  TreeSummary tree;
  ZipSummary zip;
  PackageAbi abi;
  std::string change_log;
  std::optional<double> score = std::nullopt;  // of the run that made it, if that evaluated it
  friend bool operator==(const VersionDraft&, const VersionDraft&) = default;
};

// One version of a package. Its file is the version: written once, never changed.
struct VersionRecord {
  PackageVersion version;
  VersionDraft content;

  static Result<VersionRecord> parse(std::string_view text);
  friend bool operator==(const VersionRecord&, const VersionRecord&) = default;
};

Json to_json(const PackageAbi& abi);
Json to_json(const VersionRecord& record);
Result<VersionRecord> version_record_from(const Json& json);
Json to_json(const TreeSummary& tree);
Json or_null(const std::optional<TreeSummary>& tree);
Result<TreeSummary> tree_summary_from(const Json& json);
Json to_json(const ZipSummary& zip);
Result<ZipSummary> zip_summary_from(const Json& json);

}  // namespace trainyard
