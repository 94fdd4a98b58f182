// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/attesting.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "runner/engine/attestation_check.hpp"
#include "storage/keys/key_ring.hpp"
#include "storage/packages/attestations.hpp"
#include "tests/unit/example_store.hpp"

namespace trainyard::attesting_test {
namespace {

struct Attested {
  example::ExampleStore example;
  VersionRecord version = example.add_version(example.put({{"a/b", "1\n"}, {"a-b", "2\n"}}));
  Attestations attestations{store().packages(), store().journal()};
  KeyRing ring{store().keys(), store().scratch()};

  [[nodiscard]] const Store& store() const { return example.store(); }
  [[nodiscard]] Envelopes envelopes() const { return attestations.of(version.content.name, version.version).value(); }
  void replace(const Envelopes& envelopes) const {
    REQUIRE(attestations
                .change(version.content.name, version.version, Instant{9}, [&](const Envelopes&) { return envelopes; })
                .ok());
  }
  [[nodiscard]] std::vector<AttestationCheck> checks() const { return check_attestations(version, store()).value(); }
  // Of the first attestation that is not good.
  [[nodiscard]] std::string problem() const {
    for (const AttestationCheck& check : checks()) {
      if (!check.problems.empty()) return check.problems.front();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("an upload is attested once, and good", "[attesting]") {
  const Attested attested;
  CHECK(attested.checks().empty());
  REQUIRE(attest_upload(attested.version, attested.store()).ok());
  const Envelopes first = attested.envelopes();
  REQUIRE(first.size() == 2);
  REQUIRE(attest_upload(attested.version, attested.store()).ok());
  CHECK(attested.envelopes() == first);
  for (const AttestationCheck& check : attested.checks()) {
    CHECK(check.good());
    CHECK(check.signers.front().name == KeyRing::default_name());
  }
  CHECK(attested.problem().empty());
}

TEST_CASE("signing makes what is missing and adds to what is there", "[attesting]") {
  const Attested attested;
  REQUIRE(attest_upload(attested.version, attested.store()).ok());
  Envelopes half = attested.envelopes();
  half.pop_back();
  attested.replace(half);
  const KeyName name = KeyName::parse("release").value();
  REQUIRE(attested.ring.generate(name, KeyType::ed25519, std::nullopt).ok());
  const SigningKey key = attested.ring.signing_key(name, std::nullopt).value();
  const Signed done = sign_version(attested.version, attested.store(), key, Instant{9}).value();
  CHECK(done.made == 1);
  CHECK(done.added == 1);
  CHECK(done.there == 0);
  CHECK(attested.problem().empty());
  CHECK(attested.checks()[0].signers.size() == 2);
  CHECK(attested.checks()[1].signers.size() == 1);
  CHECK(sign_version(attested.version, attested.store(), key, Instant{9}).value().there == 2);
  // The specification of signed models has no Ed25519.
  CHECK(model_signature(attested.version, attested.store(), std::nullopt).error().code == Errc::not_found);
  REQUIRE(sign_version(attested.version, attested.store(), attested.ring.default_key().value(), Instant{9}).ok());
  const SigstoreBundle bundle = model_signature(attested.version, attested.store(), std::nullopt).value();
  CHECK(bundle.key_hint == attested.ring.find("store").value().key.id());
  CHECK(bundle.envelope.signatures.size() == 1);
  CHECK(model_signature(attested.version, attested.store(), "release").error().code == Errc::not_found);
}

TEST_CASE("whatever is tampered with is refused and named", "[attesting]") {
  const Attested attested;
  REQUIRE(attest_upload(attested.version, attested.store()).ok());
  const Envelopes good = attested.envelopes();
  const SigningKey key = attested.ring.default_key().value();
  const std::string wrong =
      "the signature of the key 'store' is wrong: the document or the signature has been changed since it was signed";

  for (std::size_t i = 0; i < good.size(); ++i) {
    Envelopes bad = good;
    bad[i].payload.replace(bad[i].payload.find("1.0"), 3, "9.9");
    attested.replace(bad);
    CHECK(attested.problem() == wrong);
    CHECK_FALSE(attested.checks()[i].statement);
    CHECK(attested.checks()[1 - i].good());
    // Nor does a second signature make it look true.
    const auto signed_again = sign_version(attested.version, attested.store(), key, Instant{9});
    REQUIRE_FALSE(signed_again.ok());
    CHECK(signed_again.error().code == Errc::corrupt);
  }

  // A statement that is signed rightly, but about other content.
  Attested other;
  REQUIRE(attest_upload(other.version, other.store()).ok());
  VersionRecord changed = other.version;
  changed.content.zip.digest = sha256("another zip");
  CHECK(check_attestations(changed, other.store()).value()[0].problems[0] ==
        "it is about other content than that of digits@1.0: 'digits-1.0.zip' had the sha256 " + sha256("zip").hex());
  changed = other.version;
  changed.content.tree = other.example.put({{"a/b", "3\n"}, {"c", "2\n"}});
  CHECK(check_attestations(changed, other.store()).value()[1].problems ==
        std::vector<std::string>{"the file 'a-b' was signed and is missing",
                                 "the file 'a/b' has changed since it was signed",
                                 "the file 'c' is there and was not signed"});

  // A key that is not there any more.
  attested.replace(good);
  REQUIRE(remove_file(attested.store().keys() / "store.pub.pem").ok());
  CHECK(attested.problem().find("cannot be checked, because this store does not have that key") != std::string::npos);

  // A file that is no bundle.
  attested.example.folder().write("store/packages/digits/x", "");
  REQUIRE(replace_file(attested.store().scratch(),
                       attested.attestations.file_of(attested.version.content.name, attested.version.version), "{}\n",
                       0444, Durable::no)
              .ok());
  CHECK(check_attestations(attested.version, attested.store()).error().code == Errc::corrupt);
}

TEST_CASE("a key that cannot be used leaves a version unattested and says so", "[attesting]") {
  const Attested attested;
  REQUIRE(attested.ring.default_key().ok());
  const Path file = attested.store().keys() / "store.pem";
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  const auto done = attest_upload(attested.version, attested.store());
  REQUIRE_FALSE(done.ok());
  CHECK(not_attested("digits@1.0", done.error()) ==
        "digits@1.0 is not attested: the private key '" + file.string() +
            "' can be read or written by others, so it is not used; take that from them with 'chmod 600 " +
            file.string() + "'; 'trainyard sign digits@1.0' makes up for it");
  CHECK(attested.envelopes().empty());
}

TEST_CASE("a name that a model signature cannot have costs that signature alone", "[attesting]") {
  example::ExampleStore example;
  const VersionRecord version = example.add_version(example.put({{"a\xFF", "1\n"}}));
  const auto done = attest_upload(version, example.store());
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().message.find("'a%FF'") != std::string::npos);
  CHECK(check_attestations(version, example.store()).value().size() == 1);
  const SigningKey key = KeyRing(example.store().keys(), example.store().scratch()).default_key().value();
  CHECK(sign_version(version, example.store(), key, Instant{9}).value().left_out.size() == 1);
}

TEST_CASE("attestations outlive their version, and are nothing to the registry", "[attesting]") {
  const Attested attested;
  REQUIRE(attest_upload(attested.version, attested.store()).ok());
  const PackageRegistry registry(attested.store().packages(), attested.store().journal());
  CHECK(registry.versions(attested.version.content.name).value().size() == 1);
  REQUIRE(registry.remove(attested.version.content.name, attested.version.version, Instant{9}).ok());
  CHECK(attested.envelopes().size() == 2);
  CHECK(registry.names().value().empty());
}

}  // namespace trainyard::attesting_test
