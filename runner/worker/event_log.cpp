// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/event_log.hpp"

#include <fcntl.h>

#include "runner/processes/clock.hpp"

namespace trainyard {

namespace {

// Other processes of the job may write to the same fifo, where a long line alone is not sure to stay in one piece.
class WriterLock {
 public:
  explicit WriterLock(int fd) : fd_(fd) { set(F_WRLCK); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock() { set(F_UNLCK); }

 private:
  void set(short kind) const {
    struct flock lock {};
    lock.l_type = kind;
    lock.l_whence = SEEK_SET;
    static_cast<void>(::fcntl(fd_, F_SETLKW, &lock));
  }

  int fd_;
};

}  // namespace

Result<UniqueFd> EventLog::open(const Path& path) { return open_file(path, O_WRONLY | O_APPEND); }

Result<void> EventLog::write(What what) {
  if (!secrets_.empty()) std::visit([this](auto& event) { redact(event, secrets_); }, what);
  const std::lock_guard lock(mutex_);
  const std::string line = canonical(to_json(WorkerEvent{now(), std::move(what)})) + "\n";
  const WriterLock alone(file_.get());
  return write_all(file_.get(), line, path_);
}

}  // namespace trainyard
