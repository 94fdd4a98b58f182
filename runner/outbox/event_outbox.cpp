// SPDX-License-Identifier: Apache-2.0
#include "runner/outbox/event_outbox.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kSuffix = ".jsonl";
constexpr std::string_view kMark = ".sending";
constexpr const char* kLock = "lock";
constexpr const char* kFailure = "last-failure.json";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Appends whole lines to a file that others may write too; as whole as a lock can make it.
Result<void> append_lines(const Path& path, const std::vector<std::string>& lines) {
  const UniqueFd file = TRY(open_file(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return system_error("lock", path, errno);
  }
  const off_t before = ::lseek(file.get(), 0, SEEK_END);
  char last = '\n';
  if (before > 0 && ::pread(file.get(), &last, 1, before - 1) != 1) return system_error("read", path, errno);
  const auto written = write_all(file.get(), (last == '\n' ? "" : "\n") + text_of(lines), path);
  if (!written.ok() && before >= 0) static_cast<void>(::ftruncate(file.get(), before) == 0);
  return written;
}

}  // namespace

Result<void> EventOutbox::put(const RunId& run, const std::string& lines) const {
  TRY(make_folders(folder_));
  const auto put = publish_file(scratch_, file_of(run), lines, 0644, Durable::yes);
  return put.ok() || put.error().code == Errc::exists ? Result<void>() : put;
}

Result<std::vector<RunId>> EventOutbox::runs() const {
  std::vector<RunId> runs;
  if (!is_there(folder_)) return runs;
  for (const std::string& name : TRY(list_folder(folder_))) {
    if (!name.ends_with(kSuffix)) continue;
    auto run = RunId::parse(std::string_view(name).substr(0, name.size() - kSuffix.size()));
    if (run.ok()) runs.push_back(std::move(*run));
  }
  return runs;
}

Result<std::vector<WaitingEvents>> EventOutbox::waiting() const {
  std::vector<WaitingEvents> all;
  for (const RunId& run : TRY(runs())) {
    const auto text = read_file(file_of(run), limits::kRecordBytes);
    // Somebody may just have delivered it.
    if (!text.ok() && text.error().code == Errc::not_found) continue;
    WaitingEvents waiting{run, {}};
    waiting.events = lines_of(TRY(text));
    all.push_back(std::move(waiting));
  }
  return all;
}

std::optional<MissedDelivery> EventOutbox::last_failure() const {
  const auto text = read_file(folder_ / kFailure, limits::kRecordBytes);
  if (!text.ok()) return std::nullopt;
  const auto json = parse_json(*text, "the last failure");
  if (!json.ok()) return std::nullopt;
  Fields fields(*json, "the last failure");
  const auto at = fields.parsed("at", Instant::parse);
  std::string message = fields.text("message");
  if (!fields.finish().ok()) return std::nullopt;
  return MissedDelivery{*at, std::move(message)};
}

void EventOutbox::note_failure(const Delivery& delivery, Instant now) const {
  if (delivery.left.empty()) {
    static_cast<void>(remove_file(folder_ / kFailure));
    return;
  }
  const Json note = {{"at", now.text()}, {"message", utf8_cleaned(delivery.left.back().why)}};
  static_cast<void>(replace_file(scratch_, folder_ / kFailure, canonical(note) + "\n", 0644, Durable::no));
}

// One delivery, from when it has the lock.
class EventOutbox::Sending {
 public:
  Sending(const EventOutbox& outbox, const EventTarget& target, const Wish& wish, Delivery& delivery)
      : outbox_(outbox), target_(target), wish_(wish), delivery_(delivery) {}

  // Whether it makes sense to go on with the next run.
  Result<bool> send(const RunId& run) {
    const auto text = read_file(outbox_.file_of(run), limits::kRecordBytes);
    if (!text.ok() && text.error().code == Errc::not_found) return true;
    std::vector<std::string> events = lines_of(TRY(text));
    const std::size_t all = events.size();
    const Receipt receipt = target_.kind == EventTarget::Kind::http ? TRY(post(run, events)) : TRY(append(run, events));
    delivery_.events += all - events.size();
    if (events.empty()) ++delivery_.runs;
    return receipt != Receipt::missed;
  }

 private:
  // Takes away from `events` what was taken, here and in the outbox.
  Result<Receipt> post(const RunId& run, std::vector<std::string>& events) {
    while (!events.empty()) {
      if (wish_.in_all && std::chrono::steady_clock::now() - begin_ > *wish_.in_all)
        return left(run, Receipt::missed, "there was no more time");
      const auto answer = http_->send({.method = "POST",
                                       .url = target_.place,
                                       .headers = {{"Content-Type", "application/json"}},
                                       .body = HttpBody::of(events.front()),
                                       .patience = wish_.patience});
      if (!answer.ok()) return left(run, Receipt::missed, answer.error().message);
      const Receipt receipt = receipt_of(answer->status);
      if (receipt != Receipt::taken) {
        return left(run, receipt, "'" + target_.place + "' answered " + text_of(*answer));
      }
      events.erase(events.begin());
      if (!events.empty()) {
        TRY(replace_file(outbox_.scratch_, outbox_.file_of(run), text_of(events), 0644, Durable::no));
      } else {
        TRY(remove_file(outbox_.file_of(run)));
      }
    }
    return Receipt::taken;
  }

  Result<Receipt> append(const RunId& run, std::vector<std::string>& events) {
    const Path mark = outbox_.mark_of(run);
    if (is_there(mark)) {
      TRY(drop_what_is_there(events));
    } else {
      TRY(publish_file(outbox_.scratch_, mark, "", 0644, Durable::no));
    }
    if (!events.empty()) {
      const auto appended = append_lines(target_.place, events);
      if (!appended.ok()) return left(run, Receipt::missed, appended.error().message);
    }
    events.clear();
    TRY(remove_file(outbox_.file_of(run)));
    TRY(remove_file(mark));
    return Receipt::taken;
  }

  Result<void> drop_what_is_there(std::vector<std::string>& events) const {
    if (!is_there(target_.place)) return {};
    const std::vector<std::string> lines = lines_of(TRY(read_file(target_.place, limits::kTreeBytes)));
    const std::set<std::string_view> known(lines.begin(), lines.end());
    std::erase_if(events, [&](const std::string& event) { return known.contains(event); });
    return {};
  }

  Receipt left(const RunId& run, Receipt receipt, std::string why) {
    delivery_.left.push_back({run, std::move(why)});
    return receipt;
  }

  const EventOutbox& outbox_;
  const EventTarget& target_;
  const Wish& wish_;
  Delivery& delivery_;
  const std::unique_ptr<HttpClient> http_ = curl_http();
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

Result<Delivery> EventOutbox::deliver(const EventTarget& target, const Wish& wish,
                                      const std::function<bool(const RunId& run)>& unfinished, Instant now) const {
  Delivery delivery;
  Sending sending(*this, target, wish, delivery);
  std::set<RunId> seen;
  const auto fresh = [&]() -> Result<std::vector<RunId>> {
    std::vector<RunId> runs = TRY(this->runs());
    std::erase_if(runs, [&](const RunId& run) { return seen.contains(run) || unfinished(run); });
    return runs;
  };
  bool reachable = true;
  // Who found the lock taken has put its events before, so they are looked for again once it was given back.
  for (auto runs = TRY(fresh()); reachable && !runs.empty(); runs = TRY(fresh())) {
    const auto lock = TRY(FileLock::try_lock(folder_ / kLock));
    if (!lock) {
      delivery.elsewhere = seen.empty();
      return delivery;
    }
    for (const RunId& run : runs) {
      seen.insert(run);
      reachable = TRY(sending.send(run));
      if (!reachable) break;
    }
    note_failure(delivery, now);
  }
  return delivery;
}

}  // namespace trainyard
