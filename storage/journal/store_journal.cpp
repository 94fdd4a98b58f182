// SPDX-License-Identifier: Apache-2.0
#include "storage/journal/store_journal.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "storage/values/limits.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// A record is quoted in its line, where one byte may become six.
constexpr std::size_t kLongestLine = 8 * limits::kRecordBytes;
constexpr const char* kHeadFile = "head.json";
constexpr std::size_t kBlock = std::size_t{64} << 10U;

std::string login_name() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return entry.pw_name;
  return std::to_string(::geteuid());
}

// The file's last complete line, and where it ends. Empty of a file without one.
struct Tail {
  std::string line;
  std::uint64_t end = 0;
};

Result<Tail> read_tail(int fd, const Path& shown) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error("look at", shown, errno);
  std::string bytes;  // the end of the file, as far as it was read
  auto begin = static_cast<std::uint64_t>(status.st_size);
  std::size_t end = std::string::npos;  // of the last line in `bytes`
  while (begin > 0) {
    const std::size_t part = std::min<std::uint64_t>(kBlock, begin);
    std::string block(part, '\0');
    begin -= part;
    if (::pread(fd, block.data(), part, static_cast<off_t>(begin)) != static_cast<ssize_t>(part))
      return system_error("read", shown, errno);
    bytes.insert(0, block);
    if (end != std::string::npos) end += part;
    if (end == std::string::npos) end = bytes.rfind('\n');
    if (end == std::string::npos) continue;
    const std::size_t before = end == 0 ? std::string::npos : bytes.rfind('\n', end - 1);
    if (before != std::string::npos || begin == 0) {
      const std::size_t first = before == std::string::npos ? 0 : before + 1;
      return Tail{bytes.substr(first, end - first), begin + end + 1};
    }
    if (bytes.size() > kLongestLine) break;
  }
  if (bytes.size() > kLongestLine)
    return fail(Errc::corrupt, "the journal '" + shown.string() + "' has a line of more than " +
                                   std::to_string(kLongestLine) + " bytes");
  return Tail{};
}

Result<bool> ends_with_line(const Path& file, std::string_view line) {
  const auto fd = open_file(file, O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) return false;
  if (!fd.ok()) return fd.error();
  return TRY(read_tail(fd->get(), file)).line == line;
}

// Takes off what a full disk or a power cut left of a line. A whole file is not touched.
Result<void> cut(int fd, std::uint64_t end, const Path& shown) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error("look at", shown, errno);
  if (static_cast<std::uint64_t>(status.st_size) == end) return {};
  if (::ftruncate(fd, static_cast<off_t>(end)) != 0) return system_error("shorten", shown, errno);
  return {};
}

bool takes_away(StoreEvent::Action action) {
  return action == StoreEvent::Action::version_removed || action == StoreEvent::Action::snapshot_removed;
}

Result<void> take_away(const Path& file) {
  TRY(remove_file(file));
  return sync_folder(file.parent_path());
}

// None where there is no file.
Result<std::optional<Digest>> digest_of(const Path& file) {
  const auto fd = open_file(file, O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) return std::optional<Digest>();
  if (!fd.ok()) return fd.error();
  Sha256 hash;
  std::vector<std::byte> block(kBlock);
  for (;;) {
    const std::size_t got = TRY(read_some(fd->get(), block, file));
    hash.update(std::span(block).first(got));
    if (got < block.size()) return std::optional(hash.finish());
  }
}

Result<void> make_folder_of(const Path& file) {
  const auto made = make_folder(file.parent_path());
  if (!made.ok() && made.error().code != Errc::exists) return made.error();
  return made.ok() ? sync_folder(file.parent_path().parent_path()) : Result<void>();
}

// Nothing is left to do of most events.
Result<bool> is_done(const Path& root, const StoreEvent& event) {
  if (!event.path || (!event.record && !takes_away(event.action))) return true;
  const Path file = root / event.path->bytes();
  if (takes_away(event.action)) return !is_there(file);
  if (event.action == StoreEvent::Action::decided) return ends_with_line(file, *event.record);
  return is_there(file);
}

}  // namespace

Result<void> StoreJournal::create(Instant now) const {
  const Path folder = entries().parent_path();
  TRY(make_folder_of(entries()));
  if (is_begun()) return {};
  return tell({StoreEvent::Action::store_created, now, ""});
}

Result<StoreJournal::Session> StoreJournal::begin() const {
  TRY(make_folder_of(entries()));
  return begin(TRY(FileLock::wait(entries().parent_path() / "lock")));
}

Result<void> StoreJournal::finish_announced() const {
  const auto fd = open_file(entries(), O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) return {};
  if (!fd.ok()) return fd.error();
  const auto last = StoreEntry::parse(TRY(read_tail(fd->get(), entries())).line);
  if (!last.ok() || TRY(is_done(root_, last->event))) return {};
  auto lock = TRY(FileLock::try_lock(entries().parent_path() / "lock"));
  if (lock) TRY(begin(std::move(*lock)));
  return {};
}

Error StoreJournal::cut_short(std::uint64_t lines, const JournalHead& head) const {
  return fail(Errc::corrupt, "the journal '" + entries().string() + "' has " + std::to_string(lines) +
                                 " lines, and the store has signed that there are " +
                                 std::to_string(head.frontier.size()) +
                                 ": it was cut short, so nothing is added; bring the whole journal back");
}

Result<std::optional<DsseEnvelope>> StoreJournal::head() const {
  const Path file = entries().parent_path() / kHeadFile;
  const auto text = read_file(file, limits::kRecordBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return std::optional<DsseEnvelope>();
  if (!text.ok()) return text.error();
  const auto json = parse_json(*text, "'" + file.string() + "'");
  auto envelope = json.ok() ? dsse_envelope_from(*json) : Result<DsseEnvelope>(json.error());
  if (!envelope.ok())
    return fail(Errc::corrupt, "'" + file.string() + "' is no signed head: " + envelope.error().message);
  return std::optional(std::move(*envelope));
}

std::optional<JournalHead> StoreJournal::own_head() const {
  const auto envelope = head();
  if (!envelope.ok() || !*envelope) return std::nullopt;
  const auto key = keys().find(KeyRing::default_name().text());
  if (!key.ok() || check_envelope(**envelope, {*key}).signers.empty()) return std::nullopt;
  const auto told = head_in(**envelope);
  return told.ok() ? std::optional(*told) : std::nullopt;
}

void StoreJournal::seal(Session& session) const {
  const auto key = keys().default_key();
  if (!key.ok()) return;
  if (!session.frontier_) {
    MerkleFrontier frontier;
    const auto all = read([&](std::string_view line) {
      frontier.append(merkle_leaf(line));
      return Result<void>();
    });
    if (!all.ok()) return;
    session.frontier_ = std::move(frontier);
  }
  const auto envelope = sign_head({session.told_at_, *session.frontier_}, *key);
  if (!envelope.ok()) return;
  static_cast<void>(
      replace_file(scratch_, entries().parent_path() / kHeadFile, readable(to_json(*envelope)), 0644, Durable::no));
}

Result<StoreJournal::Session> StoreJournal::begin(FileLock lock) const {
  const bool fresh = !is_begun();
  UniqueFd fd = TRY(open_file(entries(), O_RDWR | O_CREAT, 0644));
  if (fresh) TRY(sync_folder(entries().parent_path()));
  const Tail tail = TRY(read_tail(fd.get(), entries()));
  Session session(std::move(lock), std::move(fd), entries(), login_name());
  session.size_ = session.before_ = tail.end;
  const std::optional<JournalHead> head = own_head();
  if (tail.end == 0) {
    if (head && head->frontier.size() > 0) return cut_short(0, *head);
    TRY(cut(session.fd_.get(), 0, entries()));
    session.frontier_.emplace();
    return session;
  }
  const auto last = StoreEntry::parse(tail.line);
  if (!last.ok()) {
    return fail(last.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt,
                "the journal '" + entries().string() + "' cannot be gone on with: " + last.error().message +
                    "; 'trainyard journal verify' tells more");
  }
  if (head && head->frontier.size() > last->sequence + 1) return cut_short(last->sequence + 1, *head);
  if (head && head->frontier.size() == last->sequence + 1) session.frontier_ = head->frontier;
  TRY(cut(session.fd_.get(), tail.end, entries()));
  session.next_ = last->sequence + 1;
  session.previous_ = session.before_last_ = merkle_leaf(tail.line);
  session.last_ = *last;
  TRY(finish(*last, session));
  return session;
}

Result<void> StoreJournal::finish(const StoreEntry& last, Session& session) const {
  const StoreEvent& event = last.event;
  if (event.action == StoreEvent::Action::version_attested) {
    StoreEvent left = event;
    left.digest = TRY(digest_of(root_ / event.path->bytes()));
    return left == event ? Result<void>() : session.append(left);
  }
  if (TRY(is_done(root_, event))) return {};
  const Path file = root_ / event.path->bytes();
  if (takes_away(event.action)) return take_away(file);
  TRY(make_folder_of(file));
  if (event.action == StoreEvent::Action::decided) return append_line(file, *event.record, Durable::yes);
  return publish_file(scratch_, file, *event.record, 0444, Durable::yes);
}

Result<void> StoreJournal::Session::append(const StoreEvent& event) {
  const StoreEntry entry{next_, actor_, previous_, event};
  const std::string line = entry.line();
  const std::string bytes = line + "\n";
  const auto written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
  const int error = written < 0 ? errno : ENOSPC;
  if (written != static_cast<ssize_t>(bytes.size())) {
    static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(size_)));
    return system_error("write", path_, error);
  }
  if (const auto synced = sync_file(fd_.get(), path_); !synced.ok()) {
    static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(size_)));
    return synced;
  }
  before_ = std::exchange(size_, size_ + bytes.size());
  before_last_ = std::exchange(previous_, merkle_leaf(line));
  before_frontier_ = frontier_;
  if (frontier_) frontier_->append(*previous_);
  told_at_ = event.time;
  ++next_;
  return {};
}

Result<void> StoreJournal::Session::take_back() {
  if (size_ == before_) return {};
  if (::ftruncate(fd_.get(), static_cast<off_t>(before_)) != 0) return system_error("shorten", path_, errno);
  size_ = before_;
  previous_ = before_last_;
  frontier_ = before_frontier_;
  --next_;
  return sync_file(fd_.get(), path_);
}

Result<void> StoreJournal::publish(Session& session, const StoreEvent& event) const {
  const Path file = root_ / event.path->bytes();
  if (is_there(file)) return fail(Errc::exists, "'" + file.string() + "' is there already");
  TRY(session.append(event));
  auto published = publish_file(scratch_, file, *event.record, 0444, Durable::yes);
  if (!published.ok() && !is_there(file)) TRY(session.take_back());
  if (published.ok()) seal(session);
  return published;
}

Result<void> StoreJournal::append_record(Session& session, const StoreEvent& event) const {
  TRY(session.append(event));
  const Path file = root_ / event.path->bytes();
  auto appended = append_line(file, *event.record, Durable::yes);
  if (appended.ok()) {
    seal(session);
    return appended;
  }
  const auto there = ends_with_line(file, *event.record);
  if (there.ok() && !*there) TRY(session.take_back());
  return appended;
}

Result<void> StoreJournal::remove(Session& session, const StoreEvent& event) const {
  TRY(session.append(event));
  const Path file = root_ / event.path->bytes();
  auto removed = take_away(file);
  if (!removed.ok() && is_there(file)) TRY(session.take_back());
  if (removed.ok()) seal(session);
  return removed;
}

Result<void> StoreJournal::replace(Session& session, const StoreEvent& event, std::string_view content) const {
  TRY(session.append(event));
  const Path file = root_ / event.path->bytes();
  auto replaced = replace_file(scratch_, file, content, 0444, Durable::yes);
  if (replaced.ok()) {
    seal(session);
  } else if (TRY(digest_of(file)) != event.digest) {
    TRY(session.take_back());
  }
  return replaced;
}

Result<void> StoreJournal::tell(const StoreEvent& event) const {
  Session session = TRY(begin());
  TRY(session.append(event));
  seal(session);
  return {};
}

Result<void> StoreJournal::read(const std::function<Result<void>(std::string_view line)>& each) const {
  const auto fd = open_file(entries(), O_RDONLY);
  if (!fd.ok() && fd.error().code == Errc::not_found) return {};
  if (!fd.ok()) return fd.error();
  std::string bytes;
  std::vector<std::byte> block(std::size_t{1} << 20U);
  for (;;) {
    const std::size_t got = TRY(read_some(fd->get(), block, entries()));
    if (got == 0) return {};
    bytes.append(reinterpret_cast<const char*>(block.data()), got);
    std::size_t begin = 0;
    for (std::size_t end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n', begin)) {
      TRY(each(std::string_view(bytes).substr(begin, end - begin)));
      begin = end + 1;
    }
    bytes.erase(0, begin);
    if (bytes.size() > kLongestLine) {
      return fail(Errc::corrupt, "the journal '" + entries().string() + "' has a line of more than " +
                                     std::to_string(kLongestLine) + " bytes");
    }
  }
}

}  // namespace trainyard
