// SPDX-License-Identifier: Apache-2.0
#include "runner/jobs/event_tail.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace trainyard {

Result<std::vector<WorkerEvent>> EventTail::poll() {
  std::vector<WorkerEvent> events;
  const auto fd = open_file(file_, O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) return events;
  if (!fd.ok()) return fd.error();
  if (::lseek(fd->get(), static_cast<off_t>(offset_), SEEK_SET) < 0) return system_error("read", file_, errno);
  std::array<std::byte, std::size_t{1} << 16U> buffer;
  for (;;) {
    const std::size_t got = TRY(read_some(fd->get(), buffer, file_));
    offset_ += got;
    rest_.append(reinterpret_cast<const char*>(buffer.data()), got);
    std::size_t begin = 0;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      if (auto event = parse_worker_event(std::string_view(rest_).substr(begin, end - begin)); event.ok())
        events.push_back(std::move(*event));
      begin = end + 1;
    }
    rest_.erase(0, begin);
    if (got < buffer.size()) return events;
  }
}

Result<JobWord> last_word(const Path& events) {
  EventTail tail(events);
  JobWord word;
  for (const WorkerEvent& event : TRY(tail.poll())) {
    if (const auto* const ended = std::get_if<event::Ended>(&event.what)) word.ended = *ended;
    if (const auto* const scored = std::get_if<event::Scored>(&event.what)) word.score = scored->score;
    const auto* const called = std::get_if<event::Called>(&event.what);
    if (called != nullptr && called->verb == name_of(Verb::train)) word.trained_on = called->directory;
  }
  return word;
}

}  // namespace trainyard
