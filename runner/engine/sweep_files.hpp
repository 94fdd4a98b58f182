// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/core/sweep.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// The sweeps that a store knows: <store>/sweeps/<name>.json, one file each, made once and never changed. What has become of
// a sweep is not in it; its runs tell that.
class SweepFiles {
 public:
  explicit SweepFiles(const Store& store) : folder_(store.sweeps()), scratch_(store.scratch()) {}

  // The right to make the runs of a sweep of this name, until it is let go or the process ends in any way. `exists` when a
  // living process has it.
  [[nodiscard]] Result<FileLock> take(const RunName& name) const;
  // Durable once it returns. `exists` when there is one of that name.
  Result<void> add(const Sweep& sweep) const;
  // Sorted by name. `corrupt` names a file that cannot be read.
  [[nodiscard]] Result<std::vector<Sweep>> list() const;
  // `not_found` names the nearest.
  [[nodiscard]] Result<Sweep> find(const std::string& name) const;

 private:
  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
