// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_stream.hpp"

#include <cstdint>
#include <optional>

#include "storage/values/number.hpp"

namespace trainyard {

namespace {

// Times that a connection may break while bytes arrive.
constexpr int kMostBreaks = 20;

// One key on its way down.
class S3Stream {
 public:
  S3Stream(const S3Bucket& bucket, std::string key, const KeyStore::Sink& sink)
      : bucket_(bucket), key_(std::move(key)), sink_(sink) {}
  // Of that content alone.
  S3Stream(const S3Bucket& bucket, const KeyEntry& listed, const KeyStore::Sink& sink)
      : S3Stream(bucket, listed.key, sink) {
    listed_ = true;
    if (listed.tag) etag_ = '"' + *listed.tag + '"';
  }

  [[nodiscard]] std::uint64_t arrived() const { return arrived_; }
  [[nodiscard]] const std::optional<std::string>& version() const { return version_; }

  Result<void> run() {
    for (int broken = 0;; ++broken) {
      const std::uint64_t before = arrived_;
      auto answer = bucket_.send(call());
      if (answer.ok()) return answered(*answer);
      // Without a byte more, it was tried often enough.
      const bool goes_on = !ended_ && answer.error().code == Errc::unavailable && arrived_ > before;
      if (goes_on && arrived_ == whole_) return {};
      if (!goes_on || broken == kMostBreaks) return std::move(answer).error();
    }
  }

 private:
  S3Call call() {
    S3Call call;
    call.key = key_;
    if (arrived_ > 0) call.headers.push_back({"range", "bytes=" + std::to_string(arrived_) + "-"});
    if (!etag_.empty()) call.headers.push_back({"if-match", etag_});
    call.before_sink = [this](const HttpAnswer& head) { return begins(head); };
    call.sink = [this](std::string_view piece) -> Result<void> {
      if (auto taken = sink_(piece); !taken.ok()) {
        ended_ = true;
        return taken;
      }
      arrived_ += piece.size();
      return {};
    };
    return call;
  }

  Result<void> begins(const HttpAnswer& head) {
    if (arrived_ == 0) {
      etag_ = head.header("etag").value_or("");
      whole_ = number_in<std::uint64_t>(head.header("content-length").value_or(""));
      return {};
    }
    const std::string range = "bytes " + std::to_string(arrived_) + "-";
    if (head.status == 206 && head.header("content-range").value_or("").substr(0, range.size()) == range) return {};
    ended_ = true;
    return fail(Errc::unavailable, "cannot go on reading " + bucket_.named(key_) +
                                       " where a connection broke: the server begins anew; try again");
  }

  Result<void> answered(const HttpAnswer& answer) {
    if (answer.status >= 200 && answer.status < 300) {
      version_ = answer.header("x-amz-version-id");
      if (version_ == "null") version_.reset();  // what a bucket had before it kept versions
      return {};
    }
    if (listed_ && (answer.status == 412 || answer.status == 404)) return changed_key(bucket_.named(key_));
    if (answer.status == 412 && arrived_ > 0)
      return fail(Errc::unavailable, bucket_.named(key_) + " was replaced while it was read; try again");
    const S3Refusal refusal = s3_refusal(answer);
    if (answer.status == 404 && (refusal.code.empty() || refusal.code == "NoSuchKey"))
      return fail(Errc::not_found, bucket_.named(key_) + " is not there");
    return bucket_.error_of(answer, "read " + bucket_.named(key_));
  }

  const S3Bucket& bucket_;
  const std::string key_;
  const KeyStore::Sink& sink_;
  std::uint64_t arrived_ = 0;
  std::optional<std::uint64_t> whole_;
  std::string etag_;
  std::optional<std::string> version_;
  bool listed_ = false;
  bool ended_ = false;  // by the sink, or because the rest cannot be had
};

}  // namespace

Result<void> stream_s3(const S3Bucket& bucket, const std::string& key, const KeyStore::Sink& sink) {
  return S3Stream(bucket, key, sink).run();
}

Result<KeyEntry> stream_listed_s3(const S3Bucket& bucket, const KeyEntry& listed, const KeyStore::Sink& sink) {
  S3Stream stream(bucket, listed, sink);
  TRY(stream.run());
  if (stream.arrived() != listed.bytes) return changed_key(bucket.named(listed.key));
  KeyEntry read = listed;
  read.version = stream.version();
  return read;
}

}  // namespace trainyard
