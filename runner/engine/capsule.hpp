// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runner/core/capsule.hpp"
#include "runner/core/lineage.hpp"
#include "storage/store/store.hpp"
#include "storage/values/version_record.hpp"

namespace trainyard {

enum class CapsuleFiles { lists_only, with_data };

struct CapsuleOptions {
  CapsuleFiles data = CapsuleFiles::lists_only;
  // Called now and then in the calling thread: what is being written, and how much of all of it; of what cannot be told, 0
  // of 0.
  std::function<void(const std::string& what, std::uint64_t done, std::uint64_t all)> progress = {};
  std::function<bool()> cancelled = [] { return false; };
};

struct WrittenCapsule {
  CapsuleManifest manifest;
  ZipSummary zip;  // of the capsule itself
};

// Writes the capsule of a version; `lineage` is that of the version. What is missing is told in the capsule; only the
// package itself must be there. The bytes depend on what the store has of the version alone, and on its journal.
//
// The zip appears at `file` whole and durable, or not at all; something that is there already is `exists`. The parts are
// put together in the store's scratch, so that takes as much room again.
Result<WrittenCapsule> write_capsule(const VersionRecord& version, const Lineage& lineage, const Store& store,
                                     const Path& file, const CapsuleOptions& options);

}  // namespace trainyard
