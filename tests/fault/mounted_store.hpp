// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "tests/fault/fault_store.hpp"

namespace trainyard {

// Whether this process may mount something. Says so where it may not, for ctest to count the test as skipped.
bool can_mount();

// A store on a file system of its own, in memory, whose room and files a test decides.
class MountedStore {
 public:
  explicit MountedStore(const FaultStore& content);
  MountedStore(const MountedStore&) = delete;
  MountedStore& operator=(const MountedStore&) = delete;
  ~MountedStore();

  [[nodiscard]] const FaultStore& store() const { return store_; }

  // Leaves so much room beyond what is there.
  void leave_bytes(std::uint64_t bytes) const;
  void leave_files(std::uint64_t files) const;
  // More than any test takes.
  void leave_plenty() const;

  void make_read_only() const;
  void make_writable() const;

 private:
  FaultStore store_;
};

// A read-only view over a store from now on, for everybody who opens something in it; what is open stays as it is.
class ReadOnlyView {
 public:
  explicit ReadOnlyView(const Path& root);
  ReadOnlyView(const ReadOnlyView&) = delete;
  ReadOnlyView& operator=(const ReadOnlyView&) = delete;
  ~ReadOnlyView();

 private:
  Path root_;
};

}  // namespace trainyard
