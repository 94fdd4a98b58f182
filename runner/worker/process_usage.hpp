// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>

namespace trainyard {

// Of a process that has ended all of these are zero.

struct ProcessUse {
  // RssAnon and RssShmem of /proc/PID/status: what the process keeps in memory and no file could give back. It takes
  // microseconds, but pages that processes share count for each of them. The "shared" of statm would not do: it has
  // the files with it, which the kernel may drop, and a job can fill the machine through shared memory alone.
  std::int64_t most_memory_bytes = 0;
  std::int64_t threads = 0;
};
ProcessUse use_of_process(pid_t pid);

// The memory with a page that n processes share as an n-th for each (Pss_Anon, Pss_Shmem): what a forked child has in
// common with its parent counts once. The kernel walks all page tables for it: about 40 ms for each GiB.
std::int64_t shared_out_memory_of(pid_t pid);

std::int64_t open_files_of(pid_t pid);

}  // namespace trainyard
