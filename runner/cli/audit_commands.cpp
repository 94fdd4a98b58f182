// SPDX-License-Identifier: Apache-2.0
#include <deque>

#include "runner/cli/commands.hpp"
#include "runner/cli/known_runs.hpp"
#include "runner/cli/progress.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/audit.hpp"
#include "storage/packages/registry.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Result<std::optional<DsseEnvelope>> kept_head(const std::string& file) {
  if (file.empty()) return std::optional<DsseEnvelope>();
  const auto json = parse_json(TRY(read_file(file, limits::kRecordBytes)), "'" + file + "'");
  auto head = json.ok() ? dsse_envelope_from(*json) : Result<DsseEnvelope>(json.error());
  if (!head.ok()) return fail(Errc::invalid, "'" + file + "' is no head of a journal: " + head.error().message);
  return std::optional(std::move(*head));
}

bool is_file(const std::string& path) {
  const auto status = status_of(path);
  return status.ok() && *status && S_ISREG((*status)->st_mode);
}

Result<Audit> audit_named(const std::string& subject, const Store& store, const AuditOptions& options) {
  if (subject.empty()) return audit_store(store, options);
  const PackageRegistry registry(store.packages(), store.journal());
  const auto reference = PackageReference::parse(subject);
  if (subject.find('@') != std::string::npos) return audit_version(store, TRY(registry.find(TRY(reference))), options);
  const auto run = find_run(store, subject);
  if (run.ok()) {
    if (!run->is_over()) {
      return fail(Errc::unavailable, "the run " + run->plan.name.text() +
                                         " is not over; audit it then, or wait with 'trainyard runs logs --follow'");
    }
    return audit_run(store, run->plan.run, options);
  }
  if (reference.ok()) {
    if (const auto version = registry.find(*reference); version.ok()) return audit_version(store, *version, options);
  }
  return run.error();
}

// A results file can be looked at where there is no store.
Result<Audit> make_audit(const command::Audit& command, const Invocation& invocation, const AuditOptions& options) {
  if (!is_file(command.subject)) return audit_named(command.subject, TRY(open_store(invocation)), options);
  const std::string results = TRY(read_file(command.subject, limits::kRecordBytes));
  const auto store = open_store(invocation);
  if (!store.ok() && store.error().code != Errc::not_found) return store.error();
  return audit_results(results, store.ok() ? &*store : nullptr, options);
}

void print_audit(const Audit& audit) {
  std::vector<std::vector<std::string>> rows;
  for (const AuditLink& link : audit.links)
    rows.push_back({std::string(name_of(link.verdict)), printable(link.link), printable(link.why)});
  print(table(rows) + "\n");
  const std::size_t broken = audit.count(AuditVerdict::broken);
  const std::size_t open = audit.count(AuditVerdict::unverifiable);
  const std::string subject = printable(audit.subject);
  if (broken > 0) {
    print(subject + " is BROKEN: " + plural(broken, "link") + " of " + std::to_string(audit.links.size()) +
          " contradict what was recorded\n");
  } else {
    print(subject + ": nothing contradicts what was recorded; " + std::to_string(audit.count(AuditVerdict::verified)) +
          " of " + plural(audit.links.size(), "link") + " verified" +
          (open > 0 ? ", " + std::to_string(open) + " cannot be any more" : "") + "\n");
  }
}

std::string digest_text(const std::optional<Digest>& digest) { return digest ? digest->hex().substr(0, 12) : "-"; }

}  // namespace

Result<ExitCode> perform(const command::Audit& command, const Invocation& invocation) {
  StatusLine line;
  AuditOptions options;
  options.progress = progress_on(line, "read");
  options.witness = TRY(kept_head(command.head));
  const Audit audit = TRY(make_audit(command, invocation, options));
  line.clear();
  if (invocation.output == Output::json) {
    print_json(to_json(audit));
  } else {
    print_audit(audit);
  }
  return audit.count(AuditVerdict::broken) == 0 ? ExitCode::ok : ExitCode::no;
}

Result<ExitCode> perform(const command::JournalList& command, const Invocation& invocation) {
  std::size_t limit = SIZE_MAX;
  if (!command.limit.empty()) {
    const auto number = number_in<std::size_t>(command.limit);
    if (!number || *number == 0)
      return fail(Errc::invalid, "'" + command.limit + "' is no number of lines; give --limit a number from 1 on");
    limit = *number;
  }
  const Store store = TRY(open_store(invocation));
  std::deque<StoreEntry> entries;
  TRY(store.journal().read([&](std::string_view line) -> Result<void> {
    auto entry = StoreEntry::parse(line);
    if (!entry.ok()) {
      return fail(Errc::corrupt, "a line of the journal cannot be read, as 'trainyard journal verify' tells: " +
                                     entry.error().message);
    }
    if (!command.subject.empty() && entry->event.subject != command.subject) return {};
    entries.push_back(std::move(*entry));
    if (entries.size() > limit) entries.pop_front();
    return {};
  }));
  if (invocation.output == Output::json) {
    Json list = Json::array();
    for (const StoreEntry& entry : entries) list.push_back(to_json(entry));
    print_json(list);
    return ExitCode::ok;
  }
  std::vector<std::vector<std::string>> rows = {{"LINE", "TIME", "WHO", "WHAT", "SUBJECT", "SHA-256"}};
  for (const StoreEntry& entry : entries) {
    rows.push_back({std::to_string(entry.sequence), entry.event.time.short_text(), printable(entry.actor),
                    std::string(name_of(entry.event.action)),
                    entry.event.subject.empty() ? "-" : printable(entry.event.subject),
                    digest_text(entry.event.digest)});
  }
  print(table(rows));
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::JournalVerify& command, const Invocation& invocation) {
  const auto witness = TRY(kept_head(command.head));
  const Store store = TRY(open_store(invocation));
  const StoreJournal journal = store.journal();
  const JournalReading reading = TRY(check_journal(journal, TRY(journal.keys().list()), witness));
  const bool sound = reading.problems.empty();
  if (invocation.output == Output::json) {
    print_json({{"sound", sound},
                {"lines", reading.lines},
                {"head", reading.head ? Json({{"size", reading.head->size}, {"root", reading.head->root.hex()}})
                                      : Json(nullptr)},
                {"signers", reading.signers},
                {"problems", reading.problems}});
  } else if (sound) {
    const bool is_signed = !reading.signers.empty();
    print("the journal is whole (" + plural(reading.lines, "line") +
          (is_signed ? ", signed by the key " + reading.signers.front() : ", no signed head") + ")\n");
  }
  for (const std::string& problem : reading.problems) complain(problem);
  return sound ? ExitCode::ok : ExitCode::no;
}

Result<ExitCode> perform(const command::JournalHead& command, const Invocation& invocation) {
  const Store store = TRY(open_store(invocation));
  const auto head = TRY(store.journal().head());
  if (!head) {
    return fail(Errc::not_found,
                "the journal of the store has no signed head yet; the next command that adds something "
                "to the store makes one");
  }
  const std::string text = readable(to_json(*head));
  if (command.file.empty() || command.file == "-") {
    print(text);
    return ExitCode::ok;
  }
  const Path file = TRY(absolute_path(command.file));
  TRY(publish_file(file.parent_path(), file, text, 0644, Durable::yes));
  if (invocation.output == Output::text) print("wrote " + command.file + "\n");
  return ExitCode::ok;
}

}  // namespace trainyard
