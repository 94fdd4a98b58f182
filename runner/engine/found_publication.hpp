// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runner/core/published_version.hpp"
#include "storage/remotes/remote.hpp"

namespace trainyard {

// A version as a remote shows it.
struct FoundPublication {
  OciDescriptor manifest;
  std::string text;  // of the manifest
  PublishedVersion publication;
};
// `not_found` names what is near, `corrupt` for what is no publication of that version.
Result<FoundPublication> find_publication(Remote& remote, const PackageReference& reference);

// Every blob of a published version and of what is attached to it, read and held against its digest. Yields how many bytes
// that were; the first that is wrong is the error. `progress` is told from any thread.
Result<std::uint64_t> verify_publication(Remote& remote, const PackageReference& reference,
                                         const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

}  // namespace trainyard
