// SPDX-License-Identifier: Apache-2.0
#include "storage/files/name_once.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace trainyard {

Result<void> name_once(const Path& made, const Path& name) {
  if (::link(made.c_str(), name.c_str()) == 0) return remove_file(made);
  // Some file systems have no links.
  const bool no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
  if (no_links && ::renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return {};
  return system_error("create", name, errno);
}

}  // namespace trainyard
