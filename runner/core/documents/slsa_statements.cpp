// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/slsa_statements.hpp"

#include "runner/core/slsa_provenance.hpp"

namespace trainyard {

std::string slsa_lines(const Lineage& lineage) {
  std::string lines;
  for (const LineageVersion& version : lineage.versions()) {
    if (!version.record) continue;
    const LineageRun* const maker = lineage.maker_of(version);
    if (maker == nullptr) {
      lines += canonical(to_json(slsa_statement(*version.record))) + "\n";
    } else if (maker->record && maker->record->version && maker->results) {
      lines += canonical(slsa_provenance(*maker->record, *maker->results)) + "\n";
    }
  }
  return lines;
}

}  // namespace trainyard
