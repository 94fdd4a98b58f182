// SPDX-License-Identifier: Apache-2.0
#include "storage/objects/write_hold.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace trainyard {

namespace {

// False when somebody else holds it and `how` says not to wait.
Result<bool> lock(const UniqueFd& fd, int how, const Path& path) {
  while (::flock(fd.get(), how) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) return system_error("lock", path, errno);
  }
  return true;
}

// Who may not write takes part all the same where the file is there: it is what it reads that nobody shall remove.
Result<UniqueFd> open_lock(const Path& path) {
  auto opened = open_file(path, O_RDWR | O_CREAT, 0666);
  if (opened.ok()) return opened;
  auto readable = open_file(path, O_RDONLY);
  return readable.ok() ? std::move(readable) : std::move(opened);
}

}  // namespace

Result<WriteHold> WriteHold::shared(const Path& objects) {
  const UniqueFd gate = TRY(open_lock(objects / "gate"));
  TRY(lock(gate, LOCK_SH, objects / "gate"));
  UniqueFd held = TRY(open_lock(objects / "lock"));
  TRY(lock(held, LOCK_SH, objects / "lock"));
  return WriteHold(UniqueFd(), std::move(held));
}

Result<std::optional<WriteHold>> WriteHold::exclusive(const Path& objects, Wait wait) {
  const int how = wait == Wait::yes ? LOCK_EX : LOCK_EX | LOCK_NB;
  UniqueFd gate = TRY(open_lock(objects / "gate"));
  if (!TRY(lock(gate, how, objects / "gate"))) return std::optional<WriteHold>();
  UniqueFd held = TRY(open_lock(objects / "lock"));
  if (!TRY(lock(held, how, objects / "lock"))) return std::optional<WriteHold>();
  return std::optional<WriteHold>(WriteHold(std::move(gate), std::move(held)));
}

}  // namespace trainyard
