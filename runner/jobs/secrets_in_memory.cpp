// SPDX-License-Identifier: Apache-2.0
#include "runner/jobs/secrets_in_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "storage/files/files.hpp"

namespace trainyard {

Result<UniqueFd> secrets_in_memory(const Secrets& secrets) {
  if (secrets.empty()) return UniqueFd();
  UniqueFd file(::memfd_create("secrets", MFD_CLOEXEC));
  if (!file) return system_error("make", "a file in memory", errno);
  TRY(write_all(file.get(), secrets_json(secrets), "a file in memory"));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return system_error("rewind", "a file in memory", errno);
  return file;
}

}  // namespace trainyard
