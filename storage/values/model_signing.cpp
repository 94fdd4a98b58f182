// SPDX-License-Identifier: Apache-2.0
#include "storage/values/model_signing.hpp"

#include <algorithm>
#include <map>

#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kBundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
constexpr const char* kIgnored[] = {".git", ".gitattributes", ".github", ".gitignore", "model.sig"};

// Whether the path is one of these or below one.
bool is_ignored(const std::string& path, const std::set<std::string>& ignored) {
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    if (ignored.contains(path.substr(0, end))) return true;
    if (end == std::string::npos) return false;
  }
}

Result<std::pair<std::string, Digest>> file_from(const Json& json) {
  Fields fields(json, "a resource of the model", UnknownKeys::ignore);
  std::string name = fields.text("name");
  const std::string algorithm = fields.text("algorithm");
  const std::string digest = fields.text("digest");
  TRY(fields.finish());
  if (algorithm != "sha256")
    return fail(Errc::incompatible, "the file '" + name + "' has a digest by '" + algorithm + "', not by 'sha256'");
  return std::pair(std::move(name), TRY(Digest::parse(digest)));
}

// How files were made resources; only whole files are read.
Result<std::set<std::string>> ignored_from(const Json& json) {
  Fields fields(json, "the serialization of the model", UnknownKeys::ignore);
  const std::string method = fields.text("method");
  const std::string hash = fields.text("hash_type");
  std::set<std::string> ignored;
  if (fields.has("ignore_paths")) {
    for (const Json& path : fields.array("ignore_paths")) {
      if (!path.is_string()) return fail(Errc::invalid, "the model ignores something that is not a path");
      ignored.insert(path.get<std::string>());
    }
  }
  TRY(fields.finish());
  if (method != "files" || hash != "sha256") {
    return fail(Errc::incompatible, "the model was signed by '" + method + "' and '" + hash +
                                        "' but this Trainyard reads 'files' and 'sha256'");
  }
  return ignored;
}

}  // namespace

bool posix_path_less(std::string_view a, std::string_view b) {
  // A separator ends a component, and what has ended comes before what goes on.
  const auto rank = [](char c) { return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c)); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

Digest model_digest(const std::vector<std::pair<std::string, Digest>>& files) {
  Sha256 hash;
  for (const auto& [path, digest] : files) hash.update(std::as_bytes(std::span(digest.bytes())));
  return hash.finish();
}

Result<SignedModel> signed_model(const std::string& name, const Tree& tree) {
  SignedModel model{name, {}, std::set<std::string>(std::begin(kIgnored), std::end(kIgnored))};
  for (const TreeEntry& entry : tree.entries()) {
    const std::string& path = entry.path.bytes();
    if (!entry.digest || is_ignored(path, model.ignored)) continue;
    if (!is_utf8(path)) {
      return fail(Errc::invalid, "the file '" + entry.path.text() +
                                     "' has a name that is not UTF-8, so a model signature cannot name it");
    }
    model.files.emplace_back(path, *entry.digest);
  }
  std::sort(model.files.begin(), model.files.end(),
            [](const auto& a, const auto& b) { return posix_path_less(a.first, b.first); });
  return model;
}

InTotoStatement model_statement(const SignedModel& model) {
  Json resources = Json::array();
  for (const auto& [path, digest] : model.files)
    resources.push_back({{"name", path}, {"algorithm", "sha256"}, {"digest", digest.hex()}});
  return {{{model.name, model.digest()}},
          std::string(kModelSignature),
          {{"serialization",
            {{"method", "files"}, {"hash_type", "sha256"}, {"allow_symlinks", false}, {"ignore_paths", model.ignored}}},
           {"resources", std::move(resources)}}};
}

Result<SignedModel> signed_model_from(const InTotoStatement& statement) {
  if (statement.predicate_type != kModelSignature) {
    return fail(Errc::incompatible, "the statement is a '" + statement.predicate_type + "', not a model signature '" +
                                        std::string(kModelSignature) + "'");
  }
  if (statement.subjects.size() != 1)
    return fail(Errc::invalid, "the model signature is about several models; it must be about one");
  Fields fields(statement.predicate, "the model signature", UnknownKeys::ignore);
  const Json& serialization = fields.object("serialization");
  const Json& resources = fields.array("resources");
  TRY(fields.finish());
  SignedModel model;
  model.name = statement.subjects.front().name;
  model.ignored = TRY(ignored_from(serialization));
  for (const Json& resource : resources) model.files.push_back(TRY(file_from(resource)));
  const auto wrong = std::adjacent_find(model.files.begin(), model.files.end(), [](const auto& a, const auto& b) {
    return !posix_path_less(a.first, b.first);
  });
  if (wrong != model.files.end())
    return fail(Errc::invalid,
                "the model signature has the file '" + std::next(wrong)->first + "' twice or out of order");
  if (model.digest() != statement.subjects.front().digest)
    return fail(Errc::invalid, "the model signature contradicts itself: its root digest is not that of its files");
  return model;
}

std::vector<std::string> model_differences(const SignedModel& model, const Tree& tree) {
  std::map<std::string, Digest> there;
  for (const TreeEntry& entry : tree.entries()) {
    if (entry.digest && !is_ignored(entry.path.bytes(), model.ignored))
      there.emplace(entry.path.bytes(), *entry.digest);
  }
  std::map<std::string, std::string> wrong;
  for (const auto& [path, digest] : model.files) {
    const auto found = there.find(path);
    if (found == there.end()) {
      wrong.emplace(path, "the file '" + path + "' was signed and is missing");
    } else {
      if (found->second != digest) wrong.emplace(path, "the file '" + path + "' has changed since it was signed");
      there.erase(found);
    }
  }
  for (const auto& [path, digest] : there)
    wrong.emplace(path, "the file '" + utf8_cleaned(path) + "' is there and was not signed");
  std::vector<std::string> sentences;
  for (auto& [path, sentence] : wrong) sentences.push_back(std::move(sentence));
  return sentences;
}

Json to_json(const SigstoreBundle& bundle) {
  return {{"mediaType", kBundle},
          {"verificationMaterial", {{"publicKey", {{"hint", bundle.key_hint}}}, {"tlogEntries", Json::array()}}},
          {"dsseEnvelope", to_json(bundle.envelope)}};
}

Result<SigstoreBundle> sigstore_bundle_from(const Json& json) {
  Fields fields(json, "the Sigstore bundle", UnknownKeys::ignore);
  const std::string type = fields.text("mediaType");
  if (fields.good() && type != kBundle) {
    return fail(Errc::incompatible, "the Sigstore bundle is of the type '" + type + "' but this Trainyard reads '" +
                                        std::string(kBundle) + "'");
  }
  const Json& material = fields.object("verificationMaterial");
  auto envelope = fields.nested("dsseEnvelope", dsse_envelope_from);
  TRY(fields.finish());
  if (!material.contains("publicKey")) {
    return fail(Errc::incompatible,
                "the Sigstore bundle was signed with a certificate; this Trainyard reads those signed with a key");
  }
  Fields key(material["publicKey"], "the public key of the Sigstore bundle", UnknownKeys::ignore);
  SigstoreBundle bundle{key.has("hint") ? key.optional_text("hint").value_or("") : "", std::move(*envelope)};
  TRY(key.finish());
  if (bundle.envelope.signatures.size() != 1)
    return fail(Errc::invalid, "the envelope of the Sigstore bundle must have exactly one signature");
  return bundle;
}

}  // namespace trainyard
