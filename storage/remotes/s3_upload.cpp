// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_upload.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "storage/remotes/md5.hpp"
#include "storage/remotes/part_senders.hpp"
#include "storage/remotes/s3_listing.hpp"
#include "storage/values/sha256.hpp"
#include "storage/values/sha256_lanes.hpp"

namespace trainyard {

namespace {

constexpr std::uint64_t kMostParts = 10'000;  // says S3
constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20U;
// A server may put long files together before it answers.
constexpr std::chrono::minutes kToFinish{5};
constexpr int kFinishings = 4;

Error too_short(const S3File& file) {
  return fail(Errc::corrupt, "'" + file.path.string() + "' became shorter while it was put as '" + file.key + "'");
}

Result<std::size_t> read_at(const S3File& file, std::uint64_t offset, std::span<char> into) {
  for (;;) {
    const ssize_t count = ::pread(file.fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return too_short(file);
    if (errno != EINTR) return system_error("read", file.path, errno);
  }
}

// The same body, which tells of bytes that go for the first time.
HttpBody told(HttpBody body, const KeyStore::Moved& moved) {
  const auto high = std::make_shared<std::uint64_t>(0);
  return {
      body.bytes,
      [read = std::move(body.read), moved, high](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
        const std::size_t copied = TRY(read(offset, into));
        if (const std::uint64_t end = offset + copied; end > *high) moved(end - std::exchange(*high, end));
        return copied;
      }};
}

Result<Digest> digest_of(const S3File& file) {
  Sha256 sha;
  std::string buffer(kMegabyte, '\0');
  for (std::uint64_t offset = 0; offset < file.bytes;) {
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), file.bytes - offset));
    const std::size_t count = TRY(read_at(file, offset, std::span(buffer.data(), most)));
    sha.update(std::string_view(buffer).substr(0, count));
    offset += count;
  }
  return sha.finish();
}

Error other_content(const S3File& file) {
  return fail(Errc::corrupt, "'" + file.path.string() + "' is not what the digest in '" + file.key +
                                 "' says: its bytes are not those of " + file.digest.hex());
}

// One upload of one file.
class PartwiseUpload {
 public:
  PartwiseUpload(const S3Bucket& bucket, const S3File& file, const S3Parts& parts, const KeyStore::Moved& moved)
      : bucket_(bucket), file_(file), parts_(parts), moved_(moved), action_("write " + bucket.named(file.key)) {
    const std::uint64_t least = (file.bytes + kMostParts - 1) / kMostParts;
    part_bytes_ = std::max(parts.bytes, (least + kMegabyte - 1) / kMegabyte * kMegabyte);
  }

  // `not_found` when somebody finished or abandoned it meanwhile.
  Result<void> run() {
    TRY(find_or_begin());
    TRY(send_parts());
    return finish();
  }

 private:
  Result<void> find_or_begin() {
    std::optional<S3Upload> latest;
    TRY(each_s3_upload(bucket_, file_.key, [&](const S3Upload& upload) -> Result<void> {
      if (upload.key == file_.key && (!latest || latest->begun < upload.begun)) latest = upload;
      return {};
    }));
    if (latest) {
      id_ = latest->id;
      there_ = TRY(s3_parts(bucket_, *latest));
      return {};
    }
    S3Call call;
    call.method = "POST";
    call.key = file_.key;
    call.query = {{"uploads", ""}};
    const HttpAnswer answer = TRY(bucket_.obeyed(call, action_));
    id_ = TRY(s3_element(answer, "InitiateMultipartUploadResult", action_)).text_of("UploadId");
    if (id_.empty()) return fail(Errc::unavailable, "cannot " + action_ + ": the server names no upload; try again");
    return {};
  }

  Result<void> send_parts() {
    PartwiseSha256 whole;
    PartSenders senders(parts_.at_once, [this](const FilePart& part) { return send(part); });
    int number = 1;
    for (std::uint64_t offset = 0; offset < file_.bytes; ++number) {
      std::string bytes(static_cast<std::size_t>(std::min(part_bytes_, file_.bytes - offset)), '\0');
      for (std::size_t filled = 0; filled < bytes.size();)
        filled += TRY(read_at(file_, offset + filled, std::span(bytes).subspan(filled)));
      offset += bytes.size();
      const Digest digest = whole.part(bytes);
      const auto there = there_.find(number);
      if (there != there_.end() && there->second.bytes == bytes.size() && there->second.etag == md5_hex(bytes)) {
        const std::lock_guard lock(mutex_);
        etags_[number] = there->second.etag;
      } else if (!senders.add({number, std::move(bytes), digest})) {
        break;
      }
    }
    TRY(senders.finish());
    if (whole.whole() == file_.digest) return {};
    TRY(abandon_s3_upload(bucket_, file_.key, id_));
    return other_content(file_);
  }

  // In any thread.
  Result<void> send(const FilePart& part) {
    S3Call call;
    call.method = "PUT";
    call.key = file_.key;
    call.query = {{"partNumber", std::to_string(part.number)}, {"uploadId", id_}};
    call.body = told(HttpBody::of(part.bytes), moved_);
    call.payload = part.digest.hex();
    const HttpAnswer answer = TRY(bucket_.obeyed(call, action_));
    const std::string etag = without_quotes(answer.header("etag").value_or(""));
    if (etag.empty()) return fail(Errc::unavailable, "cannot " + action_ + ": a part has no ETag; try again");
    const std::lock_guard lock(mutex_);
    etags_[part.number] = etag;
    return {};
  }

  Result<void> finish() {
    std::string body = "<CompleteMultipartUpload>";
    for (const auto& [number, etag] : etags_)
      body += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>\"" + xml_escaped(etag) +
              "\"</ETag></Part>";
    body += "</CompleteMultipartUpload>";
    S3Call call;
    call.method = "POST";
    call.key = file_.key;
    call.query = {{"uploadId", id_}};
    call.body = HttpBody::of(body);
    call.payload = sha256(body).hex();
    call.patience.stalled = kToFinish;
    for (int attempt = 1;; ++attempt) {
      HttpAnswer answer = TRY(bucket_.obeyed(call, action_));
      // 200 only says that the server has begun to put the parts together; the body says how it went.
      auto done = s3_element(answer, "CompleteMultipartUploadResult", action_);
      if (done.ok()) return {};
      const S3Refusal refusal = s3_refusal(answer);
      if (refusal.code.empty() || attempt == kFinishings) {
        answer.status = refusal.code.empty() ? answer.status : 500;
        return refusal.code.empty() ? std::move(done).error() : bucket_.error_of(answer, action_);
      }
    }
  }

  const S3Bucket& bucket_;
  const S3File& file_;
  const S3Parts& parts_;
  const KeyStore::Moved& moved_;
  const std::string action_;
  std::uint64_t part_bytes_ = 0;
  std::string id_;
  std::map<int, S3Part> there_;
  std::mutex mutex_;
  std::map<int, std::string> etags_;  // of all parts that are there; guarded by mutex_
};

}  // namespace

Result<void> upload_whole(const S3Bucket& bucket, const S3File& file, const KeyStore::Moved& moved) {
  S3Call call;
  call.method = "PUT";
  call.key = file.key;
  call.payload = file.digest.hex();
  call.body = told(
      {file.bytes, [&](std::uint64_t offset, std::span<char> into) { return read_at(file, offset, into); }}, moved);
  const HttpAnswer answer = TRY(bucket.send(call));
  if (answer.status >= 200 && answer.status < 300) return {};
  const std::string code = s3_refusal(answer).code;
  if ((code == "XAmzContentSHA256Mismatch" || code == "BadDigest") && TRY(digest_of(file)) != file.digest)
    return other_content(file);
  return bucket.error_of(answer, "write " + bucket.named(file.key));
}

Result<void> upload_in_parts(const S3Bucket& bucket, const S3File& file, const S3Parts& parts,
                             const KeyStore::Moved& moved) {
  return PartwiseUpload(bucket, file, parts, moved).run();
}

Result<void> abandon_s3_upload(const S3Bucket& bucket, const std::string& key, const std::string& id) {
  S3Call call;
  call.method = "DELETE";
  call.key = key;
  call.query = {{"uploadId", id}};
  const HttpAnswer answer = TRY(bucket.send(call));
  if (answer.status == 404 || (answer.status >= 200 && answer.status < 300)) return {};
  return bucket.error_of(answer, "abandon an upload to " + bucket.named(key));
}

}  // namespace trainyard
