// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_keys.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "storage/remotes/random_name.hpp"
#include "storage/remotes/s3_listing.hpp"
#include "storage/remotes/s3_stream.hpp"
#include "storage/values/number.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

S3Call writing(const std::string& key, std::string_view bytes) {
  S3Call call;
  call.method = "PUT";
  call.key = key;
  call.body = HttpBody::of(bytes);
  call.payload = sha256(bytes).hex();
  return call;
}

}  // namespace

S3Keys::S3Keys(RemoteAddress address, S3Settings settings, HttpClient& http, RateLimit* limit,
               std::function<Instant()> now, S3Parts parts)
    : bucket_(std::move(address), std::move(settings), http, limit, std::move(now)), parts_(parts) {}

Result<void> S3Keys::create(const std::string& key, std::string_view bytes) {
  S3Call call = writing(key, bytes);
  call.headers = {{"if-none-match", "*"}};
  const HttpAnswer answer = TRY(bucket_.send(call));
  if (is_good(answer)) return {};
  if (answer.status != 412) return bucket_.error_of(answer, "create " + bucket_.named(key));
  // An earlier sending may have created it and its answer was lost.
  if (answer.sendings > 1) {
    const auto there = read(key, bytes.size());
    if (there.ok() && *there == bytes) return {};
    if (!there.ok() && there.error().code == Errc::unavailable) return there.error();
  }
  return fail(Errc::exists, bucket_.named(key) + " is there already");
}

Result<void> S3Keys::replace(const std::string& key, std::string_view bytes) {
  TRY(bucket_.obeyed(writing(key, bytes), "write " + bucket_.named(key)));
  return {};
}

Result<void> S3Keys::put(const std::string& key, const Path& path, std::uint64_t bytes, const Digest& digest,
                         const Moved& moved) {
  const UniqueFd fd = TRY(open_file(path, O_RDONLY));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("look at", path, errno);
  if (static_cast<std::uint64_t>(status.st_size) != bytes)
    return fail(Errc::corrupt, "'" + path.string() + "' has " + std::to_string(status.st_size) + " bytes and not the " +
                                   std::to_string(bytes) + " of '" + key + "'");
  if (TRY(size(key)) == bytes) return {};
  TRY(upload({key, path, fd.get(), bytes, digest}, moved));
  const auto there = TRY(size(key));
  if (there == bytes) return {};
  return fail(Errc::corrupt, bucket_.named(key) +
                                 (there ? " has " + std::to_string(*there) + " bytes there and not the " +
                                              std::to_string(bytes) + " that were sent"
                                        : " is not there after it was sent") +
                                 "; look whether somebody else writes to the bucket");
}

Result<void> S3Keys::upload(const S3File& file, const Moved& moved) {
  if (file.bytes <= parts_.whole_up_to) return upload_whole(bucket_, file, moved);
  auto done = upload_in_parts(bucket_, file, parts_, moved);
  // Who puts the same file at the same time shares the upload, and may have been faster, or have given it up.
  if (done.ok() || done.error().code != Errc::not_found) return done;
  if (TRY(size(file.key)) == file.bytes) return {};
  return upload_in_parts(bucket_, file, parts_, moved);
}

Result<std::optional<std::uint64_t>> S3Keys::size(const std::string& key) {
  S3Call call;
  call.method = "HEAD";
  call.key = key;
  const HttpAnswer answer = TRY(bucket_.send(call));
  if (answer.status == 404) return std::optional<std::uint64_t>();
  const std::string action = "look at " + bucket_.named(key);
  if (!is_good(answer)) {
    // The answer to HEAD has no body that says why.
    call.method = "GET";
    call.headers = {{"range", "bytes=0-0"}};
    const HttpAnswer why = TRY(bucket_.send(call));
    return bucket_.error_of(is_good(why) ? answer : why, action);
  }
  const auto bytes = number_in<std::uint64_t>(answer.header("content-length").value_or(""));
  if (!bytes) return fail(Errc::unavailable, "cannot " + action + ": the server does not say its length; try again");
  return std::optional(*bytes);
}

Result<std::string> S3Keys::read(const std::string& key, std::size_t most) {
  std::string bytes;
  TRY(stream(key, [&](std::string_view piece) -> Result<void> {
    if (piece.size() > most - bytes.size())
      return fail(Errc::invalid, bucket_.named(key) + " is longer than " + std::to_string(most) + " bytes");
    bytes += piece;
    return {};
  }));
  return bytes;
}

Result<void> S3Keys::stream(const std::string& key, const Sink& sink) { return stream_s3(bucket_, key, sink); }

Result<KeyEntry> S3Keys::stream_listed(const KeyEntry& listed, const Sink& sink) {
  return stream_listed_s3(bucket_, listed, sink);
}

Result<void> S3Keys::list(const std::string& prefix, const std::function<Result<void>(const KeyEntry&)>& each) {
  return each_s3_key(bucket_, prefix, each);
}

Result<void> S3Keys::remove(const std::string& key) {
  S3Call call;
  call.method = "DELETE";
  call.key = key;
  const HttpAnswer answer = TRY(bucket_.send(call));
  if (is_good(answer) || s3_refusal(answer).code == "NoSuchKey") return {};
  return bucket_.error_of(answer, "remove " + bucket_.named(key));
}

Result<std::uint64_t> S3Keys::unfinished(const std::string& prefix, Instant before, Unfinished what) {
  std::vector<S3Upload> old;
  TRY(each_s3_upload(bucket_, prefix, [&](const S3Upload& upload) -> Result<void> {
    if (upload.begun < before) old.push_back(upload);
    return {};
  }));
  if (what == Unfinished::abandon)
    for (const S3Upload& upload : old) TRY(abandon_s3_upload(bucket_, upload.key, upload.id));
  return old.size();
}

Result<void> S3Keys::refuse_versions() {
  const std::string action = "use the bucket of '" + text() + "'";
  S3Call call;
  call.query = {{"versioning", ""}};
  const HttpAnswer answer = TRY(bucket_.send(call));
  if (answer.status == 405 || answer.status == 501) return {};  // has no versions
  if (!is_good(answer)) return bucket_.error_of(answer, action);
  const XmlElement versioning = TRY(s3_element(answer, "VersioningConfiguration", action));
  if (versioning.text_of("Status").empty()) return {};
  return fail(Errc::incompatible, "cannot " + action +
                                      ": it keeps versions of what is in it, and some servers let two "
                                      "publishers win there; make a bucket without versioning for Trainyard");
}

Result<void> S3Keys::probe() {
  TRY(refuse_versions());
  const std::string key = "probe/" + random_name();
  const auto first = create(key, "first");
  const auto second = first.ok() ? create(key, "second") : first;
  const auto removed = remove(key);
  if (!first.ok()) return first;
  if (second.ok())
    return fail(Errc::incompatible,
                "cannot use '" + text() +
                    "': the server lets a key be created twice, so that two "
                    "publishers of one version could both win; use a server that obeys If-None-Match");
  if (second.error().code != Errc::exists) return second;
  return removed;
}

}  // namespace trainyard
