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
    if (arrived_ > 0) {
      call.headers.push_back({"range", "bytes=" + std::to_string(arrived_) + "-"});
      if (!etag_.empty()) call.headers.push_back({"if-match", etag_});
    }
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
    if (answer.status >= 200 && answer.status < 300) return {};
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
  bool ended_ = false;  // by the sink, or because the rest cannot be had
};

}  // namespace

Result<void> stream_s3(const S3Bucket& bucket, const std::string& key, const KeyStore::Sink& sink) {
  return S3Stream(bucket, key, sink).run();
}

}  // namespace trainyard
