// SPDX-License-Identifier: Apache-2.0
#include "storage/values/sha256.hpp"

// The newer interface reads OpenSSL's configuration first, for a millisecond of every start, and costs more than hashing
// a small file each time.
#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>

#include <array>

namespace trainyard {

struct Sha256::State {
  SHA256_CTX hash;
};

// These functions of OpenSSL cannot fail.
Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->hash); }

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) { SHA256_Update(&state_->hash, bytes.data(), bytes.size()); }

Digest Sha256::finish() {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  SHA256_Final(bytes.data(), &state_->hash);
  SHA256_Init(&state_->hash);
  return Digest(bytes);
}

Digest sha256(std::string_view text) {
  std::array<std::uint8_t, Digest::kBytes> bytes{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data());
  return Digest(bytes);
}

}  // namespace trainyard
