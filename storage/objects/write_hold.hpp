// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "storage/files/files.hpp"

namespace trainyard {

// Keeps collectors of garbage and writers apart. A writer holds the store from the first object that it puts, or finds
// there already, until a record names what it put; a collector removes objects only while nobody does. The kernel lets
// go when the process ends in any way.
//
// Two files in the folder of the objects are locked by flock: `lock`, shared by writers; and `gate`, which a writer
// passes on its way in and a waiting collector keeps shut, so that an endless stream of writers does not keep it out.
class WriteHold {
 public:
  enum class Wait { yes, no };

  // For a writer. Waits while a collector works.
  static Result<WriteHold> shared(const Path& objects);
  // For a collector: none when writers are at work and it shall not wait.
  static Result<std::optional<WriteHold>> exclusive(const Path& objects, Wait wait);

 private:
  WriteHold(UniqueFd gate, UniqueFd lock) : gate_(std::move(gate)), lock_(std::move(lock)) {}

  UniqueFd gate_;  // a collector's alone
  UniqueFd lock_;
};

}  // namespace trainyard
