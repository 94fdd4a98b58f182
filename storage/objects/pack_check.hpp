// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "storage/objects/fsck.hpp"
#include "storage/objects/pack_scan.hpp"
#include "storage/objects/work_pool.hpp"

namespace trainyard {

// Compares the records of packs with what they say of themselves.
class PackCheck {
 public:
  // Called for each record, in any order, never twice at a time: which of its objects are good.
  using Report = std::function<void(const PackRecord& record, const std::vector<bool>& good)>;

  PackCheck(Depth depth, unsigned threads) : depth_(depth), pool_(threads) {}

  // Yields what belongs to no record. Only the operating system makes it fail.
  Result<std::vector<PackGap>> run(const Path& pack, const Report& report);

 private:
  const Depth depth_;
  WorkPool pool_;
};

}  // namespace trainyard
