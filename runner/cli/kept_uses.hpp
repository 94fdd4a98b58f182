// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runner/cli/terminal.hpp"
#include "runner/engine/file_uses.hpp"
#include "storage/store/store.hpp"

namespace trainyard {

// Answers from the store's index of uses, which is brought up to date first, and made again when it is damaged or something
// else; where it cannot be kept, from one that is made for this answer alone, of which the reader is told on stderr. Digits
// that were given in place of a file are looked up there too.
Result<FileUses> ask_uses(AskedFiles asked, const Store& store, StatusLine& line);

}  // namespace trainyard
