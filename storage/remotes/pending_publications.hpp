// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/json.hpp"
#include "storage/values/names.hpp"
#include "storage/values/oci_manifest.hpp"

namespace trainyard {

// A version on its way to being visible on several remotes, on all of them or on none. Schema:
// schemas/pending-publication.schema.json.
struct PendingPublication {
  enum class State {
    claiming,     // nothing is visible: whoever finds this gives the claims back
    committing,   // whoever finds this makes it visible everywhere
    withdrawing,  // whoever finds this takes it back wherever this publication made it visible
  };
  struct Target {
    std::string name;
    std::string address;
    friend bool operator==(const Target&, const Target&) = default;
  };

  std::string publication;  // its id, a UUID
  PackageName package;
  PackageVersion version;
  Digest record;
  OciDescriptor manifest;
  std::vector<Target> targets;
  State state = State::claiming;
  std::string publisher;
  Instant since;

  friend bool operator==(const PendingPublication&, const PendingPublication&) = default;
};

Json to_json(const PendingPublication& pending);
Result<PendingPublication> pending_publication_from(const Json& json);

// The publications of a store that are not over, so that what a dead process left half done is finished or undone:
// publications/<id>.json, and beside it a file that the process at work holds a lock on.
class PendingPublications {
 public:
  // `folder` need not be there; `scratch` lies on the same file system.
  PendingPublications(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // The right to go on with one, until it goes out of scope.
  class Hold {
   public:
    // Durable when it returns.
    Result<void> write(const PendingPublication& pending) const;
    // It is over.
    Result<void> finish() const;

   private:
    friend class PendingPublications;
    Hold(Path file, Path scratch, Path lock_file, FileLock lock)
        : file_(std::move(file)),
          scratch_(std::move(scratch)),
          lock_file_(std::move(lock_file)),
          lock_(std::move(lock)) {}
    Path file_;
    Path scratch_;
    Path lock_file_;
    FileLock lock_;
  };

  Result<Hold> begin(const std::string& publication) const;
  // Those that nobody goes on with; the caller does now. `corrupt` names one that cannot be read.
  Result<std::vector<std::pair<PendingPublication, Hold>>> left_behind() const;

 private:
  Result<std::optional<Hold>> try_hold(const std::string& publication) const;
  // The lock of somebody who died before there was a record, once it is old.
  void forget(const std::string& lock_name) const;

  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
