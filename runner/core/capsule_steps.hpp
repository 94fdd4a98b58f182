// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/core/capsule.hpp"

namespace trainyard {

// One step of checking a capsule: what to type, what it prints when all is well, and what that is worth.
struct CapsuleStep {
  std::string title;
  std::string about;
  std::string commands;
  std::string prints;
  std::string shows;
  std::string shows_not;
};

// Pure: the steps for what is in this capsule, in their order. What they print is what runner/engine/verify_capsule.py
// prints; a test follows them.
std::vector<CapsuleStep> capsule_steps(const CapsuleManifest& capsule);

}  // namespace trainyard
