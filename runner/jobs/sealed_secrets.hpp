// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runner/core/secrets.hpp"

namespace trainyard {

// Secrets on their way to a machine that is not known yet: in a file that says nothing to whoever lacks the key, and a key
// that goes another way and opens nothing but that file. AES-256-GCM (NIST SP 800-38D); the text of the file is the nonce,
// the sealed bytes and the tag.
struct SealedSecrets {
  std::string text;
  std::string key;  // 64 hexadecimal digits
};

Result<SealedSecrets> seal(const Secrets& secrets);
// `corrupt` when the text is not what was sealed with this key.
Result<Secrets> unseal(const std::string& text, const std::string& key);

// The variable by which the key goes.
inline constexpr const char* kSecretsKey = "TRAINYARD_SECRETS_KEY";

}  // namespace trainyard
