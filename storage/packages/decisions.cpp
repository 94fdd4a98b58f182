// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/decisions.hpp"

#include "storage/values/named_enum.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kDecisionSchema = "trainyard.decision/1";
constexpr std::string_view kKinds[] = {"labelled", "unlabelled", "approved", "rejected", "deleted"};
constexpr std::string_view kApprovals[] = {"PendingManualApproval", "Approved", "Rejected"};
constexpr std::size_t kMostDecisionBytes = std::size_t{256} << 20U;

Result<Decision::Kind> parse_kind(std::string_view text) {
  if (const auto kind = enum_named<Decision::Kind>(kKinds, text)) return *kind;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a kind of decision");
}

bool has_label(Decision::Kind kind) { return kind == Decision::Kind::labelled || kind == Decision::Kind::unlabelled; }

}  // namespace

std::string_view name_of(Approval approval) { return kApprovals[static_cast<std::size_t>(approval)]; }

std::string_view name_of(Decision::Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Json to_json(const Decision& decision) {
  return {{"schema", kDecisionSchema},
          {"time", decision.time.text()},
          {"who", decision.who},
          {"why", decision.why},
          {"kind", name_of(decision.kind)},
          {"version", decision.version.text()},
          {"label", decision.label ? Json(decision.label->text()) : Json(nullptr)}};
}

Result<Decision> decision_from(const Json& json) {
  Fields fields(json, "the decision");
  fields.schema(kDecisionSchema);
  const auto time = fields.parsed("time", Instant::parse);
  std::string who = fields.text("who");
  std::string why = fields.text("why");
  const auto kind = fields.parsed("kind", parse_kind);
  const auto version = fields.parsed("version", PackageVersion::parse);
  const auto label = fields.parsed_or_null("label", VersionLabel::parse);
  if (kind && has_label(*kind) != label.has_value())
    fields.note("label", label ? "is given, which is for labels alone" : "is null, but a label is what it is about");
  TRY(fields.finish());
  return Decision{*time, std::move(who), std::move(why), *kind, *version, label};
}

Approval Standing::approval_of(const PackageVersion& version) const {
  const auto found = judged.find(version);
  if (found == judged.end()) return Approval::pending;
  return found->second.kind == Decision::Kind::approved ? Approval::approved : Approval::rejected;
}

std::vector<std::string> Standing::labels_of(const PackageVersion& version) const {
  std::vector<std::string> texts;
  for (const auto& [label, named] : labels)
    if (named == version) texts.push_back(label.text());
  return texts;
}

Standing standing_of(const std::vector<Decision>& decisions) {
  Standing standing;
  for (const Decision& decision : decisions) {
    switch (decision.kind) {
      case Decision::Kind::labelled: standing.labels[*decision.label] = decision.version; break;
      case Decision::Kind::unlabelled: standing.labels.erase(*decision.label); break;
      case Decision::Kind::approved:
      case Decision::Kind::rejected: standing.judged.insert_or_assign(decision.version, decision); break;
      case Decision::Kind::deleted: standing.judged.erase(decision.version); break;
    }
  }
  return standing;
}

Result<std::vector<Decision>> PackageDecisions::of(const PackageName& name) const {
  const Path file = folder_of(name) / std::string(kDecisionsFile);
  const auto text = read_file(file, kMostDecisionBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return std::vector<Decision>();
  if (!text.ok()) return text.error();
  std::vector<Decision> decisions;
  std::size_t begin = 0;
  for (std::size_t end = text->find('\n'); end != std::string::npos; end = text->find('\n', begin)) {
    const auto json = parse_json(std::string_view(*text).substr(begin, end - begin), "a decision");
    auto decision = json.ok() ? decision_from(*json) : Result<Decision>(json.error());
    if (!decision.ok()) {
      const Errc code = decision.error().code == Errc::incompatible ? Errc::incompatible : Errc::corrupt;
      return fail(code, "'" + file.string() + "' cannot be read: " + decision.error().message);
    }
    decisions.push_back(std::move(*decision));
    begin = end + 1;
  }
  return decisions;
}

Result<RelPath> PackageDecisions::record_path(const PackageName& name) const {
  return RelPath::parse(packages_.filename().string() + "/" + name.folded() + "/" + std::string(kDecisionsFile));
}

Result<void> PackageDecisions::add(const PackageName& name, const Decision& decision) const {
  const std::string line = canonical(to_json(decision));
  const RelPath file = TRY(record_path(name));
  StoreJournal::Session session = TRY(journal_.begin());
  return journal_.append_record(session, {StoreEvent::Action::decided, decision.time,
                                          name.text() + "@" + decision.version.text(), file, sha256(line), line});
}

}  // namespace trainyard
