// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace trainyard {

// Counts Ctrl-C (SIGINT), SIGTERM and SIGHUP from now on instead of dying of them. One per process.
void count_interrupts();
// How often the process was asked to end.
int interrupts();

}  // namespace trainyard
