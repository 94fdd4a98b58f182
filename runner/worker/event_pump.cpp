// SPDX-License-Identifier: Apache-2.0
#include "runner/worker/event_pump.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "runner/core/worker_event.hpp"
#include "runner/processes/clock.hpp"
#include "runner/worker/event_log.hpp"

namespace trainyard {

Result<EventPump> EventPump::open(const JobFolder& folder, const SecretForms& secrets) {
  EventPump pump(secrets);
  pump.path_ = folder.events();
  pump.file_ = TRY(open_file(pump.path_, O_WRONLY | O_CREAT | O_APPEND, 0644));
  const Path fifo = folder.channel_events();
  if (::mkfifo(fifo.c_str(), 0600) != 0) return system_error("make", fifo, errno);
  // Also for writing: then it has a writer even when the job has none, and does not end.
  pump.fifo_ = TRY(open_file(fifo, O_RDWR | O_NONBLOCK));
  return pump;
}

bool EventPump::carry() {
  const ssize_t got = ::read(fifo_.get(), buffer_.data(), buffer_.size());
  if (got <= 0) return got < 0 && errno == EINTR;
  rest_.append(buffer_.data(), static_cast<std::size_t>(got));
  std::size_t begin = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
    if (!std::exchange(skipping_, false)) keep(std::string_view(rest_).substr(begin, end - begin));
    begin = end + 1;
  }
  rest_.erase(0, begin);
  if (rest_.size() > kLongestLine) {
    rest_.clear();
    skipping_ = true;
  }
  if (!lines_.empty() && !trouble_) {
    // Whole lines in one write: a reader of the file never sees a torn one.
    if (const auto written = write_all(file_.get(), lines_, path_); !written.ok()) trouble_ = written.error();
    written_ += lines_.size();
  }
  lines_.clear();
  return true;
}

void EventPump::keep(std::string_view line) {
  auto event = parse_worker_event(line);
  if (!event.ok()) return;
  if (!secrets_->empty()) std::visit([this](auto& what) { redact(what, *secrets_); }, event->what);
  event->time = now();
  lines_ += canonical(to_json(*event)) + "\n";
}

void EventPump::drain() {
  while (carry()) {
  }
}

Result<void> EventPump::sync() {
  if (trouble_) return *trouble_;
  // An exit that survives a power cut without the events before it would tell another story.
  return sync_file(file_.get(), path_);
}

}  // namespace trainyard
