// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/remote.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPublicationClaimSchema = "trainyard.publication-claim/1";

}  // namespace

Json to_json(const PublicationClaim& claim) {
  return {{"schema", kPublicationClaimSchema},
          {"publication", claim.publication},
          {"record", claim.record.hex()},
          {"publisher", claim.publisher},
          {"since", claim.since.text()}};
}

Result<PublicationClaim> publication_claim_from(const Json& json) {
  Fields fields(json, "a claim");
  fields.schema(kPublicationClaimSchema);
  std::string publication = fields.text("publication");
  const auto record = fields.parsed("record", Digest::parse);
  std::string publisher = fields.text("publisher");
  const auto since = fields.parsed("since", Instant::parse);
  TRY(fields.finish());
  return PublicationClaim{std::move(publication), *record, std::move(publisher), *since};
}

}  // namespace trainyard
