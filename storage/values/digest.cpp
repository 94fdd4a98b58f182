// SPDX-License-Identifier: Apache-2.0
#include "storage/values/digest.hpp"

#include <openssl/evp.h>

#include <new>

namespace trainyard {

namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Fetched once: looking the algorithm up costs more than hashing a small file.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view hex) {
  std::array<std::uint8_t, kBytes> bytes{};
  if (hex.size() != 2 * kBytes) return fail(Errc::invalid, "'" + std::string(hex) + "' is not a SHA-256 of 64 hexadecimal digits");
  for (std::size_t i = 0; i < kBytes; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return fail(Errc::invalid, "'" + std::string(hex) + "' is not a SHA-256 in lowercase hexadecimal digits");
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Digest(bytes);
}

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * kBytes);
  for (const std::uint8_t byte : bytes_) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

struct Sha256::State {
  EVP_MD_CTX* context;
};

// OpenSSL fails here only without memory, so the failure is reported as what it is.
Sha256::Sha256() : state_(std::make_unique<State>(State{EVP_MD_CTX_new()})) {
  if (state_->context == nullptr || EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) != 1) throw std::bad_alloc();
}

Sha256::~Sha256() { EVP_MD_CTX_free(state_->context); }

void Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

Digest Sha256::finish() {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context, bytes.data(), &size) != 1 || size != bytes.size()) throw std::bad_alloc();
  if (EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) != 1) throw std::bad_alloc();
  return Digest(bytes);
}

Digest sha256(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.finish();
}

}  // namespace trainyard
