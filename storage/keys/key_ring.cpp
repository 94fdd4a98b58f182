// SPDX-License-Identifier: Apache-2.0
#include "storage/keys/key_ring.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "storage/values/names.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPublic = ".pub.pem";
constexpr std::size_t kMostBytes = std::size_t{64} << 10U;
constexpr std::size_t kLongestName = 63;
constexpr std::size_t kLeastDigits = 8;

// Refuses a file that others can read, before a byte of it is used.
Result<std::string> read_private(const Path& file) {
  const UniqueFd fd = TRY(open_file(file, O_RDONLY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("look at", file, errno);
  if ((status.st_mode & 077U) != 0) {
    return fail(Errc::io,
                "the private key '" + file.string() +
                    "' can be read or written by others, so it is not used; take that from them with 'chmod 600 " +
                    file.string() + "'");
  }
  std::string bytes(kMostBytes, '\0');
  const std::size_t got = TRY(read_some(fd.get(), std::as_writable_bytes(std::span(bytes)), file));
  if (got == bytes.size()) return fail(Errc::corrupt, "'" + file.string() + "' is too large for a private key");
  bytes.resize(got);
  return bytes;
}

}  // namespace

Result<KeyName> KeyName::parse(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  if (text.empty() || text.size() > kLongestName || !letter(text.front()) ||
      !std::all_of(text.begin(), text.end(), fits)) {
    return fail(Errc::invalid,
                "'" + std::string(text) +
                    "' is not a name for a key; it begins with a letter and goes on with letters, digits, "
                    "'_' and '-', 63 characters at most");
  }
  return KeyName(std::string(text));
}

KeyName KeyRing::default_name() { return KeyName::parse("store").value(); }

Result<void> KeyRing::make_folder_once() const {
  const auto made = make_folder(folder_);
  if (!made.ok() && made.error().code == Errc::exists) return {};
  if (!made.ok()) return made.error();
  return sync_folder(folder_.parent_path());
}

Result<void> KeyRing::publish_public(const KeyName& name, const PublicKey& key) const {
  const auto published = publish_file(scratch_, public_file(name), key.pem(), 0444, Durable::yes);
  if (published.ok() || published.error().code != Errc::exists) return published;
  if (TRY(read(name)).key == key) return {};
  return fail(Errc::exists, "the file '" + public_file(name).string() +
                                "' has another public key than the one called '" + name.text() + "'; move it away");
}

Result<StoredKey> KeyRing::generate(const KeyName& name, KeyType type,
                                    const std::optional<std::string>& password) const {
  TRY(make_folder_once());
  const SigningKey key = TRY(SigningKey::generate(type));
  const std::string pem = TRY(key.pem(password));
  const std::string there = "there is a key '" + name.text() + "' already; choose another name";
  if (is_there(public_file(name))) return fail(Errc::exists, there);
  // The private half decides who was first.
  const auto published = publish_file(scratch_, private_file(name), pem, 0600, Durable::yes);
  if (!published.ok() && published.error().code == Errc::exists) {
    if (is_there(public_file(name))) return fail(Errc::exists, there);
    // What was interrupted can be repeated: this key never signed anything.
    const auto left = signing_key(name, password);
    if (!left.ok() || left->public_key().type() != type) return fail(Errc::exists, there);
    return read(name);
  }
  TRY(published);
  TRY(publish_public(name, key.public_key()));
  return StoredKey{name, key.public_key(), PrivateHalf::present};
}

Result<StoredKey> KeyRing::import(const KeyName& name, const PublicKey& key) const {
  TRY(make_folder_once());
  if (is_there(private_file(name)) && !is_there(public_file(name)))
    return fail(Errc::exists, "there is a private key '" + name.text() + "' already; choose another name");
  const auto published = publish_public(name, key);
  if (!published.ok() && published.error().code == Errc::exists)
    return fail(Errc::exists, "there is another key '" + name.text() + "' already; choose another name");
  TRY(published);
  return read(name);
}

Result<StoredKey> KeyRing::read(const KeyName& name) const {
  const Path file = public_file(name);
  auto key = PublicKey::from_pem(TRY(read_file(file, kMostBytes)));
  if (!key.ok()) return fail(Errc::corrupt, "'" + file.string() + "': " + key.error().message);
  return StoredKey{name, std::move(*key), is_there(private_file(name)) ? PrivateHalf::present : PrivateHalf::absent};
}

Result<std::vector<StoredKey>> KeyRing::list() const {
  std::vector<StoredKey> keys;
  const auto files = list_folder(folder_);
  if (!files.ok() && files.error().code == Errc::not_found) return keys;
  for (const std::string& file : TRY(files)) {
    if (!file.ends_with(kPublic)) continue;
    const auto name = KeyName::parse(std::string_view(file).substr(0, file.size() - kPublic.size()));
    if (!name.ok()) return fail(Errc::corrupt, "'" + (folder_ / file).string() + "': " + name.error().message);
    keys.push_back(TRY(read(*name)));
  }
  return keys;
}

Result<StoredKey> KeyRing::find(const std::string& name_or_id) const {
  const std::vector<StoredKey> keys = TRY(list());
  std::vector<std::string> names;
  const StoredKey* found = nullptr;
  for (const StoredKey& key : keys) {
    if (key.name.text() == name_or_id) return key;
    names.push_back(key.name.text());
    if (name_or_id.size() < kLeastDigits || !key.key.id().starts_with(name_or_id)) continue;
    if (found != nullptr && found->key != key.key)
      return fail(Errc::invalid, "more than one key has an id that begins with '" + name_or_id + "'; give more of it");
    found = &key;
  }
  if (found != nullptr) return *found;
  return fail(Errc::not_found, "there is no key '" + name_or_id + "'" + did_you_mean(name_or_id, names));
}

Result<SigningKey> KeyRing::signing_key(const KeyName& name, const std::optional<std::string>& password) const {
  const Path file = private_file(name);
  const auto pem = read_private(file);
  if (!pem.ok() && pem.error().code == Errc::not_found)
    return fail(Errc::not_found, "the private half of the key '" + name.text() + "' is not in this store");
  auto key = SigningKey::from_pem(TRY(pem), password);
  if (!key.ok()) return within("the private key '" + file.string() + "'", key.error());
  if (!is_there(public_file(name))) TRY(publish_public(name, key->public_key()));
  return key;
}

Result<SigningKey> KeyRing::default_key() const {
  const KeyName name = default_name();
  auto key = signing_key(name, std::nullopt);
  if (key.ok() || key.error().code != Errc::not_found) return key;
  const auto made = generate(name, KeyType::ecdsa_p256, std::nullopt);
  // Another process may have made it just now; only when it did not, there is something to tell.
  key = signing_key(name, std::nullopt);
  if (key.ok() || key.error().code != Errc::not_found || made.ok()) return key;
  if (made.error().code != Errc::exists) return made.error();
  return fail(Errc::not_found, "the key with which the store signs has lost its private half '" +
                                   private_file(name).string() + "'; bring it back, or move '" +
                                   public_file(name).string() + "' away and let a new key be made");
}

}  // namespace trainyard
