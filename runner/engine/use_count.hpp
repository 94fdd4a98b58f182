// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace trainyard {

// What one owner has in the store.
struct UseOfOwner {
  std::uint64_t unique_bytes = 0;  // of objects that only this owner reaches: what would be free without it
  std::uint64_t shared_bytes = 0;  // of objects that others reach too
  std::uint64_t objects = 0;       // of both

  friend bool operator==(const UseOfOwner&, const UseOfOwner&) = default;
};

// Counts who reaches what: objects and owners are numbers, and each object has a size. Pure. Takes four bytes and a bit
// for each object, however many owners there are: therefore everything that one owner reaches is told before the next
// owner begins.
class UseCount {
 public:
  explicit UseCount(std::size_t objects) : last_(objects, kNobody), shared_(objects) {}

  // The owners are numbered from 0.
  void next_owner() { owners_.emplace_back(); }
  // The owner that began last reaches the object; any number of times.
  void reach(std::size_t object, std::uint64_t bytes);

  [[nodiscard]] const std::vector<UseOfOwner>& owners() const { return owners_; }
  [[nodiscard]] bool is_live(std::size_t object) const { return last_[object] != kNobody; }
  // Of all that is reached, each object once.
  [[nodiscard]] std::uint64_t live_bytes() const { return live_bytes_; }
  [[nodiscard]] std::uint64_t live_objects() const { return live_objects_; }
  // Of what more than one owner reaches, each object once.
  [[nodiscard]] std::uint64_t shared_bytes() const { return shared_bytes_; }

 private:
  static constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();

  std::vector<std::uint32_t> last_;  // the owner that reached each object last
  std::vector<bool> shared_;         // whether there was another before it
  std::vector<UseOfOwner> owners_;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t live_objects_ = 0;
  std::uint64_t shared_bytes_ = 0;
};

}  // namespace trainyard
