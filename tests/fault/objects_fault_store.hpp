// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runner/processes/process.hpp"
#include "storage/objects/pack_objects.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard {

// What the n-th call of objects_actor that changes the disk meets; see fault_point.c.
struct ActorFault {
  std::size_t at = 0;  // from 1
  std::string mode = "kill";
  int error_number = EIO;  // for the modes that fail
  unsigned lost = 0;       // for a power cut
};

// How the actor ended.
struct ActorEnd {
  std::optional<int> code;  // none when it was killed
  std::string out;
  std::string err;
  std::vector<std::string> calls;  // "<number> <call> <path>", in order; up to its death

  [[nodiscard]] bool told(const std::string& line) const;
  [[nodiscard]] std::string story() const;
};

// A folder with objects and records for objects_actor, gone at the end.
class ObjectsFaultStore {
 public:
  ObjectsFaultStore();
  // The same content in another place.
  ObjectsFaultStore(const ObjectsFaultStore& other);
  ObjectsFaultStore& operator=(const ObjectsFaultStore&) = delete;

  [[nodiscard]] const Path& root() const { return root_; }
  [[nodiscard]] Path objects_folder() const { return root_ / "objects"; }
  [[nodiscard]] std::unique_ptr<PackObjects> open() const;

  // Runs the actor to its end. Throws when a fault is not asked for and it fails.
  ActorEnd run(const std::vector<std::string>& words, const std::optional<ActorFault>& fault = std::nullopt) const;
  // Starts it; what it tells goes to the file `told`.
  [[nodiscard]] Process start(const std::vector<std::string>& words, const Path& told) const;
  [[nodiscard]] Path file(const std::string& name) const { return folder_.path() / name; }

  [[nodiscard]] std::set<std::string> records() const;
  [[nodiscard]] std::vector<Digest> objects_of(const std::string& record) const;

  // What is not as it must be, "" when all is well: every object that a record names is there bit for bit, unless it was
  // purged.
  [[nodiscard]] std::string lost_objects() const;
  // What fsck finds.
  [[nodiscard]] std::string damage() const;

 private:
  TempFolder folder_;
  Path root_ = folder_.path() / "store";
};

}  // namespace trainyard
