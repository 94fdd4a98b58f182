// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/files/files.hpp"
#include "storage/values/digest.hpp"
#include "storage/values/instant.hpp"
#include "storage/values/result.hpp"

namespace trainyard {

struct KeyEntry {
  std::string key;
  std::uint64_t bytes = 0;
  Instant modified;
  std::optional<std::string> tag = {};      // of the content, where the server tells one; changes when that does
  std::optional<std::string> version = {};  // its id, where the server keeps versions and tells it
};

// Bytes by names: what a shared folder and a bucket have in common. Keys are relative paths of [A-Za-z0-9._-] parts. What
// is written is durable and seen by everybody when a method returns, whole or not at all. Thread-safe. Errors name the
// place and the key; `unavailable` may work later.
class KeyStore {
 public:
  KeyStore() = default;
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;
  virtual ~KeyStore() = default;

  // `exists` when the key is there: of many who create it at once, one succeeds.
  virtual Result<void> create(const std::string& key, std::string_view bytes) = 0;
  virtual Result<void> replace(const std::string& key, std::string_view bytes) = 0;
  // Content of that digest under a key that only ever holds that: a file of exactly `bytes` bytes, in parts where it is
  // long. What arrived of it before an interruption is not sent again. Refused where it arrives damaged.
  using Moved = std::function<void(std::uint64_t bytes)>;
  virtual Result<void> put(const std::string& key, const Path& file, std::uint64_t bytes, const Digest& digest,
                           const Moved& moved) = 0;

  virtual Result<std::optional<std::uint64_t>> size(const std::string& key) = 0;
  // `not_found`; `invalid` when it is longer than `most`.
  virtual Result<std::string> read(const std::string& key, std::size_t most) = 0;
  // All bytes in order; goes on where a connection broke. Digests are the caller's business.
  using Sink = std::function<Result<void>(std::string_view piece)>;
  virtual Result<void> stream(const std::string& key, const Sink& sink) = 0;
  // As `stream`, of what was listed and nothing else: `invalid` when the key holds something else by now, as far as size,
  // time and tag tell. Yields what was read, with its version where that is told.
  virtual Result<KeyEntry> stream_listed(const KeyEntry& listed, const Sink& sink) = 0;
  // All keys that begin with `prefix`, in any order, a thousand or so at a time.
  virtual Result<void> list(const std::string& prefix, const std::function<Result<void>(const KeyEntry&)>& each) = 0;
  // Nothing there is fine.
  virtual Result<void> remove(const std::string& key) = 0;

  // Uploads below `prefix` that were begun before `before` and never finished; how many there are, or were.
  enum class Unfinished { count, abandon };
  virtual Result<std::uint64_t> unfinished(const std::string& prefix, Instant before, Unfinished what) = 0;

  // Whether `create` keeps its promise here; `incompatible` says why not.
  virtual Result<void> probe() = 0;
  [[nodiscard]] virtual std::string text() const = 0;
};

// `invalid`: what a key held was replaced or removed since it was listed.
inline Error changed_key(const std::string& named) {
  return fail(Errc::invalid, named + " was changed while it was read; wait until nobody writes there, and try again");
}

}  // namespace trainyard
