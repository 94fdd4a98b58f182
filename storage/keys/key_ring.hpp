// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/keys/signing_key.hpp"

namespace trainyard {

// What a key is called in a store: begins with a letter and goes on with letters, digits, '_' and '-', 63 characters at
// most.
class KeyName {
 public:
  static Result<KeyName> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  friend auto operator<=>(const KeyName&, const KeyName&) = default;

 private:
  explicit KeyName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

enum class PrivateHalf { absent, present };

struct StoredKey {
  KeyName name;
  PublicKey key;
  PrivateHalf private_half = PrivateHalf::absent;
};

// The keys of a store, in one folder that is made when there is a first one:
//
//   <name>.pem       a private key: PKCS #8, mode 0600; refused when it can be read by others than its owner
//   <name>.pub.pem   its public half, mode 0444; also that of a key whose private half somebody else has
//
// Files appear whole or not at all and are never replaced, however many processes make keys at once.
class KeyRing {
 public:
  // `scratch` exists, on the same file system as `folder`.
  KeyRing(Path folder, Path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {}

  // Durable when it returns. `exists` when there is a key of that name. What was interrupted can be repeated in the same words.
  Result<StoredKey> generate(const KeyName& name, KeyType type, const std::optional<std::string>& password) const;
  // The public key of somebody else. `exists` when there is another key of that name; the same key again is fine.
  Result<StoredKey> import(const KeyName& name, const PublicKey& key) const;

  // All whose public half is there, sorted by name. `corrupt` names a file that is no public key.
  [[nodiscard]] Result<std::vector<StoredKey>> list() const;
  // By its name, its id, or at least eight digits at the beginning of its id.
  [[nodiscard]] Result<StoredKey> find(const std::string& name_or_id) const;

  // The private half; `not_found` when only the public one is here. Gives it its public half, where that is missing because
  // its maker was killed.
  [[nodiscard]] Result<SigningKey> signing_key(const KeyName& name, const std::optional<std::string>& password) const;
  // The key called `store`, with which all that the store says of itself is signed: ECDSA P-256 and without a password. Made
  // when it is needed for the first time; processes that need it at once get the same.
  [[nodiscard]] Result<SigningKey> default_key() const;
  static KeyName default_name();

 private:
  [[nodiscard]] Path private_file(const KeyName& name) const { return folder_ / (name.text() + ".pem"); }
  [[nodiscard]] Path public_file(const KeyName& name) const { return folder_ / (name.text() + ".pub.pem"); }
  [[nodiscard]] Result<StoredKey> read(const KeyName& name) const;
  Result<void> make_folder_once() const;
  Result<void> publish_public(const KeyName& name, const PublicKey& key) const;

  Path folder_;
  Path scratch_;
};

}  // namespace trainyard
