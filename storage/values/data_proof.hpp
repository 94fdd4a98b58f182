// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "storage/values/digest.hpp"
#include "storage/values/json.hpp"
#include "storage/values/merkle.hpp"
#include "storage/values/rel_path.hpp"
#include "storage/values/result.hpp"
#include "storage/values/tree.hpp"

// That a file is, or is not, among the files of some data, provable to somebody who has one digest of the data and not
// its list of files: the proof root. Two Merkle trees (storage/values/merkle.hpp) stand over the same leaves, one for
// each file, in two orders. In an order, what is not there would stand between two neighbours.
//
//   leaf       = {"executable":bool,"path":RelPath text,"sha256":hex,"size":integer}      canonical JSON
//   paths      = root over the leaves by the bytes of their paths
//   digests    = root over the leaves by the bytes of their digests, and of their paths where those are the same
//   proof root = SHA-256 of {"digests":hex,"files":count,"paths":hex,"schema":"trainyard.proof-root/1","tree":hex}
//
// Empty folders are no leaves. That the leaves stand in these orders is the word of whoever made the root; who has the
// tree, which the root names, can make the root again.
namespace trainyard {

// Of which data something is proven.
struct ProofHead {
  std::uint64_t files = 0;
  Digest paths;
  Digest digests;
  Digest tree;

  [[nodiscard]] Digest root() const;
  friend bool operator==(const ProofHead&, const ProofHead&) = default;
};

// A leaf, where it stands in the order of the claim's subject, and its audit path.
struct ProofWitness {
  RelPath path;
  std::uint64_t size = 0;
  bool executable = false;
  Digest digest;
  std::uint64_t index = 0;
  std::vector<Digest> hashes;

  friend bool operator==(const ProofWitness&, const ProofWitness&) = default;
};

// The document that is handed on. Schema: schemas/proof.schema.json. An included file has one witness: of several with
// one digest the first. An absent one has its two neighbours, or one where it would stand at an end; among no files none.
struct DataProof {
  enum class Answer { included, absent };

  ProofHead head;
  std::variant<RelPath, Digest> subject;
  Answer answer = Answer::absent;
  std::vector<ProofWitness> witnesses;

  friend bool operator==(const DataProof&, const DataProof&) = default;
};

// `invalid` says why it proves nothing. Of a proof that is all right it is proven what sentence_of() says.
Result<void> check(const DataProof& proof);
// "the file with SHA-256 … is not among the 3 files of the data with the proof root …".
std::string sentence_of(const DataProof& proof);

// What the leaf is, as JSON.
Json leaf_json(const ProofWitness& witness);
Json to_json(const ProofHead& head);
Json to_json(const DataProof& proof);
// Reads what may be no proof: ask check().
Result<DataProof> data_proof_from(const Json& json);

// A tree from which any number of proofs can be made. Some 150 bytes for each file.
class ProvableData {
 public:
  // REQUIRES: the tree outlives this.
  explicit ProvableData(const Tree& tree);

  [[nodiscard]] const ProofHead& head() const { return head_; }
  [[nodiscard]] DataProof about(const RelPath& path) const;
  [[nodiscard]] DataProof about(const Digest& digest) const;

 private:
  struct Order {
    std::vector<std::size_t> entries;  // the indices of files in the tree
    MerkleTree tree;
  };

  // `before` tells whether an entry comes before the subject, `same` whether it is it.
  template <class Before, class Same>
  [[nodiscard]] DataProof prove(std::variant<RelPath, Digest> subject, const Order& order, Before before,
                                Same same) const;
  [[nodiscard]] ProofWitness witness(const Order& order, std::size_t index) const;

  const Tree& tree_;
  Order by_path_;
  Order by_digest_;
  ProofHead head_;
};

}  // namespace trainyard
