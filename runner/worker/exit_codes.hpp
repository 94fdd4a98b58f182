// SPDX-License-Identifier: Apache-2.0
#pragma once

// The exit codes of trainyard-worker. Behind `run`, every other code is the package's own.
namespace trainyard {

inline constexpr int kDone = 0;
inline constexpr int kUsage = 2;
inline constexpr int kTrouble = 70;  // the worker itself could not do its work; stderr says why

}  // namespace trainyard
