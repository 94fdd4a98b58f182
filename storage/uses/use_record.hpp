// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/instant.hpp"

namespace trainyard {

// As what a record names a tree.
enum class UsePart { training_data, evaluation_data, package, artifacts, snapshot, dataset };

// What the index of uses keeps of a record of the store: who it is, and which trees it names.
struct UseRecord {
  enum class Kind { version, snapshot, dataset, run };
  struct Held {
    UsePart part = UsePart::snapshot;
    Digest tree;
    friend auto operator<=>(const Held&, const Held&) = default;
  };

  Kind kind = Kind::run;
  std::string title;    // "digits@1.1", a snapshot's id, "weather@2", a run's name
  std::string run;      // a run's id, or that of the run that made the version; or empty
  std::string package;  // of a version, or of the one that a run ran; else empty
  std::string version;  // the version, or the one that the run made; or empty
  std::string parent;   // the version that this one was made from, or that the run ran; or empty
  Instant at;           // when it was made, or began
  bool settled = true;  // nothing of this changes any more
  std::vector<Held> held = {};
};

}  // namespace trainyard
