// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runner/core/published_version.hpp"
#include "runner/core/run_record.hpp"
#include "runner/engine/pull_folder.hpp"
#include "storage/store/store.hpp"
#include "storage/values/tree.hpp"

namespace trainyard {

// What a records layer holds, read as hostile input.
struct PulledRecords {
  VersionRecord version;
  std::string text;  // of the version's record
  std::optional<RunRecord> run;
  std::optional<std::string> results;  // the bytes of the run's _results.json
  std::optional<Tree> run_files;       // the folder of the run
};

// Reads the records of every step; the files of the runs are in `objects` then. `corrupt` when they contradict each other
// or the publication.
Result<std::vector<PulledRecords>> read_pulled_records(const PublishedVersion& publication, const PullFolder& folder,
                                                       PackObjects& objects);

// Makes the folder of a run appear whole, with its artifacts, unless it is there.
Result<void> keep_pulled_run(const PulledRecords& records, PackObjects& objects, const Store& store, Instant now);

}  // namespace trainyard
