// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

// The folder of one run, and the names in it. What its documents mean is runner/core's business.
//
//   plan.json        what was decided; written first
//   journal.jsonl    the states that the run entered
//   stop             that somebody wants it to stop; "polite" or "now"
//   job.json …       what the runner and its worker say to each other (runner/jobs)
//   workspace/       while it runs: the private copy of the package, its home and temporary folders, the layer over the data
//   log_metrics.jsonl  metrics that were read from what the package printed, as events
//   attempts/2/ …    the same files and folders (job.json … log_metrics.jsonl, workspace/, checkpoints/) of the second attempt and
//                    those after it: no attempt writes where another one does, even if it lives on a machine nobody reaches
//   checkpoints/     what one attempt left for the next one; kept only when the run made nothing
//   rank_checkpoints/1/ …  the same of the workers other than rank 0, and ranks/1/ … what the runner and those say to each
//                    other
//   artifacts/       what the run made for people; attestations.intoto.jsonl: what an evaluation says of its version
//   _results.json    written last but for attestations: its presence means that the run is over and complete
class RunFolder {
 public:
  // As its first attempt has it.
  explicit RunFolder(Path path) : path_(std::move(path)) {}
  [[nodiscard]] RunFolder in_attempt(int number) const {
    RunFolder folder(path_);
    folder.attempt_ = number;
    return folder;
  }

  [[nodiscard]] const Path& path() const { return path_; }
  [[nodiscard]] Path plan() const { return path_ / "plan.json"; }
  [[nodiscard]] Path journal() const { return path_ / "journal.jsonl"; }
  // Of a run with several workers each has its own; rank 0 is the one whose package becomes the version.
  [[nodiscard]] Path workspace(int rank = 0) const {
    const Path first = attempt(attempt_) / "workspace";
    return rank == 0 ? first : first / "ranks" / std::to_string(rank);
  }
  [[nodiscard]] Path package(int rank = 0) const { return workspace(rank) / "package"; }
  [[nodiscard]] Path home(int rank = 0) const { return workspace(rank) / "home"; }
  [[nodiscard]] Path temporary(int rank = 0) const { return workspace(rank) / "tmp"; }
  [[nodiscard]] Path layer(int rank = 0) const { return workspace(rank) / "layer"; }
  // Where the workers meet.
  [[nodiscard]] Path rendezvous() const { return workspace() / "rendezvous"; }
  // Those of all attempts, whether or not they are there.
  [[nodiscard]] Result<std::vector<Path>> workspaces() const;
  [[nodiscard]] Path stop() const { return path_ / "stop"; }
  // The folder in which the runner and the worker of an attempt speak to each other; the first is 1.
  [[nodiscard]] Path attempt(int number) const {
    return number == 1 ? path_ : path_ / "attempts" / std::to_string(number);
  }
  [[nodiscard]] Result<int> last_attempt() const;
  [[nodiscard]] Path log_metrics(int attempt_number, int rank = 0) const {
    const Path folder = attempt(attempt_number);
    return (rank == 0 ? folder : folder / "ranks" / std::to_string(rank)) / "log_metrics.jsonl";
  }
  [[nodiscard]] Path checkpoints(int rank = 0) const {
    return rank == 0 ? attempt(attempt_) / "checkpoints" : rank_checkpoints() / std::to_string(rank);
  }
  // Around those of the workers other than rank 0.
  [[nodiscard]] Path rank_checkpoints() const { return attempt(attempt_) / "rank_checkpoints"; }
  [[nodiscard]] Path artifacts() const { return path_ / "artifacts"; }
  [[nodiscard]] Path results() const { return path_ / "_results.json"; }

  // The complete lines of a file of JSON lines; a torn last line is left out. A file that is not there has none.
  [[nodiscard]] static Result<std::vector<std::string>> lines(const Path& file);

 private:
  Path path_;
  int attempt_ = 1;
};

// Of a run, as the store's journal names it.
Result<RelPath> results_path(const RunId& run);

// All runs of a store.
class RunFolders {
 public:
  RunFolders(Path runs, Path active) : runs_(std::move(runs)), active_(std::move(active)) {}

  // The right to drive a run: from when it is made until `finish`. Released by the kernel when the process ends in any
  // way.
  class Lease {
   public:
    Lease(FileLock lock, Path marker) : lock_(std::move(lock)), marker_(std::move(marker)) {}
    // The run is over: it is no longer among the active.
    Result<void> finish() { return remove_file(marker_); }

   private:
    FileLock lock_;
    Path marker_;
  };

  // Marks a run as active and makes its folder. None when the id is taken.
  Result<std::optional<Lease>> begin(const RunId& run) const;
  // The runs that are not over, sorted.
  [[nodiscard]] Result<std::vector<RunId>> active() const;
  // None when a living process drives the run.
  Result<std::optional<Lease>> take_over(const RunId& run) const;

  [[nodiscard]] RunFolder folder(const RunId& run) const { return RunFolder(runs_ / run.text()); }
  // Oldest first.
  [[nodiscard]] Result<std::vector<RunId>> list() const;

 private:
  Path runs_;
  Path active_;
};

}  // namespace trainyard
