// SPDX-License-Identifier: Apache-2.0
#include "runner/jobs/sealed_secrets.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>

#include "storage/files/files.hpp"
#include "storage/values/digest.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Error refused() { return fail(Errc::corrupt, "the sealed secrets of the job are not those that its key opens"); }

}  // namespace

Result<SealedSecrets> seal(const Secrets& secrets) {
  std::array<std::uint8_t, Digest::kBytes> key{};
  fill_random(key);
  std::string text(kNonce, '\0');
  fill_random(std::span(bytes_of(text), kNonce));
  const std::string plain = secrets_json(secrets);
  std::string sealed(plain.size(), '\0');
  std::string tag(kTag, '\0');
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int size = 0;
  int rest = 0;
  const bool done =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes_of(text)) == 1 &&
      EVP_EncryptUpdate(context.get(), bytes_of(sealed), &size, bytes_of(plain), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes_of(sealed) + size, &rest) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTag), tag.data()) == 1;
  if (!done) return fail(Errc::io, "the secrets of the job cannot be sealed");
  return SealedSecrets{text + sealed + tag, Digest(key).hex()};
}

Result<Secrets> unseal(const std::string& text, const std::string& key) {
  const auto digits = Digest::parse(key);
  if (!digits.ok() || text.size() < kNonce + kTag) return refused();
  const std::string_view sealed = std::string_view(text).substr(kNonce, text.size() - kNonce - kTag);
  std::string tag = text.substr(text.size() - kTag);
  std::string plain(sealed.size(), '\0');
  const CipherContext context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int size = 0;
  int rest = 0;
  const bool done = context != nullptr &&
                    EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, digits->bytes().data(),
                                       bytes_of(std::string_view(text))) == 1 &&
                    EVP_DecryptUpdate(context.get(), bytes_of(plain), &size, bytes_of(sealed),
                                      static_cast<int>(sealed.size())) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTag), tag.data()) == 1 &&
                    EVP_DecryptFinal_ex(context.get(), bytes_of(plain) + size, &rest) == 1;
  if (!done) return refused();
  return secrets_from_json(plain);
}

}  // namespace trainyard
