// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/http/rate_limit.hpp"
#include "storage/remotes/oci_session.hpp"
#include "storage/values/oci_manifest.hpp"

namespace trainyard {

// What the distribution specification 1.1 lets one do with a registry. A repository is a whole name ("models/digits"), a
// reference a tag or "sha256:<hex>". Thread-safe.
class OciRegistry {
 public:
  // `limit` may be null.
  OciRegistry(const RemoteAddress& address, HttpClient& http, Environment environment, RateLimit* limit);

  [[nodiscard]] const std::string& text() const { return session_.text(); }
  // Whether it speaks the protocol, and knows who asks.
  Result<void> check();

  // All, in any order. `incompatible` when the registry does not tell.
  Result<std::vector<std::string>> repositories();
  // None of a repository that is not there.
  Result<std::vector<std::string>> tags(const std::string& repository);

  Result<std::optional<OciDescriptor>> look(const std::string& repository, const std::string& reference);
  // The text of a manifest or an index. `corrupt` when it is not that of the digest.
  Result<std::optional<std::string>> read(const std::string& repository, const std::string& reference);
  // Begins no later than `latest`; else it is `unavailable`. The registry says it has those very bytes when this returns.
  using Deadline = std::chrono::steady_clock::time_point;
  Result<void> write(const std::string& repository, const std::string& reference, std::string_view media_type,
                     std::string_view text, std::optional<Deadline> latest = std::nullopt);
  // With every tag that it has; none there is fine. `incompatible` when the registry removes nothing.
  Result<void> remove(const std::string& repository, const Digest& manifest);
  // None: the registry does not know what is attached to what.
  Result<std::optional<std::vector<OciDescriptor>>> referrers(const std::string& repository, const Digest& subject);

  Result<bool> has_blob(const std::string& repository, const Digest& digest);
  using Moved = std::function<void(std::uint64_t bytes)>;
  Result<void> put_blob(const std::string& repository, const Digest& digest, std::uint64_t bytes, const Path& file,
                        const Moved& moved);
  // Few bytes.
  Result<void> put_bytes(const std::string& repository, std::string_view bytes);
  using Sink = std::function<Result<void>(std::string_view piece)>;
  Result<void> get_blob(const std::string& repository, const Digest& digest, std::uint64_t bytes, const Sink& sink);

 private:
  struct Upload;
  enum class Known { by_all, by_some };  // by registries
  // `list` is the member of the answer that goes on page by page; `about` the repository. None where there is no such list.
  Result<std::optional<std::vector<Json>>> pages(const std::string& about, const std::string& path, const char* list,
                                                 Known known);
  struct Place {
    std::string location;
    std::uint64_t least_chunk = 0;  // but for the last
  };
  Result<Place> begin_upload(const std::string& repository);
  Result<void> send_whole(const Upload& upload);
  Result<void> send_in_chunks(const Upload& upload);
  Result<HttpAnswer> send_chunk(const Upload& upload, const std::string& location, std::uint64_t offset,
                                std::uint64_t count);
  Result<void> finish(const Upload& upload, const HttpAnswer& answer);

  OciSession session_;
  RateLimit* const limit_;
};

// "sha256:<hex>"
std::string oci_digest(const Digest& digest);

}  // namespace trainyard
