// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/event_log.hpp"

#include <fcntl.h>

#include <cerrno>

#include "runner/processes/clock.hpp"

namespace trainyard {

namespace {

// What a package says in its own words.
template <class Event>
void redact(Event& event, const SecretForms& secrets) {
  if constexpr (requires { event.text; }) event.text = secrets.redacted(event.text);
  if constexpr (requires { event.note; }) event.note = secrets.redacted(event.note);
  if constexpr (requires { event.message; }) event.message = secrets.redacted(event.message);
}

}  // namespace

Result<UniqueFd> EventLog::open(const Path& path) { return open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0644); }

Result<void> EventLog::write(What what) {
  if (!secrets_.empty()) std::visit([this](auto& event) { redact(event, secrets_); }, what);
  // Time and line under one lock, so that times never go back within the file.
  const std::lock_guard lock(mutex_);
  const std::string line = canonical(to_json(WorkerEvent{now(), std::move(what)})) + "\n";
  struct stat before {};
  ssize_t written = -1;
  if (::fstat(file_.get(), &before) == 0) {
    do {
      written = ::write(file_.get(), line.data(), line.size());
    } while (written < 0 && errno == EINTR);
  }
  if (written == static_cast<ssize_t>(line.size())) return {};
  const int error = written < 0 ? errno : ENOSPC;
  // A torn line would swallow the next one.
  if (written > 0) static_cast<void>(::ftruncate(file_.get(), before.st_size));
  return system_error("write", path_, error);
}

}  // namespace trainyard
