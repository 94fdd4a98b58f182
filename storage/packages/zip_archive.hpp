// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zip.h>
#include <memory>

namespace trainyard {

struct DiscardArchive {
  void operator()(zip_t* archive) const { ::zip_discard(archive); }
};
using ZipArchive = std::unique_ptr<zip_t, DiscardArchive>;

}  // namespace trainyard
