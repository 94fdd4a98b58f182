// SPDX-License-Identifier: Apache-2.0
// The document of a proof.
#include <limits>

#include "storage/values/data_proof.hpp"

namespace trainyard {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

using Answer = DataProof::Answer;

Result<std::vector<Digest>> hashes_from(const Json& json) {
  std::vector<Digest> hashes;
  for (const Json& hash : json) {
    if (!hash.is_string()) return fail(Errc::invalid, "has a hash that is no text");
    hashes.push_back(TRY(Digest::parse(hash.get<std::string>())));
  }
  return hashes;
}

Result<ProofHead> head_from(const Json& json) {
  Fields fields(json, "the data of a proof");
  fields.schema("trainyard.proof-root/1");
  const std::int64_t files = fields.integer("files", 0, kMost);
  const auto paths = fields.parsed("paths", Digest::parse);
  const auto digests = fields.parsed("digests", Digest::parse);
  const auto tree = fields.parsed("tree", Digest::parse);
  TRY(fields.finish());
  return ProofHead{static_cast<std::uint64_t>(files), *paths, *digests, *tree};
}

Result<ProofWitness> witness_from(const Json& json) {
  Fields fields(json, "a witness");
  const std::int64_t index = fields.integer("index", 0, kMost);
  const Json& hashes_json = fields.array("hashes");
  Fields file(fields.object("file"), "the file of a witness");
  TRY(fields.finish());
  auto path = file.parsed("path", RelPath::from_text);
  const std::int64_t size = file.integer("size", 0, kMost);
  const bool executable = file.boolean("executable");
  const auto digest = file.parsed("sha256", Digest::parse);
  TRY(file.finish());
  auto hashes = TRY(hashes_from(hashes_json));
  return ProofWitness{std::move(*path), static_cast<std::uint64_t>(size),  executable,
                      *digest,          static_cast<std::uint64_t>(index), std::move(hashes)};
}

struct Claim {
  std::variant<RelPath, Digest> subject;
  Answer answer;
};

Result<Claim> claim_from(const Json& json) {
  Fields fields(json, "the claim of a proof");
  const std::string key = fields.text("key");
  const bool included = fields.boolean("included");
  const std::string value = fields.text("value");
  TRY(fields.finish());
  const Answer answer = included ? Answer::included : Answer::absent;
  if (key == "path") {
    RelPath path = TRY(RelPath::from_text(value));
    return Claim{std::move(path), answer};
  }
  if (key != "sha256") return fail(Errc::invalid, "the claim of a proof is about '" + key + "', not path or sha256");
  const Digest digest = TRY(Digest::parse(value));
  return Claim{digest, answer};
}

Json claim_json(const DataProof& proof) {
  const auto* const path = std::get_if<RelPath>(&proof.subject);
  return {{"key", path != nullptr ? "path" : "sha256"},
          {"value", path != nullptr ? path->text() : std::get<Digest>(proof.subject).hex()},
          {"included", proof.answer == Answer::included}};
}

}  // namespace

Json to_json(const DataProof& proof) {
  Json witnesses = Json::array();
  for (const ProofWitness& witness : proof.witnesses) {
    Json hashes = Json::array();
    for (const Digest& hash : witness.hashes) hashes.push_back(hash.hex());
    witnesses.push_back({{"file", leaf_json(witness)}, {"index", witness.index}, {"hashes", std::move(hashes)}});
  }
  return {{"schema", "trainyard.proof/1"},
          {"claim", claim_json(proof)},
          {"data", to_json(proof.head)},
          {"root", proof.head.root().hex()},
          {"witnesses", std::move(witnesses)}};
}

Result<DataProof> data_proof_from(const Json& json) {
  Fields fields(json, "the proof");
  fields.schema("trainyard.proof/1");
  auto claim = fields.nested("claim", claim_from);
  const auto head = fields.nested("data", head_from);
  const auto root = fields.parsed("root", Digest::parse);
  const Json& witnesses = fields.array("witnesses");
  TRY(fields.finish());
  // Where the two say different things, nobody can tell which data is meant.
  if (head->root() != *root) return fail(Errc::invalid, "the root of the proof is not that of its data");
  if (witnesses.size() > 2) return fail(Errc::invalid, "the proof has more than two witnesses");
  DataProof proof{*head, std::move(claim->subject), claim->answer, {}};
  for (const Json& witness : witnesses) proof.witnesses.push_back(TRY(witness_from(witness)));
  return proof;
}

}  // namespace trainyard
