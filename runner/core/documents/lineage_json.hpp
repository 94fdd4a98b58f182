// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/core/lineage.hpp"

namespace trainyard {

// Pure: the lineage as a document for programs. Schema: schemas/lineage.schema.json.
Json lineage_json(const Lineage& lineage);

}  // namespace trainyard
