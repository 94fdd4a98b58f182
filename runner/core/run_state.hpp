// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runner/core/job_id.hpp"
#include "runner/core/outcome.hpp"
#include "runner/core/run_request.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

// What is known of a dataset once it is staged.
struct StagedInput {
  TreeSummary tree;
  MountKind mount = MountKind::copy;
  bool snapshot = false;  // its bytes are in the store, not only its digests
  friend bool operator==(const StagedInput&, const StagedInput&) = default;
};
struct StagedData {
  StagedInput data;
  std::optional<StagedInput> evaluation;  // where the run has an evaluation dataset of its own
  friend bool operator==(const StagedData&, const StagedData&) = default;
};

// Files that a model was trained on and evaluated on, by their digests. A score over such data says too much.
struct DataOverlap {
  std::uint64_t files = 0;            // of the evaluation data, those that are training data too
  std::uint64_t of = 0;               // all of the evaluation data
  std::vector<std::string> examples;  // the texts of a few of their paths
  friend bool operator==(const DataOverlap&, const DataOverlap&) = default;
};

// What an evaluation said.
struct Evaluation {
  double score = 0;
  std::optional<DataOverlap> overlap;  // none when it is not known what the model was trained on
  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

// What is known of the outputs once they are in the store.
struct CollectedOutputs {
  struct Package {
    TreeSummary tree;
    ZipSummary zip;
    friend bool operator==(const Package&, const Package&) = default;
  };
  std::optional<Package> package;  // of a run that trains
  TreeSummary artifacts;
  std::optional<Evaluation> evaluation;  // of a run that evaluates
  // A full run whose process_data left nothing to train on was trained on its dataset as it is.
  bool trained_on_dataset = false;
  friend bool operator==(const CollectedOutputs&, const CollectedOutputs&) = default;
};

// Where a run is. Each state carries what is known in it, and nothing that is not: a run without collected outputs
// cannot be published.
//
//   Queued ▶ Planned ▶ Staged ▶ Running ▶ Exited ▶ Succeeded ▶ Collected ▶ Published
//                         ▲        │ stop asked                      ▶ Evaluated, of a run that makes no version
//                         │        │                                 ▶ Reproduced, of one that does another run again
//                         │        ▶ Stopping ▶ Exited      any state before these three ▶ Failed
//                         Retrying ◀ Running and Exited, of an attempt that failed
//
// A run for which there is a slot at once begins as Planned.
namespace state {

struct Queued {
  std::string message;  // what it waits for
  friend bool operator==(const Queued&, const Queued&) = default;
};
struct Planned {                    // and with a slot
  std::vector<std::uint32_t> gpus;  // the numbers of those that are the run's alone
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
struct Retrying {  // an attempt failed, and the next one is about to be staged
  StagedData data;
  int attempt = 2;  // the number of the next one
  Outcome outcome;  // of the one before
  friend bool operator==(const Retrying&, const Retrying&) = default;
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
struct Evaluated {
  StagedData data;
  CollectedOutputs outputs;
  friend bool operator==(const Evaluated&, const Evaluated&) = default;
};
struct
    Reproduced {  // what came out is kept, to be held against the version that is reproduced, and is no version itself
  StagedData data;
  CollectedOutputs outputs;
  friend bool operator==(const Reproduced&, const Reproduced&) = default;
};
struct Failed {
  std::string phase;  // the state that the run could not leave forward
  Outcome outcome;
  std::optional<StagedData> data;
  friend bool operator==(const Failed&, const Failed&) = default;
};

}  // namespace state

using RunState = std::variant<state::Queued, state::Planned, state::Staged, state::Running, state::Stopping,
                              state::Exited, state::Retrying, state::Succeeded, state::Collected, state::Published,
                              state::Evaluated, state::Reproduced, state::Failed>;

// What happens to a run.
namespace happening {

struct SlotFreed {
  std::vector<std::uint32_t> gpus;
};
struct DataStaged {
  StagedData data;
};
struct JobStarted {
  JobId job;
};
struct StopAsked {};
struct JobEnded {};
struct AttemptFailed {
  int next = 2;
  Outcome outcome;
};
struct JudgedGood {};
struct OutputsCollected {
  CollectedOutputs outputs;
};
struct VersionPublished {
  PackageVersion version;
};
struct ScoreKept {};
struct OutputsKept {};
struct WentWrong {
  Outcome outcome;
};

}  // namespace happening

using Happening =
    std::variant<happening::SlotFreed, happening::DataStaged, happening::JobStarted, happening::StopAsked,
                 happening::JobEnded, happening::AttemptFailed, happening::JudgedGood, happening::OutputsCollected,
                 happening::VersionPublished, happening::ScoreKept, happening::OutputsKept, happening::WentWrong>;

// Pure. `invalid` names both when the state machine has no such transition.
Result<RunState> next(const RunState& state, const Happening& happening);

std::string_view name_of(const RunState& state);
RunStatus status_of(const RunState& state);
// Published, Evaluated, Reproduced or Failed: nothing more happens but the results being written.
bool is_final(const RunState& state);
// The data of the states that know it.
std::optional<StagedData> data_of(const RunState& state);
// The outputs of the states that know them, else null.
const CollectedOutputs* outputs_of(const RunState& state);

// {"files", "of", "examples"} or null.
Json overlap_json(const std::optional<DataOverlap>& overlap);

// One line of journal.jsonl: the state that a run entered, and when. Schema: schemas/journal.schema.json.
struct JournalEntry {
  Instant time;
  RunState state;
  friend bool operator==(const JournalEntry&, const JournalEntry&) = default;
};
Json to_json(const JournalEntry& entry);
Result<JournalEntry> journal_entry_from(const Json& json);

}  // namespace trainyard
