// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <utility>

#include "storage/remotes/oci_registry.hpp"
#include "storage/values/number.hpp"
#include "storage/values/sha256.hpp"

// The content of a registry: distribution-spec 1.1, "Pushing blobs" and "Pulling blobs".
namespace trainyard {

namespace {

constexpr std::uint64_t kMostInOnePut = std::uint64_t{64} << 20U;
constexpr std::uint64_t kChunk = std::uint64_t{32} << 20U;
// Without a byte more than ever before.
constexpr int kMostTries = 5;

const std::string kBytes = "application/octet-stream";

std::string blob_path(const std::string& repository, const Digest& digest) {
  return repository + "/blobs/" + oci_digest(digest);
}

void rest_before(int attempt) { std::this_thread::sleep_for(std::chrono::milliseconds(50) * (1 << attempt)); }

Result<std::size_t> read_at(int fd, std::uint64_t offset, std::span<char> into, const Path& shown) {
  for (;;) {
    const ssize_t count = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return fail(Errc::io, "'" + shown.string() + "' became shorter while it was sent");
    if (errno != EINTR) return system_error("read", shown, errno);
  }
}

Result<Digest> digest_of(int fd, std::uint64_t bytes, const Path& shown) {
  Sha256 sha;
  std::vector<char> buffer(std::size_t{1} << 18U);
  for (std::uint64_t offset = 0; offset < bytes;) {
    const std::size_t count = TRY(read_at(fd, offset, buffer, shown));
    sha.update(std::string_view(buffer.data(), count));
    offset += count;
  }
  return sha.finish();
}

}  // namespace

struct OciRegistry::Upload {
  const std::string& repository;
  const Digest& digest;
  std::uint64_t bytes;
  std::function<Result<std::size_t>(std::uint64_t offset, std::span<char> into)> read;
};

Result<bool> OciRegistry::has_blob(const std::string& repository, const Digest& digest) {
  const HttpAnswer answer = TRY(session_.send(repository, {"HEAD", session_.url(blob_path(repository, digest))}));
  if (answer.status == 404) return false;
  if (answer.status != 200) return session_.refusal("look for content in '" + repository + "'", answer);
  return true;
}

Result<OciRegistry::Place> OciRegistry::begin_upload(const std::string& repository) {
  const std::string url = session_.url(repository + "/blobs/uploads/");
  const HttpAnswer answer = TRY(session_.send(repository, {"POST", url, {}, HttpBody::of("")}));
  const auto location = answer.header("location");
  if (answer.status != 202 || !location) return session_.refusal("send content to '" + repository + "'", answer);
  const auto least = number_in<std::uint64_t>(answer.header("oci-chunk-min-length").value_or(""));
  return Place{resolved_url(url, *location), least.value_or(0)};
}

Result<void> OciRegistry::finish(const Upload& upload, const HttpAnswer& answer) {
  const std::string name = oci_digest(upload.digest);
  if (answer.status != 201 && answer.status != 204 && answer.status != 200) {
    // The answer to an earlier sending of the same may have got lost.
    if (TRY(has_blob(upload.repository, upload.digest))) return {};
    // What arrived damaged, or at an upload that the registry gave up, may arrive whole the next time.
    auto refusal = session_.refusal("send " + name + " to '" + upload.repository + "'", answer);
    if (answer.status == 400 || answer.status == 404 || answer.status == 416) refusal.code = Errc::unavailable;
    return refusal;
  }
  const auto told = answer.header("docker-content-digest");
  if (told && *told != name)
    return fail(Errc::corrupt, "'" + text() + "': the registry keeps '" + *told + "' instead of " + name);
  return {};
}

Result<void> OciRegistry::send_whole(const Upload& upload) {
  for (int attempt = 0;; ++attempt) {
    const std::string location = TRY(begin_upload(upload.repository)).location;
    HttpBody body{upload.bytes, upload.read};
    HttpRequest request{"PUT",
                        location + (location.find('?') == std::string::npos ? "?" : "&") +
                            "digest=" + percent_encoded(oci_digest(upload.digest)),
                        {{"Content-Type", kBytes}},
                        limit_ != nullptr ? limit_->limited(std::move(body)) : std::move(body)};
    const HttpAnswer answer = TRY(session_.send(upload.repository, std::move(request)));
    auto finished = finish(upload, answer);
    if (finished.ok() || finished.error().code != Errc::unavailable || attempt + 1 == 2) return finished;
  }
}

Result<HttpAnswer> OciRegistry::send_chunk(const Upload& upload, const std::string& location, std::uint64_t offset,
                                           std::uint64_t count) {
  HttpBody body{count, [&](std::uint64_t from, std::span<char> into) { return upload.read(offset + from, into); }};
  const std::string range = std::to_string(offset) + "-" + std::to_string(offset + count - 1);
  HttpRequest request{"PATCH",
                      location,
                      {{"Content-Type", kBytes}, {"Content-Range", range}},
                      limit_ != nullptr ? limit_->limited(std::move(body)) : std::move(body)};
  return session_.send(upload.repository, std::move(request));
}

Result<void> OciRegistry::send_in_chunks(const Upload& upload) {
  Place place = TRY(begin_upload(upload.repository));
  std::uint64_t sent = 0;
  std::uint64_t most_sent = 0;
  for (int failed = 0; sent < upload.bytes;) {
    const std::uint64_t count = std::min(std::max(kChunk, place.least_chunk), upload.bytes - sent);
    auto answer = send_chunk(upload, place.location, sent, count);
    if (!answer.ok() && answer.error().code != Errc::unavailable) return answer.error();
    const long status = answer.ok() ? answer->status : 0;  // 0: nobody can say whether the registry took it
    std::uint64_t now_there = sent + count;
    if (status != 200 && status != 201 && status != 202 && status != 204) {
      const bool doubtful = status == 0 || status == 404 || status == 416 || status >= 500;
      if (!doubtful) return session_.refusal("send content to '" + upload.repository + "'", *answer);
      if (++failed == kMostTries)
        return fail(Errc::unavailable, "'" + text() + "' does not take " + oci_digest(upload.digest) + " at present");
      rest_before(failed);
      // Where the registry thinks it is; one that has forgotten the upload begins anew.
      answer = session_.send(upload.repository, {"GET", place.location});
      if (!answer.ok() && answer.error().code != Errc::unavailable) return answer.error();
      const auto has =
          answer.ok() && answer->status < 300 ? uploaded_in(answer->header("range").value_or("")) : std::nullopt;
      // Where it belongs, and yet the registry will not have it: GitHub's takes 4 MiB at a time and does not say so.
      if (status == 416 && has.value_or(0) == sent) return send_whole(upload);
      if (!has || *has > upload.bytes) {
        place = TRY(begin_upload(upload.repository));
        sent = 0;
        continue;
      }
      now_there = *has;
    } else if (const auto has = uploaded_in(answer->header("range").value_or(""))) {
      // Amazon's tells so that it threw away what it took with thanks, all but the first chunk.
      if (*has <= sent) return send_whole(upload);
      now_there = std::min(now_there, *has);
    }
    if (now_there > most_sent) failed = 0;
    most_sent = std::max(most_sent, now_there);
    sent = now_there;
    if (const auto next = answer->header("location")) place.location = resolved_url(place.location, *next);
  }
  HttpRequest request{"PUT",
                      place.location + (place.location.find('?') == std::string::npos ? "?" : "&") +
                          "digest=" + percent_encoded(oci_digest(upload.digest)),
                      {},
                      HttpBody::of("")};
  return finish(upload, TRY(session_.send(upload.repository, std::move(request))));
}

Result<void> OciRegistry::put_blob(const std::string& repository, const Digest& digest, std::uint64_t bytes,
                                   const Path& file, const Moved& moved) {
  const UniqueFd fd = TRY(open_file(file, O_RDONLY));
  const auto status = TRY(status_of(file));
  const std::string differs = "'" + file.string() + "' is not the content " + oci_digest(digest);
  if (!status || static_cast<std::uint64_t>(status->st_size) != bytes) return fail(Errc::corrupt, differs);
  if (TRY(has_blob(repository, digest))) return {};
  std::uint64_t told = 0;  // a repeated sending counts once
  const Upload upload{repository, digest, bytes,
                      [&](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
                        const std::size_t count = TRY(read_at(fd.get(), offset, into, file));
                        if (offset + count > told) moved(offset + count - std::exchange(told, offset + count));
                        return count;
                      }};
  auto sent = bytes > kMostInOnePut ? send_in_chunks(upload) : send_whole(upload);
  if (!sent.ok() && TRY(digest_of(fd.get(), bytes, file)) != digest) return fail(Errc::corrupt, differs);
  return sent;
}

Result<void> OciRegistry::put_bytes(const std::string& repository, std::string_view bytes) {
  const Digest digest = sha256(bytes);
  if (TRY(has_blob(repository, digest))) return {};
  return send_whole({repository, digest, bytes.size(), HttpBody::of(bytes).read});
}

Result<void> OciRegistry::get_blob(const std::string& repository, const Digest& digest, std::uint64_t bytes,
                                   const Sink& sink) {
  const std::string name = oci_digest(digest);
  const std::string corrupt = "'" + text() + "': the content " + name + " of '" + repository + "' is damaged there";
  Sha256 sha;
  std::uint64_t got = 0;
  for (int failed = 0; failed < kMostTries; ++failed) {
    if (failed > 0) rest_before(failed);
    const std::uint64_t had = got;
    HttpRequest request{"GET", session_.url(blob_path(repository, digest))};
    if (got > 0) request.headers.push_back({"Range", "bytes=" + std::to_string(got) + "-"});
    std::uint64_t skip = 0;
    // A registry that knows no ranges begins at the beginning.
    request.before_sink = [&](const HttpAnswer& head) -> Result<void> {
      const auto range = head.header("content-range");
      const auto first = head.status != 206 ? 0 : range ? first_in(*range) : got;
      if (!first || *first > got)
        return fail(Errc::incompatible, "'" + text() + "' yields another part of " + name + " than it was asked for");
      skip = got - *first;
      return {};
    };
    request.sink = [&](std::string_view piece) -> Result<void> {
      const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip, piece.size()));
      skip -= skipped;
      piece.remove_prefix(skipped);
      if (piece.size() > bytes - got) return fail(Errc::corrupt, corrupt);
      got += piece.size();
      sha.update(piece);
      return piece.empty() ? Result<void>() : sink(piece);
    };
    if (limit_ != nullptr) request.sink = limit_->limited(std::move(request.sink));
    auto answer = session_.send(repository, std::move(request));
    if (answer.ok() && answer->status == 404)
      return fail(Errc::not_found, "'" + text() + "' has no content " + name + " in '" + repository + "'");
    const bool whole = got == bytes && (answer.ok() ? answer->status < 300 : answer.error().code == Errc::unavailable);
    if (whole && (answer.ok() || got > 0))
      return sha.finish() == digest ? Result<void>() : fail(Errc::corrupt, corrupt);
    if (answer.ok() && answer->status < 300) return fail(Errc::corrupt, corrupt);
    if (answer.ok() && answer->status != 416) {
      auto refusal = session_.refusal("read " + name + " of '" + repository + "'", *answer);
      if (refusal.code != Errc::unavailable || got == 0) return refusal;
    } else if (!answer.ok() && answer.error().code != Errc::unavailable) {
      return answer.error();
    }
    if (got > had) failed = 0;
    if (failed + 1 == kMostTries && !answer.ok()) return answer.error();
  }
  return fail(Errc::unavailable, "'" + text() + "' does not yield all of " + name + " at present");
}

}  // namespace trainyard
