// SPDX-License-Identifier: Apache-2.0
#include "storage/values/model_signing.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

namespace trainyard::model_signing_test {
namespace {

using Texts = std::map<std::string, std::string>;

Tree tree_of(const Texts& files) {
  std::vector<TreeEntry> entries;
  for (const auto& [path, bytes] : files)
    entries.push_back(
        {RelPath::parse(path).value(), TreeEntry::Kind::file, bytes.size(), false, Digest(sha256(bytes))});
  return Tree::of(std::move(entries)).value();
}

const Texts kFiles = {{"a/b", "1\n"}, {"a-b", "2\n"}, {"a.txt", "3\n"}, {"main.py", ""}};

std::vector<std::string> paths_of(const SignedModel& model) {
  std::vector<std::string> paths;
  for (const auto& [path, digest] : model.files) paths.push_back(path);
  return paths;
}

SignedModel model_of(const Texts& files) { return signed_model("churn", tree_of(files)).value(); }

Json predicate() { return model_statement(model_of(kFiles)).predicate; }

Error refusal(const Json& changed) {
  InTotoStatement statement = model_statement(model_of(kFiles));
  statement.predicate = changed;
  return signed_model_from(statement).error();
}

}  // namespace

TEST_CASE("the files and the root digest of a model are those of the stock signer", "[model_signing]") {
  const SignedModel model = model_of(kFiles);
  CHECK(paths_of(model) == std::vector<std::string>{"a/b", "a-b", "a.txt", "main.py"});
  CHECK(model.digest().hex() == "88347eadafa03483dad079d113dbe7df84e44b37035d792f76b2cfd2c9235fcc");
  // The order of bytes is another one, and so would be the digest.
  auto by_bytes = model.files;
  std::sort(by_bytes.begin(), by_bytes.end());
  CHECK(by_bytes.front().first == "a-b");
  CHECK(model_digest(by_bytes).hex().starts_with("8acc853f"));
}

TEST_CASE("paths are in order component by component", "[model_signing]") {
  const std::vector<std::string> in_order = {"a",   "a/b",   "a/b/c", "a/b c", "a/b-",
                                             "a b", "a-b/x", "a.txt", "a0",    "\xC3\xA9"};
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    for (std::size_t k = 0; k < in_order.size(); ++k) {
      INFO(in_order[i] << " and " << in_order[k]);
      CHECK(posix_path_less(in_order[i], in_order[k]) == (i < k));
    }
  }
}

TEST_CASE("what the stock signer leaves out is left out", "[model_signing]") {
  Texts files = kFiles;
  for (const char* const path : {".git/HEAD", ".gitattributes", ".github/workflows/x.yml", ".gitignore", "model.sig"})
    files[path] = "x";
  CHECK(model_of(files).files == model_of(kFiles).files);
  CHECK(model_differences(model_of(kFiles), tree_of(files)).empty());
  files["inner/.gitignore"] = "x";
  files[".gitignored"] = "x";
  CHECK(paths_of(model_of(files)) ==
        std::vector<std::string>{".gitignored", "a/b", "a-b", "a.txt", "inner/.gitignore", "main.py"});
}

TEST_CASE("a file whose name is not UTF-8 is refused by name", "[model_signing]") {
  const auto model = signed_model("churn", tree_of({{"a\xFF", "x"}}));
  REQUIRE_FALSE(model.ok());
  CHECK(model.error().message == "the file 'a%FF' has a name that is not UTF-8, so a model signature cannot name it");
}

TEST_CASE("a model statement has the form that the specification shows, and is read back", "[model_signing]") {
  const InTotoStatement statement = model_statement(model_of(kFiles));
  CHECK(statement.subjects == std::vector<InTotoSubject>{{"churn", model_of(kFiles).digest()}});
  CHECK(statement.predicate_type == "https://model_signing/signature/v1.0");
  CHECK(statement.predicate["serialization"] ==
        Json{{"method", "files"},
             {"hash_type", "sha256"},
             {"allow_symlinks", false},
             {"ignore_paths", {".git", ".gitattributes", ".github", ".gitignore", "model.sig"}}});
  CHECK(statement.predicate["resources"][0] ==
        Json{{"name", "a/b"},
             {"algorithm", "sha256"},
             {"digest", "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"}});
  const SignedModel read = signed_model_from(statement).value();
  CHECK(read.files == model_of(kFiles).files);
  CHECK(model_statement(read) == statement);
}

TEST_CASE("each part of a model statement that is wrong is refused", "[model_signing]") {
  Json json = predicate();
  json["resources"][1]["digest"] = sha256("other").hex();
  CHECK(refusal(json).message == "the model signature contradicts itself: its root digest is not that of its files");
  json = predicate();
  std::swap(json["resources"][0], json["resources"][1]);
  CHECK(refusal(json).message == "the model signature has the file 'a/b' twice or out of order");
  json = predicate();
  json["resources"].erase(0);
  CHECK(refusal(json).code == Errc::invalid);
  json = predicate();
  json["resources"][0]["algorithm"] = "blake2b";
  CHECK(refusal(json).code == Errc::incompatible);
  json = predicate();
  json["serialization"]["method"] = "shards";
  CHECK(refusal(json).code == Errc::incompatible);
  json = predicate();
  json["serialization"]["ignore_paths"] = Json::array({1});
  CHECK(refusal(json).code == Errc::invalid);
  InTotoStatement statement = model_statement(model_of(kFiles));
  statement.predicate_type = "https://model_signing/Digests/v0.1";
  CHECK(signed_model_from(statement).error().code == Errc::incompatible);
  statement = model_statement(model_of(kFiles));
  statement.subjects.push_back({"another", sha256("x")});
  CHECK(signed_model_from(statement).error().code == Errc::invalid);
}

TEST_CASE("missing, added and changed files are named", "[model_signing]") {
  const SignedModel model = model_of(kFiles);
  CHECK(model_differences(model, tree_of(kFiles)).empty());
  Texts files = kFiles;
  files.erase("a/b");
  files["a.txt"] = "4\n";
  files["zz/new"] = "5\n";
  CHECK(model_differences(model, tree_of(files)) ==
        std::vector<std::string>{"the file 'a.txt' has changed since it was signed",
                                 "the file 'a/b' was signed and is missing",
                                 "the file 'zz/new' is there and was not signed"});
}

TEST_CASE("a bundle is a Sigstore bundle v0.3 with the hint of the key", "[model_signing]") {
  const SigstoreBundle bundle{"abc", {"application/vnd.in-toto+json", "{}", {{"", "s"}}}};
  const Json json = to_json(bundle);
  CHECK(canonical(json) ==
        R"({"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"",)"
        R"("sig":"cw=="}]},"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",)"
        R"("verificationMaterial":{"publicKey":{"hint":"abc"},"tlogEntries":[]}})");
  CHECK(sigstore_bundle_from(json).value() == bundle);
  Json other = json;
  other["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2";
  CHECK(sigstore_bundle_from(other).error().code == Errc::incompatible);
  other = json;
  other["verificationMaterial"] = {{"x509CertificateChain", Json::object()}};
  CHECK(sigstore_bundle_from(other).error().code == Errc::incompatible);
  other = json;
  other["dsseEnvelope"]["signatures"].push_back({{"sig", "cw=="}});
  CHECK(sigstore_bundle_from(other).error().code == Errc::invalid);
}

}  // namespace trainyard::model_signing_test
