// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/names.hpp"

struct sqlite3;

namespace trainyard {

// What a list of runs tells of one.
struct RunFacts {
  std::string id;
  std::string name;
  std::string type;
  std::string package;  // of the version that it ran
  std::string version;
  std::string status;
  std::string reason;      // empty before it is over
  std::string made;        // the version that it made, or empty
  std::string experiment;  // or empty
  std::map<std::string, std::string> tags;
  std::optional<double> score;
  Instant started;
  double seconds = 0;           // until its end, or until this was noted
  bool over = false;            // nothing of this changes any more
  std::string reproduces = {};  // the version whose run it does again, or empty
  // Of a run that made a version: what it was asked and what it was given, as texts that are equal for equal runs
  // (runner/core/run_definition.hpp). Else empty.
  std::string definition = {};
  std::string data = {};
};

// Which runs, in which order.
struct RunQuery {
  enum class Key { started, took, score, name };

  std::optional<std::string> package = std::nullopt;  // without regard to case
  std::optional<std::string> version = std::nullopt;
  std::optional<std::string> status = std::nullopt;
  std::optional<std::string> type = std::nullopt;
  std::optional<std::string> experiment = std::nullopt;
  std::vector<std::string> tags = {};  // NAME, or NAME=VALUE
  Key key = Key::started;              // the greatest last
  bool reverse = false;                // the greatest first
  std::size_t limit = 0;               // the greatest ones; 0 for all
};

struct RunsFound {
  std::vector<RunFacts> runs;
  std::size_t left_out = 0;  // by the limit
  std::size_t known = 0;     // all runs of the store
};

// An index of all runs of a store in SQLite, so that a list costs what it shows. The run folders are the truth: the index
// is brought up to date with them each time, and can be removed at any time. A run that is over is read once.
// Single-threaded; other processes may use the same file.
class RunIndex {
 public:
  // Tells the facts of a run folder; none for one that has not begun or cannot be read.
  using Read = std::function<std::optional<RunFacts>(const RunId& run)>;

  // `file` may be missing; its folder exists. ":memory:" is an index that nobody keeps. `corrupt`, also later, when the
  // file has to go first.
  static Result<RunIndex> open(const Path& file);
  static Result<void> remove(const Path& file);

  // Reads the runs that are new or were not over, forgets those that are gone. `runs` is the folder of all run folders.
  Result<void> refresh(const Path& runs, const Read& read);

  [[nodiscard]] Result<RunsFound> find(const RunQuery& query) const;
  // With this definition, which is not empty; the newest first.
  [[nodiscard]] Result<std::vector<RunFacts>> defined(const std::string& definition) const;
  // By name, id, or the beginning or end of an id.
  [[nodiscard]] Result<std::vector<RunId>> named(const std::string& wanted) const;
  [[nodiscard]] Result<std::vector<std::string>> names() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  explicit RunIndex(sqlite3* database) : database_(database) {}

  Result<void> note(const RunFacts& facts) const;
  Result<void> match_folder(const Path& runs) const;

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace trainyard
