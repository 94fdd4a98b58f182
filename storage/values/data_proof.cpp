// SPDX-License-Identifier: Apache-2.0
#include "storage/values/data_proof.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <numeric>
#include <optional>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kHeadSchema = "trainyard.proof-root/1";

Error nothing(const std::string& why) { return fail(Errc::invalid, "the proof proves nothing: " + why); }

// Where the witness stands beside the subject: before it, after it, or in its place.
std::strong_ordering place_of(const ProofWitness& witness, const std::variant<RelPath, Digest>& subject) {
  if (const auto* const path = std::get_if<RelPath>(&subject)) return witness.path <=> *path;
  return witness.digest <=> std::get<Digest>(subject);
}

// Nothing stands between these, or between one and the end: so the subject, which would, is not there.
Result<void> check_absent(const DataProof& proof) {
  const auto& witnesses = proof.witnesses;
  const std::uint64_t files = proof.head.files;
  if (files == 0) {
    if (!witnesses.empty()) return nothing("it has a file of data that has none");
    return {};
  }
  if (witnesses.empty() || witnesses.size() > 2) return nothing("it has to have one neighbour of the file, or two");
  const auto first = place_of(witnesses.front(), proof.subject);
  if (witnesses.size() == 2) {
    if (witnesses[1].index != witnesses[0].index + 1) return nothing("the two files that it has are no neighbours");
    if (first >= 0 || place_of(witnesses[1], proof.subject) <= 0)
      return nothing("the file would not stand between the two that it has");
    return {};
  }
  if (first > 0 && witnesses.front().index == 0) return {};
  if (first < 0 && witnesses.front().index == files - 1) return {};
  return nothing("the file would not stand at the end that it has");
}

Result<void> check_included(const DataProof& proof) {
  if (proof.witnesses.size() != 1) return nothing("it has to have the one file that it is about");
  if (place_of(proof.witnesses.front(), proof.subject) != 0) return nothing("it has another file than it is about");
  return {};
}

}  // namespace

Json leaf_json(const ProofWitness& witness) {
  return {{"executable", witness.executable},
          {"path", witness.path.text()},
          {"sha256", witness.digest.hex()},
          {"size", witness.size}};
}

Json to_json(const ProofHead& head) {
  return {{"digests", head.digests.hex()},
          {"files", head.files},
          {"paths", head.paths.hex()},
          {"schema", kHeadSchema},
          {"tree", head.tree.hex()}};
}

Digest ProofHead::root() const { return sha256(canonical(to_json(*this))); }

Result<void> check(const DataProof& proof) {
  const bool by_path = std::holds_alternative<RelPath>(proof.subject);
  const MerkleHead head{proof.head.files, by_path ? proof.head.paths : proof.head.digests};
  if (proof.head.files == 0 && head.root != sha256("")) return nothing("its root is not that of data without files");
  for (const ProofWitness& witness : proof.witnesses) {
    if (!is_included(merkle_leaf(canonical(leaf_json(witness))), witness.index, witness.hashes, head)) {
      return nothing("the file '" + witness.path.text() + "' is not at place " + std::to_string(witness.index) +
                     " of the data with its root");
    }
  }
  return proof.answer == DataProof::Answer::included ? check_included(proof) : check_absent(proof);
}

std::string sentence_of(const DataProof& proof) {
  const auto* const path = std::get_if<RelPath>(&proof.subject);
  const bool included = proof.answer == DataProof::Answer::included;
  const std::string what = path != nullptr ? "the file '" + path->text() + "'"
                                           : "the file with SHA-256 " + std::get<Digest>(proof.subject).hex();
  const std::string among = std::string(included ? " is among" : " is not among") + " the " +
                            std::to_string(proof.head.files) + (proof.head.files == 1 ? " file" : " files") +
                            " of the data with the proof root " + proof.head.root().hex();
  if (!included || proof.witnesses.empty()) return what + among;
  const ProofWitness& witness = proof.witnesses.front();
  return what + among +
         (path != nullptr ? ", with SHA-256 " + witness.digest.hex() : ", as '" + witness.path.text() + "'");
}

}  // namespace trainyard
