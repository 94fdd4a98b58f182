// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/dsse.hpp"
#include "storage/values/in_toto.hpp"
#include "storage/values/tree.hpp"

// Signed models, as OpenSSF Model Signing v1.0 has them (github.com/sigstore/model-transparency): a statement that lists
// all files of a folder with their digests, in an envelope, in a Sigstore bundle. Its own verifier takes the folder and
// the bundle, by convention the file model.sig.
namespace trainyard {

inline constexpr std::string_view kModelSignature = "https://model_signing/signature/v1.0";

// The order in which files are listed, and in which their digests make the root digest: that of PurePosixPath, component
// by component. So "a/b" comes before "a-b", which by bytes it does not.
bool posix_path_less(std::string_view a, std::string_view b);

// SHA-256 over the digests of the files, one after another, in that order.
Digest model_digest(const std::vector<std::pair<std::string, Digest>>& files);

// What a signature says of a model.
struct SignedModel {
  std::string name;
  std::vector<std::pair<std::string, Digest>> files;  // path and digest, in the order above
  std::set<std::string> ignored;                      // paths below which files are nobody's business

  [[nodiscard]] Digest digest() const { return model_digest(files); }
};

// The files of a tree, but for what the stock signer leaves out too: in the root folder .git, .gitattributes, .github,
// .gitignore and model.sig. `invalid` for a path that is not UTF-8, which JSON cannot name.
Result<SignedModel> signed_model(const std::string& name, const Tree& tree);

InTotoStatement model_statement(const SignedModel& model);
// `incompatible` for statements of other types, for files in shards and for other digests than SHA-256; `invalid` where
// the root digest is not that of the files.
Result<SignedModel> signed_model_from(const InTotoStatement& statement);

// What keeps a tree from being the model that was signed, one sentence for each file, in the order of paths; none when it
// is. Only missing, added and changed files are told apart: the executable bit is not signed.
std::vector<std::string> model_differences(const SignedModel& model, const Tree& tree);

// A Sigstore bundle v0.3 around an envelope that was signed with a plain key.
//
//   {"dsseEnvelope":envelope,"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",
//    "verificationMaterial":{"publicKey":{"hint":text},"tlogEntries":[]}}
struct SigstoreBundle {
  std::string key_hint;   // SHA-256 in hex of the PEM SubjectPublicKeyInfo
  DsseEnvelope envelope;  // with exactly one signature

  friend bool operator==(const SigstoreBundle&, const SigstoreBundle&) = default;
};
Json to_json(const SigstoreBundle& bundle);
// `incompatible` for bundles of other versions, and for those that were signed with a certificate instead of a key.
Result<SigstoreBundle> sigstore_bundle_from(const Json& json);

}  // namespace trainyard
