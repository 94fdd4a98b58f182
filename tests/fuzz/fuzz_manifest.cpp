// SPDX-License-Identifier: Apache-2.0
#include "storage/values/manifest.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto manifest = Manifest::parse(fuzz::text_of(data, size));
  if (!manifest.ok()) {
    fuzz::require_sentence(manifest.error());
    return 0;
  }
  const auto again = Manifest::parse(readable(to_json(*manifest)));
  fuzz::require(again.ok(), "a manifest that is written can be read");
  fuzz::require(*again == *manifest, "a manifest is read as it was written");
  return 0;
}
