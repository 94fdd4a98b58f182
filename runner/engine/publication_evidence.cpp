// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/publication_evidence.hpp"

#include <sstream>

#include "runner/engine/capsule_journal.hpp"
#include "storage/keys/key_ring.hpp"
#include "storage/values/dsse.hpp"

namespace trainyard {

namespace {

// {"schema", "head": a DSSE envelope, "size", "root", "lines": [{"line", "text", "path": [hex]}]}: RFC 6962, section 2.1.1.
Json to_json(const JournalExcerpt& excerpt) {
  Json lines = Json::array();
  std::istringstream texts(excerpt.lines);
  for (const CapsuleProof& proof : excerpt.proven.proofs) {
    std::string text;
    std::getline(texts, text);
    Json path = Json::array();
    for (const Digest& digest : proof.path) path.push_back(digest.hex());
    lines.push_back({{"line", proof.line}, {"text", std::move(text)}, {"path", std::move(path)}});
  }
  return {{"schema", "trainyard.journal-excerpt/1"},
          {"head", trainyard::to_json(excerpt.head)},
          {"size", excerpt.proven.head.size},
          {"root", excerpt.proven.head.root.hex()},
          {"lines", std::move(lines)}};
}

}  // namespace

Result<PublicationEvidence> evidence_of(const std::vector<VersionShare>& shares, const Store& store) {
  PublicationEvidence evidence;
  std::set<std::string> subjects;
  for (const VersionShare& share : shares) {
    subjects.insert(share.version.content.name.text() + "@" + share.version.version.text());
    if (share.version.content.run) subjects.insert(share.version.content.run->text());
  }
  const auto excerpt = journal_excerpt(store.journal(), subjects);
  if (excerpt.ok()) {
    evidence.files.push_back({"journal.json", "application/json", readable(to_json(*excerpt))});
  } else if (excerpt.error().code == Errc::not_found || excerpt.error().code == Errc::corrupt) {
    evidence.missing.push_back("the lines of the journal: " + excerpt.error().message);
  } else {
    return excerpt.error();
  }
  for (const StoredKey& key : TRY(KeyRing(store.keys(), store.scratch()).list()))
    evidence.files.push_back({key.name.text() + ".pub.pem", "application/x-pem-file", key.key.pem()});
  return evidence;
}

}  // namespace trainyard
