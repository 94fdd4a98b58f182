// SPDX-License-Identifier: Apache-2.0
#include "storage/keys/signing_key.hpp"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <cstring>

#include "storage/values/named_enum.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* value) const {
    free_function(value);
  }
};

namespace {

constexpr std::string_view kTypes[] = {"ecdsa-p256", "ed25519"};

// What trying a password costs whoever does not know it: 16 MiB of memory, five times over. OpenSSL reads no more than
// 32 MiB without being told to.
constexpr std::uint64_t kScryptN = 1U << 14U;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 5;
constexpr std::size_t kLongestPassword = 1000;

using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Digesting = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using KeyParts = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Free<PKCS8_PRIV_KEY_INFO_free>>;
using LockedKey = std::unique_ptr<X509_SIG, Free<X509_SIG_free>>;

// What a configuration file of OpenSSL says is not for keys of a store, and reading it takes a millisecond.
void begin_openssl() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }

// The first thing that went wrong since the last call.
Error openssl_error(const std::string& action) {
  const char* const reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return fail(Errc::io, "cannot " + action + ": " + (reason != nullptr ? reason : "OpenSSL does not say why"));
}

Bio reading(std::string_view text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string written(const Bio& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::optional<KeyType> type_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyType::ed25519;
  char group[64] = {};
  if (EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof(group), nullptr) == 1 &&
      std::strcmp(group, "prime256v1") == 0) {
    return KeyType::ecdsa_p256;
  }
  return std::nullopt;
}

// An Ed25519 signature hashes by itself.
const char* digest_of(KeyType type) { return type == KeyType::ecdsa_p256 ? "SHA256" : nullptr; }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

struct PasswordAsked {
  const std::optional<std::string>& password;
  bool asked = false;
};

int give_password(char* buffer, int size, int /*writing*/, void* given) {
  auto& asked = *static_cast<PasswordAsked*>(given);
  asked.asked = true;
  if (!asked.password || asked.password->size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(buffer, asked.password->data(), asked.password->size());
  return static_cast<int>(asked.password->size());
}

Result<std::string> locked_pem(EVP_PKEY* key, const std::string& password) {
  if (password.empty() || password.size() > kLongestPassword)
    return fail(Errc::invalid, "the password of a key must have 1 to " + std::to_string(kLongestPassword) + " bytes");
  const KeyParts parts(EVP_PKEY2PKCS8(key));
  X509_ALGOR* const algorithm =
      PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, kScryptN, kScryptR, kScryptP);
  if (!parts || algorithm == nullptr) {
    X509_ALGOR_free(algorithm);
    return openssl_error("lock a key");
  }
  const LockedKey locked(PKCS8_set0_pbe(password.data(), static_cast<int>(password.size()), parts.get(), algorithm));
  if (!locked) {
    X509_ALGOR_free(algorithm);
    return openssl_error("lock a key");
  }
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8(bio.get(), locked.get()) != 1) return openssl_error("write a key");
  return written(bio);
}

}  // namespace

struct KeyHandle {
  Key key;

  // Yields what both kinds of keys need; `invalid` for types of keys that Trainyard does not have.
  static Result<PublicKey> take(Key key) {
    const auto type = type_of(key.get());
    if (!type)
      return fail(Errc::invalid, "the key is neither ECDSA on the curve P-256 nor Ed25519; Trainyard has no others");
    // Of the same key there must not be two texts.
    if (*type == KeyType::ecdsa_p256)
      EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "uncompressed");
    const Bio bio(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_PUBKEY(bio.get(), key.get()) != 1) return openssl_error("write a public key");
    return PublicKey(std::make_shared<const KeyHandle>(KeyHandle{std::move(key)}), *type, written(bio));
  }
};

std::string_view name_of(KeyType type) { return kTypes[static_cast<std::size_t>(type)]; }

Result<KeyType> parse_key_type(std::string_view text) {
  if (const auto type = enum_named<KeyType>(kTypes, text)) return *type;
  return fail(Errc::invalid, "'" + std::string(text) + "' is not a type of key; give ecdsa-p256 or ed25519");
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  begin_openssl();
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos)
    return fail(Errc::invalid, "this is a private key, which is for its owner alone; give its public half");
  Key key(PEM_read_bio_PUBKEY(reading(pem).get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!key) return fail(Errc::invalid, "this is not a public key in PEM form (-----BEGIN PUBLIC KEY-----)");
  return KeyHandle::take(std::move(key));
}

std::string PublicKey::id() const { return sha256(pem_).hex(); }

bool PublicKey::verify(std::string_view bytes, std::string_view signature) const {
  const Digesting digesting(EVP_MD_CTX_new());
  const bool good =
      EVP_DigestVerifyInit_ex(digesting.get(), nullptr, digest_of(type_), nullptr, nullptr, key_->key.get(), nullptr) ==
          1 &&
      EVP_DigestVerify(digesting.get(), bytes_of(signature), signature.size(), bytes_of(bytes), bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<SigningKey> SigningKey::generate(KeyType type) {
  begin_openssl();
  Key key(type == KeyType::ecdsa_p256 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")
                                      : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return openssl_error("make a key");
  return SigningKey(TRY(KeyHandle::take(std::move(key))));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem, const std::optional<std::string>& password) {
  begin_openssl();
  PasswordAsked asked{password};
  Key key(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, give_password, &asked));
  ERR_clear_error();
  if (!key && asked.asked && !password)
    return fail(Errc::invalid, "it is locked by a password; give it with --password or --password-file");
  if (!key && asked.asked) return fail(Errc::invalid, "the password is wrong");
  if (!key) return fail(Errc::invalid, "it is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  return SigningKey(TRY(KeyHandle::take(std::move(key))));
}

Result<std::string> SigningKey::pem(const std::optional<std::string>& password) const {
  EVP_PKEY* const key = public_key_.key_->key.get();
  if (password) return locked_pem(key, *password);
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return openssl_error("write a key");
  return written(bio);
}

Result<std::string> SigningKey::sign(std::string_view bytes) const {
  const Digesting digesting(EVP_MD_CTX_new());
  EVP_PKEY* const key = public_key_.key_->key.get();
  std::size_t size = 0;
  if (EVP_DigestSignInit_ex(digesting.get(), nullptr, digest_of(public_key_.type()), nullptr, nullptr, key, nullptr) !=
          1 ||
      EVP_DigestSign(digesting.get(), nullptr, &size, bytes_of(bytes), bytes.size()) != 1) {
    return openssl_error("sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(digesting.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(bytes),
                     bytes.size()) != 1) {
    return openssl_error("sign");
  }
  signature.resize(size);
  return signature;
}

}  // namespace trainyard
