// SPDX-License-Identifier: Apache-2.0
#include "storage/values/data_proof.hpp"
#include "tests/fuzz/properties.hpp"

using namespace trainyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto json = parse_json(fuzz::text_of(data, size), "the proof");
  if (!json.ok()) {
    fuzz::require_sentence(json.error());
    return 0;
  }
  fuzz::require_rewrite(*json, data_proof_from);
  const auto proof = data_proof_from(*json);
  if (!proof.ok()) return 0;
  const auto checked = check(*proof);
  if (!checked.ok()) fuzz::require_sentence(checked.error());
  fuzz::require(is_utf8(sentence_of(*proof)), "what is proven is a text");
  return 0;
}
