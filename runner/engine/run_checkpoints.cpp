// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_checkpoints.hpp"

#include <unistd.h>

#include <boost/filesystem/operations.hpp>

namespace trainyard {

namespace {

struct CheckpointMove {
  Path from;
  Path to;
};

// Of rank 0, and of the workers beside it.
std::vector<CheckpointMove> checkpoint_moves(const RunFolder& from, const RunFolder& to) {
  return {{from.checkpoints(), to.checkpoints()}, {from.rank_checkpoints(), to.rank_checkpoints()}};
}

}  // namespace

Result<void> move_checkpoints(const RunFolder& from, const RunFolder& to) {
  for (const CheckpointMove& move : checkpoint_moves(from, to)) {
    if (!is_there(move.from)) continue;
    TRY(remove_tree(move.to));
    TRY(rename_path(move.from, move.to));
  }
  return {};
}

Result<void> copy_checkpoints(const RunFolder& from, const RunFolder& to) {
  namespace fs = boost::filesystem;
  for (const CheckpointMove& move : checkpoint_moves(from, to)) {
    TRY(remove_tree(move.to));
    if (!is_there(move.from)) continue;
    boost::system::error_code error;
    fs::copy(move.from, move.to, fs::copy_options::recursive | fs::copy_options::copy_symlinks, error);
    if (error) return system_error("copy the checkpoints to", move.to, error.value());
  }
  return {};
}

Result<void> settle_checkpoints(const RunFolder& last, int attempts, int workers, bool wanted) {
  for (int rank = 0; rank < workers; ++rank) {
    const Path folder = last.checkpoints(rank);
    const auto left = wanted ? list_folder(folder) : std::vector<std::string>();
    if (left.ok() && left->empty()) TRY(remove_tree(folder));
  }
  // The one around those of the workers beside rank 0, once it is empty.
  static_cast<void>(::rmdir(last.rank_checkpoints().c_str()));
  if (attempts > 1) TRY(move_checkpoints(last, last.in_attempt(1)));
  for (int number = 2; number <= attempts; ++number) {
    const RunFolder one = last.in_attempt(number);
    for (const Path& folder : {one.checkpoints(), one.rank_checkpoints()}) TRY(remove_tree(folder));
  }
  return {};
}

}  // namespace trainyard
