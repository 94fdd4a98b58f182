// SPDX-License-Identifier: Apache-2.0
#include "storage/journal/journal_head.hpp"

namespace trainyard {

namespace {
constexpr std::string_view kJournalHeadSchema = "trainyard.journal-head/1";
}  // namespace

Json to_json(const JournalHead& head) {
  Json peaks = Json::array();
  for (const Digest& peak : head.frontier.peaks()) peaks.push_back(peak.hex());
  return {{"schema", kJournalHeadSchema},
          {"size", head.frontier.size()},
          {"root", head.frontier.head().root.hex()},
          {"peaks", std::move(peaks)},
          {"time", head.time.text()}};
}

Result<JournalHead> journal_head_from(const Json& json) {
  Fields fields(json, "the journal's head");
  fields.schema(kJournalHeadSchema);
  const std::uint64_t size = fields.count("size");
  const auto root = fields.parsed("root", Digest::parse);
  const Json& peaks = fields.array("peaks");
  const auto time = fields.parsed("time", Instant::parse);
  TRY(fields.finish());
  std::vector<Digest> hashes;
  for (const Json& peak : peaks) {
    if (!peak.is_string()) return fail(Errc::invalid, "the journal's head has a peak that is not a text");
    hashes.push_back(TRY(Digest::parse(peak.get<std::string>())));
  }
  MerkleFrontier frontier = TRY(MerkleFrontier::of(size, std::move(hashes)));
  JournalHead head{*time, std::move(frontier)};
  if (head.frontier.head().root != *root)
    return fail(Errc::invalid, "the journal's head has a root that does not come of its peaks");
  return head;
}

Result<DsseEnvelope> sign_head(const JournalHead& head, const SigningKey& key) {
  DsseEnvelope envelope{std::string(kJournalHeadType), canonical(to_json(head)), {}};
  envelope.signatures.push_back(TRY(sign_payload(envelope.payload_type, envelope.payload, key)));
  return envelope;
}

Result<JournalHead> head_in(const DsseEnvelope& envelope) {
  if (envelope.payload_type != kJournalHeadType)
    return fail(Errc::invalid, "the envelope holds no head of a journal but '" + envelope.payload_type + "'");
  return journal_head_from(TRY(parse_json(envelope.payload, "the journal's head")));
}

}  // namespace trainyard
