// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "runner/core/data_source.hpp"
#include "storage/store/store.hpp"
#include "storage/trees/capture.hpp"

// How the data that a user has in a folder or an archive comes into the store.
namespace trainyard {

// A folder or an archive as a user named it.
struct UserData {
  DataSource::Kind kind = DataSource::Kind::folder;  // or archive
  Path path;                                         // without links, and a text that a record can hold
};

// Looks at it, and reads nothing. `not_found` when nothing is there; `invalid` when it is neither a folder nor a file,
// or when it lies in the store or around it: what the store itself writes must not be taken for a change of the data.
Result<UserData> find_user_data(const Path& given, const Store& store);

struct IntakeOptions {
  // As those of CaptureOptions; how many files an archive has is known only at its end.
  std::function<void(const CaptureProgress&)> progress;
  std::function<bool()> cancelled;
};

// Reads all of it into the store; `invalid` when there is no file in it. Its bytes, and the tree itself, are durable when this returns. Nothing names them yet:
// that is for the caller, who then releases the store's objects.
Result<TreeSummary> keep_user_data(const UserData& data, const Store& store, const IntakeOptions& options);

}  // namespace trainyard
