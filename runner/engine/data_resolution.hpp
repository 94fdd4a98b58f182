// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/data_source.hpp"
#include "runner/engine/run_ports.hpp"

namespace trainyard {

struct ResolvedData {
  std::string dataset;  // what was given: a path, now without links, an address, or the text of a reference
  DataSource source;
};

// Finds what the dataset of a request means: an absolute path is a folder or an archive, an address names a bucket, and
// anything else is a dataset of the store. A user's own folder stays where it is. An archive and what lies in a bucket are
// read into the store; what they hold, or the version of the dataset, is pinned by its digest and written out in the store's checkouts, to be mounted like a folder.
//
// `not_found` says in one sentence that none of the three is meant, and which dataset likely was.
Result<ResolvedData> resolve_data(const std::string& dataset, RunPorts& ports);

}  // namespace trainyard
