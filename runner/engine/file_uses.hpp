// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/uses/use_index.hpp"
#include "storage/values/json.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// Which files somebody asks for.
struct AskedFiles {
  enum class What { file, sha256, folder };

  What what = What::sha256;
  std::string name;              // as it was given
  std::optional<Digest> sha256;  // of a file; none when nothing begins with the digits that were given
  std::optional<Tree> folder;    // of a folder
};

// A record of the store that names a tree with some of the files.
struct FileUse {
  UsePart part = UsePart::snapshot;
  std::string name;                 // "digits@1.1", a snapshot's id, "weather@2", a run's name
  std::optional<std::string> run;   // a run's id, or that of the run that made the version or snapshot
  std::optional<std::string> ran;   // by the run: "digits@1.0"
  std::optional<std::string> made;  // by the run: "digits@1.1"
  Digest tree;
  bool whole = false;              // its tree is the one of the folder that was asked for
  std::uint64_t files = 0;         // how many of the files that were asked for are in it
  std::uint64_t places = 0;        // at how many paths
  std::vector<std::string> paths;  // the first of them
  Instant at;
};

// A version that was not trained on the files itself, but made from one that was.
struct InheritedUse {
  std::string version;        // "digits@1.2"
  std::string from;           // its parent
  std::optional<Instant> at;  // none when it was taken away
};

// The answer. Schema: schemas/uses.schema.json.
struct FileUses {
  AskedFiles::What what = AskedFiles::What::sha256;
  std::string name;
  std::optional<Digest> sha256;
  std::optional<Digest> tree;
  std::uint64_t files = 0;
  std::vector<FileUse> uses;            // by part, and then by time
  std::vector<InheritedUse> inherited;  // by time

  [[nodiscard]] bool any() const { return !uses.empty(); }
};

std::string_view name_of(UsePart part);  // "training_data"
std::string_view name_of(AskedFiles::What what);
Json to_json(const FileUses& uses);

// The digest that these digits, 8 to 64, are or begin; none when no file in the index has such a one. `invalid` when it is
// not only one.
Result<std::optional<Digest>> find_digest(const UseIndex& index, const std::string& digits);

// REQUIRES: the index is current. `progress` is told how many files were looked up.
Result<FileUses> find_uses(const UseIndex& index, const AskedFiles& asked,
                           const std::function<void(std::size_t)>& progress);

}  // namespace trainyard
