// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

// Keys that sign, and keys that tell whether something was signed. All of OpenSSL that this takes is called in
// signing_key.cpp. Values of these types are cheap to copy and may be used in any thread.
namespace trainyard {

struct KeyHandle;

enum class KeyType {
  ecdsa_p256,  // ECDSA over the curve P-256 with SHA-256 (FIPS 186-5); a signature is DER
  ed25519,     // RFC 8032; a signature is 64 bytes
};
std::string_view name_of(KeyType type);  // ecdsa-p256, ed25519
Result<KeyType> parse_key_type(std::string_view text);

class PublicKey {
 public:
  // A PEM SubjectPublicKeyInfo (RFC 7468) of one of the types above; `invalid` for anything else, private keys above all.
  static Result<PublicKey> from_pem(std::string_view pem);

  [[nodiscard]] KeyType type() const { return type_; }
  // In the one form that all writings of a key have here: lines of 64 characters, a line break at the end.
  [[nodiscard]] const std::string& pem() const { return pem_; }
  // SHA-256 in hex of `pem`: the hint by which signed models name their key.
  [[nodiscard]] std::string id() const;
  // False as well for bytes that are no signature at all.
  [[nodiscard]] bool verify(std::string_view bytes, std::string_view signature) const;

  friend bool operator==(const PublicKey& a, const PublicKey& b) { return a.pem_ == b.pem_; }

 private:
  friend class SigningKey;
  friend struct KeyHandle;
  PublicKey(std::shared_ptr<const KeyHandle> key, KeyType type, std::string pem)
      : key_(std::move(key)), type_(type), pem_(std::move(pem)) {}

  std::shared_ptr<const KeyHandle> key_;
  KeyType type_;
  std::string pem_;
};

class SigningKey {
 public:
  static Result<SigningKey> generate(KeyType type);
  // A PEM private key, by default PKCS #8 (RFC 5958), as `openssl genpkey` and this program write them. `invalid` when it is
  // locked and there is no password, or a wrong one; a password for a key that is not locked is ignored.
  static Result<SigningKey> from_pem(std::string_view pem, const std::optional<std::string>& password);

  // PKCS #8; with a password locked by AES-256 under scrypt (RFC 7914).
  [[nodiscard]] Result<std::string> pem(const std::optional<std::string>& password) const;
  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] Result<std::string> sign(std::string_view bytes) const;

 private:
  explicit SigningKey(PublicKey public_key) : public_key_(std::move(public_key)) {}

  PublicKey public_key_;  // whose handle has the private half too
};

}  // namespace trainyard
