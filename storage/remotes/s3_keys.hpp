// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "storage/remotes/key_store.hpp"
#include "storage/remotes/s3_bucket.hpp"
#include "storage/remotes/s3_upload.hpp"

namespace trainyard {

// Keys of an S3 bucket, below the prefix of the address. `create` is a PUT with If-None-Match: *, which AWS, Ceph and others
// obey, and which Ceph ignores in versioned buckets: hence `probe`. What goes up is compared by the server with its SHA-256;
// what comes down is not compared with anything, because an ETag is no digest of content.
class S3Keys final : public KeyStore {
 public:
  // As S3Bucket.
  S3Keys(RemoteAddress address, S3Settings settings, HttpClient& http, RateLimit* limit, std::function<Instant()> now,
         S3Parts parts = {});

  Result<void> create(const std::string& key, std::string_view bytes) override;
  Result<void> replace(const std::string& key, std::string_view bytes) override;
  Result<void> put(const std::string& key, const Path& file, std::uint64_t bytes, const Digest& digest,
                   const Moved& moved) override;
  Result<std::optional<std::uint64_t>> size(const std::string& key) override;
  Result<std::string> read(const std::string& key, std::size_t most) override;
  Result<void> stream(const std::string& key, const Sink& sink) override;
  Result<KeyEntry> stream_listed(const KeyEntry& listed, const Sink& sink) override;
  Result<void> list(const std::string& prefix, const std::function<Result<void>(const KeyEntry&)>& each) override;
  Result<void> remove(const std::string& key) override;
  Result<std::uint64_t> unfinished(const std::string& prefix, Instant before, Unfinished what) override;
  Result<void> probe() override;
  [[nodiscard]] std::string text() const override { return bucket_.text(); }

 private:
  Result<void> upload(const S3File& file, const Moved& moved);
  Result<void> refuse_versions();

  const S3Bucket bucket_;
  const S3Parts parts_;
};

}  // namespace trainyard
