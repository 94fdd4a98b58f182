// SPDX-License-Identifier: Apache-2.0
#include "storage/values/sha256.hpp"

#include <openssl/evp.h>

#include <new>

namespace trainyard {

namespace {

// Fetched once: looking the algorithm up costs more than hashing a small file.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context;
};

// OpenSSL fails here only without memory, so the failure is reported as what it is.
Sha256::Sha256() : state_(std::make_unique<State>(State{EVP_MD_CTX_new()})) {
  if (state_->context == nullptr || EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) != 1)
    throw std::bad_alloc();
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
