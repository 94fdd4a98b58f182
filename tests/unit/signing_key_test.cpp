// SPDX-License-Identifier: Apache-2.0
#include "storage/keys/signing_key.hpp"

#include <catch2/catch.hpp>

#include "storage/values/sha256.hpp"

namespace trainyard::signing_key_test {
namespace {

SigningKey new_key(KeyType type) { return SigningKey::generate(type).value(); }

}  // namespace

TEST_CASE("what a key signs, its public half verifies, and nothing else", "[signing_key]") {
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ed25519}) {
    const SigningKey key = new_key(type);
    const SigningKey other = new_key(type);
    const std::string text("a text\0with a zero", 18);
    const std::string signature = key.sign(text).value();
    INFO(name_of(type));
    CHECK(key.public_key().type() == type);
    CHECK(key.public_key().verify(text, signature));
    CHECK(PublicKey::from_pem(key.public_key().pem()).value().verify(text, signature));
    CHECK_FALSE(key.public_key().verify(text + "x", signature));
    CHECK_FALSE(key.public_key().verify(text, signature + "x"));
    CHECK_FALSE(key.public_key().verify(text, signature.substr(1)));
    CHECK_FALSE(key.public_key().verify(text, ""));
    CHECK_FALSE(other.public_key().verify(text, signature));
    std::string changed = signature;
    changed[changed.size() - 3] = static_cast<char>(changed[changed.size() - 3] ^ 1);
    CHECK_FALSE(key.public_key().verify(text, changed));
    CHECK(key.public_key().verify("", key.sign("").value()));
  }
  CHECK(new_key(KeyType::ed25519).sign("x").value().size() == 64);
}

TEST_CASE("the private half is PKCS #8, and locked when it has a password", "[signing_key]") {
  for (const KeyType type : {KeyType::ecdsa_p256, KeyType::ed25519}) {
    const SigningKey key = new_key(type);
    const std::string open = key.pem(std::nullopt).value();
    CHECK(open.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    CHECK(SigningKey::from_pem(open, std::nullopt).value().public_key() == key.public_key());
    CHECK(SigningKey::from_pem(open, "not needed").ok());
    const std::string locked = key.pem("s3cret").value();
    CHECK(locked.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    CHECK(SigningKey::from_pem(locked, "s3cret").value().public_key() == key.public_key());
    CHECK(SigningKey::from_pem(locked, std::nullopt).error().message ==
          "it is locked by a password; give it with --password or --password-file");
    CHECK(SigningKey::from_pem(locked, "s3cre").error().message == "the password is wrong");
    CHECK(key.pem("").error().code == Errc::invalid);
    CHECK(key.pem(std::string(2000, 'x')).error().code == Errc::invalid);
  }
  CHECK(SigningKey::from_pem("nonsense", std::nullopt).error().code == Errc::invalid);
  CHECK(SigningKey::from_pem(new_key(KeyType::ed25519).public_key().pem(), std::nullopt).error().code == Errc::invalid);
}

TEST_CASE("a public key has one text, whatever it was read from", "[signing_key]") {
  // One key: `openssl ec -pubout -conv_form compressed` and without.
  const std::string plain =
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWL8yUSGrYaqvC7okYQho4ep0g1+/\n"
      "27HVKFmaqbjBpZXZXKsK6Rp5pogwMEPMFKkDsRp7jqm8cuatWjTiBlXdCA==\n"
      "-----END PUBLIC KEY-----\n";
  const std::string compressed =
      "-----BEGIN PUBLIC KEY-----\n"
      "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACWL8yUSGrYaqvC7okYQho4ep0g1+/\n"
      "27HVKFmaqbjBpZU=\n"
      "-----END PUBLIC KEY-----\n";
  CHECK(PublicKey::from_pem(plain).value().pem() == plain);
  CHECK(PublicKey::from_pem("a comment\n" + compressed).value().pem() == plain);
  CHECK(PublicKey::from_pem(compressed).value().id() == sha256(plain).hex());
}

TEST_CASE("what is no public key of a known type is refused", "[signing_key]") {
  CHECK(PublicKey::from_pem("").error().message == "this is not a public key in PEM form (-----BEGIN PUBLIC KEY-----)");
  const std::string secret = new_key(KeyType::ecdsa_p256).pem(std::nullopt).value();
  CHECK(PublicKey::from_pem(secret).error().message ==
        "this is a private key, which is for its owner alone; give its public half");
  // `openssl ecparam -genkey -name secp384r1`
  const std::string other_curve =
      "-----BEGIN PUBLIC KEY-----\n"
      "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE/8sn3zpjXbbARMfbLBmDP0Bc2uS6evO1\n"
      "g70IeV3xp84OqFHCbUthWkJgs1WS5nTVmxXH3SiY2na6fYkp3v8ZL1pEGziY2TZN\n"
      "ZPMp6cuUZ/xwkTB6y1kJT+uKHPJ5tOqS\n"
      "-----END PUBLIC KEY-----\n";
  CHECK(PublicKey::from_pem(other_curve).error().message ==
        "the key is neither ECDSA on the curve P-256 nor Ed25519; Trainyard has no others");
}

TEST_CASE("types of keys have names", "[signing_key]") {
  CHECK(parse_key_type("ecdsa-p256").value() == KeyType::ecdsa_p256);
  CHECK(parse_key_type("ed25519").value() == KeyType::ed25519);
  CHECK(parse_key_type("rsa").error().code == Errc::invalid);
}

}  // namespace trainyard::signing_key_test
