// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "runner/core/job_id.hpp"
#include "runner/core/outcome.hpp"
#include "runner/core/run_request.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// What is known of the data once it is staged.
struct StagedData {
  TreeSummary tree;
  MountKind mount = MountKind::copy;
  bool snapshot = false;  // its bytes are in the store, not only its digests
  friend bool operator==(const StagedData&, const StagedData&) = default;
};

// What is known of the outputs once they are in the store.
struct CollectedOutputs {
  TreeSummary package;
  ZipSummary zip;
  TreeSummary artifacts;
  friend bool operator==(const CollectedOutputs&, const CollectedOutputs&) = default;
};

// Where a run is. Each state carries what is known in it, and nothing that is not: a run without collected outputs
// cannot be published.
//
//   Planned ▶ Staged ▶ Running ▶ Exited ▶ Succeeded ▶ Collected ▶ Published
//                         │ stop asked      any state before Published ▶ Failed
//                         ▶ Stopping ▶ Exited
namespace state {

struct Planned {
  friend bool operator==(const Planned&, const Planned&) = default;
};
struct Staged {
  StagedData data;
  friend bool operator==(const Staged&, const Staged&) = default;
};
struct Running {
  StagedData data;
  JobId job;
  friend bool operator==(const Running&, const Running&) = default;
};
struct Stopping {
  StagedData data;
  JobId job;
  friend bool operator==(const Stopping&, const Stopping&) = default;
};
struct Exited {  // exit.json lies in the run folder
  StagedData data;
  friend bool operator==(const Exited&, const Exited&) = default;
};
struct Succeeded {
  StagedData data;
  friend bool operator==(const Succeeded&, const Succeeded&) = default;
};
struct Collected {
  StagedData data;
  CollectedOutputs outputs;
  friend bool operator==(const Collected&, const Collected&) = default;
};
struct Published {
  StagedData data;
  CollectedOutputs outputs;
  PackageVersion version;
  friend bool operator==(const Published&, const Published&) = default;
};
struct Failed {
  std::string phase;  // the state that the run could not leave forward
  Outcome outcome;
  std::optional<StagedData> data;
  friend bool operator==(const Failed&, const Failed&) = default;
};

}  // namespace state

using RunState = std::variant<state::Planned, state::Staged, state::Running, state::Stopping, state::Exited,
                              state::Succeeded, state::Collected, state::Published, state::Failed>;

// What happens to a run.
namespace happening {

struct DataStaged {
  StagedData data;
};
struct JobStarted {
  JobId job;
};
struct StopAsked {};
struct JobEnded {};
struct JudgedGood {};
struct OutputsCollected {
  CollectedOutputs outputs;
};
struct VersionPublished {
  PackageVersion version;
};
struct WentWrong {
  Outcome outcome;
};

}  // namespace happening

using Happening =
    std::variant<happening::DataStaged, happening::JobStarted, happening::StopAsked, happening::JobEnded,
                 happening::JudgedGood, happening::OutputsCollected, happening::VersionPublished, happening::WentWrong>;

// Pure. `invalid` names both when the state machine has no such transition.
Result<RunState> next(const RunState& state, const Happening& happening);

std::string_view name_of(const RunState& state);
RunStatus status_of(const RunState& state);
// Published or Failed: nothing more happens but the results being written.
bool is_final(const RunState& state);
// The data of the states that know it.
std::optional<StagedData> data_of(const RunState& state);

// One line of journal.jsonl: the state that a run entered, and when. Schema: schemas/journal.schema.json.
struct JournalEntry {
  Instant time;
  RunState state;
  friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};
Json to_json(const JournalEntry& entry);
Result<JournalEntry> journal_entry_from(const Json& json);

}  // namespace trainyard
