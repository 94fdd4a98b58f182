// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "runner/engine/version_share.hpp"

namespace trainyard {

struct EvidenceFile {
  std::string name;
  std::string media_type;
  std::string bytes;
};

// What a store can show for the versions of a publication: the lines of its journal about them with their proofs, the
// signed head that they are proven by (journal.json), and its public keys (<name>.pub.pem).
struct PublicationEvidence {
  std::vector<EvidenceFile> files;
  std::vector<std::string> missing;  // sentences
};

Result<PublicationEvidence> evidence_of(const std::vector<VersionShare>& shares, const Store& store);

}  // namespace trainyard
