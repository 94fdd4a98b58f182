// SPDX-License-Identifier: Apache-2.0
#include "storage/keys/key_ring.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "storage/keys/envelope_check.hpp"
#include "tests/support/temp_folder.hpp"

namespace trainyard::key_ring_test {
namespace {

struct Ring {
  TempFolder temp;
  KeyRing keys{temp.path() / "keys", temp.folder("tmp")};

  [[nodiscard]] unsigned mode(const char* file) const {
    return static_cast<unsigned>(status_of(temp.path() / "keys" / file).value().value().st_mode) & 07777U;
  }
  [[nodiscard]] std::vector<std::string> files() const { return list_folder(temp.path() / "keys").value(); }
};

KeyName name(const char* text) { return KeyName::parse(text).value(); }

}  // namespace

TEST_CASE("names of keys are plain", "[key_ring]") {
  for (const char* const good : {"a", "Release-2026_1"}) CHECK(KeyName::parse(good).ok());
  for (const char* const bad : {"", "1a", "a.pub", "a/b", "../a", "-a", "a b", "\xC3\xA9"})
    CHECK_FALSE(KeyName::parse(bad).ok());
  CHECK(KeyName::parse(std::string(63, 'a')).ok());
  CHECK_FALSE(KeyName::parse(std::string(64, 'a')).ok());
}

TEST_CASE("a key that is made is private to its owner and found again", "[key_ring]") {
  const Ring ring;
  CHECK(ring.keys.list().value().empty());
  const StoredKey made = ring.keys.generate(name("release"), KeyType::ed25519, "s3cret").value();
  CHECK(ring.files() == std::vector<std::string>{"release.pem", "release.pub.pem"});
  CHECK(ring.mode("release.pem") == 0600);
  CHECK(ring.mode("release.pub.pem") == 0444);
  CHECK(list_folder(ring.temp.path() / "tmp").value().empty());
  CHECK(ring.keys.find("release").value().key == made.key);
  CHECK(ring.keys.find(made.key.id()).value().name == name("release"));
  CHECK(ring.keys.find(made.key.id().substr(0, 8)).value().private_half == PrivateHalf::present);
  CHECK(ring.keys.find(made.key.id().substr(0, 7)).error().code == Errc::not_found);
  CHECK(ring.keys.find("relaese").error().message == "there is no key 'relaese'; did you mean 'release'?");
  CHECK(ring.keys.signing_key(name("release"), "s3cret").value().public_key() == made.key);
  CHECK(ring.keys.signing_key(name("release"), std::nullopt).error().message ==
        "the private key '" + (ring.temp.path() / "keys/release.pem").string() +
            "': it is locked by a password; give it with --password or --password-file");
  CHECK(ring.keys.generate(name("release"), KeyType::ed25519, std::nullopt).error().code == Errc::exists);
}

TEST_CASE("a private key that others can read is refused with what to do", "[key_ring]") {
  const Ring ring;
  REQUIRE(ring.keys.default_key().ok());
  const Path file = ring.temp.path() / "keys" / "store.pem";
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U}) {
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    const auto key = ring.keys.default_key();
    REQUIRE_FALSE(key.ok());
    CHECK(key.error().message.ends_with("take that from them with 'chmod 600 " + file.string() + "'"));
  }
  REQUIRE(::chmod(file.c_str(), 0600) == 0);
  CHECK(ring.keys.default_key().ok());
}

TEST_CASE("the key of the store is made once, however many need it at once", "[key_ring][threads]") {
  const Ring ring;
  std::vector<std::string> ids(16);
  {
    std::vector<std::jthread> threads;
    for (std::string& id : ids) {
      threads.emplace_back([&ring, &id] {
        const auto key = ring.keys.default_key();
        id = key.ok() ? key->public_key().id() : key.error().message;
      });
    }
  }
  CHECK(std::set<std::string>(ids.begin(), ids.end()) ==
        std::set<std::string>{ring.keys.find("store").value().key.id()});
  CHECK(ring.keys.find("store").value().key.type() == KeyType::ecdsa_p256);
  CHECK(ring.files().size() == 2);
}

TEST_CASE("a public half that its maker could not write any more is written with the next use", "[key_ring]") {
  const Ring ring;
  const PublicKey before = ring.keys.default_key().value().public_key();
  REQUIRE(remove_file(ring.temp.path() / "keys" / "store.pub.pem").ok());
  CHECK(ring.keys.list().value().empty());
  CHECK(ring.keys.default_key().value().public_key() == before);
  CHECK(ring.keys.list().value().size() == 1);
}

TEST_CASE("making a key that was interrupted can be repeated", "[key_ring]") {
  const Ring ring;
  const PublicKey before = ring.keys.generate(name("own"), KeyType::ed25519, "s3cret").value().key;
  REQUIRE(remove_file(ring.temp.path() / "keys" / "own.pub.pem").ok());
  CHECK(ring.keys.generate(name("own"), KeyType::ed25519, "another").error().code == Errc::exists);
  CHECK(ring.keys.generate(name("own"), KeyType::ed25519, "s3cret").value().key == before);
  CHECK(ring.keys.find("own").value().key == before);
}

TEST_CASE("a private half that is lost is not replaced by another key", "[key_ring]") {
  const Ring ring;
  REQUIRE(ring.keys.default_key().ok());
  REQUIRE(remove_file(ring.temp.path() / "keys" / "store.pem").ok());
  const auto key = ring.keys.default_key();
  REQUIRE_FALSE(key.ok());
  CHECK(key.error().message.starts_with("the key with which the store signs has lost its private half"));
  CHECK(ring.files() == std::vector<std::string>{"store.pub.pem"});
}

TEST_CASE("the public key of somebody else is taken in once", "[key_ring]") {
  const Ring ring;
  const PublicKey theirs = SigningKey::generate(KeyType::ecdsa_p256).value().public_key();
  const StoredKey taken = ring.keys.import(name("anna"), theirs).value();
  CHECK(taken.private_half == PrivateHalf::absent);
  CHECK(ring.keys.import(name("anna"), theirs).ok());
  CHECK(ring.keys.import(name("anna"), SigningKey::generate(KeyType::ed25519).value().public_key()).error().code ==
        Errc::exists);
  CHECK(ring.keys.generate(name("anna"), KeyType::ed25519, std::nullopt).error().code == Errc::exists);
  CHECK(ring.keys.signing_key(name("anna"), std::nullopt).error().message ==
        "the private half of the key 'anna' is not in this store");
  // Dropped into the folder by hand.
  ring.temp.write("keys/bert.pub.pem", SigningKey::generate(KeyType::ed25519).value().public_key().pem());
  CHECK(ring.keys.list().value().size() == 2);
  ring.temp.write("keys/carl.pub.pem", "nonsense");
  CHECK(ring.keys.list().error().code == Errc::corrupt);
}

TEST_CASE("an envelope is held against all keys", "[envelope_check]") {
  const Ring ring;
  const SigningKey own = ring.keys.default_key().value();
  const SigningKey strange = SigningKey::generate(KeyType::ed25519).value();
  DsseEnvelope envelope{"type", "payload", {sign_payload("type", "payload", own).value()}};
  const auto check = [&] { return check_envelope(envelope, ring.keys.list().value()); };
  CHECK(check().problems.empty());
  CHECK(check().signed_by(own.public_key()));

  envelope.signatures.push_back(sign_payload("type", "payload", strange).value());
  CHECK(check().signers.size() == 1);
  CHECK(check().problems ==
        std::vector<std::string>{"the signature of the key " + strange.public_key().id().substr(0, 16) +
                                 " cannot be checked, because this store does not have that key; 'trainyard keys "
                                 "import' takes it in"});
  REQUIRE(ring.keys.import(name("strange"), strange.public_key()).ok());
  CHECK(check().signers.size() == 2);

  // The same key twice is one signer, and what a signature says of its key is no more than a hint.
  envelope.signatures.push_back(sign_payload("type", "payload", own).value());
  envelope.signatures.back().keyid = "";
  CHECK(check().signers.size() == 2);
  envelope.signatures.back().keyid = strange.public_key().id();
  CHECK(check().problems.empty());
  envelope.signatures.resize(1);

  const DsseEnvelope good = envelope;
  envelope.payload += " ";
  const std::string wrong =
      "the signature of the key 'store' is wrong: the document or the signature has been changed since it was signed";
  CHECK(check().problems == std::vector<std::string>{wrong});
  CHECK(check().signers.empty());
  envelope = good;
  envelope.payload_type = "typf";
  CHECK(check().problems == std::vector<std::string>{wrong});
  envelope = good;
  envelope.signatures[0].sig.back() = static_cast<char>(envelope.signatures[0].sig.back() ^ 1);
  CHECK(check().problems == std::vector<std::string>{wrong});
  envelope.signatures[0].keyid = "";
  CHECK(check().problems == std::vector<std::string>{"a signature that names no key is right for none of this store"});
}

}  // namespace trainyard::key_ring_test
