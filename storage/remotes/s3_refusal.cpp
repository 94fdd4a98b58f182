// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_refusal.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "storage/remotes/s3_xml.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

constexpr std::size_t kMostSaid = 200;

std::string one_line(std::string_view text) {
  std::string line = printable(text.substr(0, kMostSaid));
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

struct Meaning {
  std::string_view code;
  Errc errc;
  std::string_view why;  // and what to do
};

constexpr std::array kMeanings{
    Meaning{"ExpiredToken", Errc::io, "the session of the S3 credentials has ended; get new credentials"},
    Meaning{"TokenRefreshRequired", Errc::io, "the session of the S3 credentials has ended; get new credentials"},
    Meaning{"InvalidToken", Errc::io,
            "the server does not know the session token; get new credentials, or unset AWS_SESSION_TOKEN"},
    Meaning{"InvalidAccessKeyId", Errc::io,
            "the server does not know the access key; check AWS_ACCESS_KEY_ID or the profile, and the endpoint"},
    Meaning{"SignatureDoesNotMatch", Errc::io,
            "the secret key is not that of the access key; check AWS_SECRET_ACCESS_KEY or the profile"},
    Meaning{
        "AccessDenied", Errc::io,
        "the credentials do not allow it; ask the owner of the bucket for the right to read, write, list and delete"},
    Meaning{"NoSuchKey", Errc::not_found, "it is not there"},
    Meaning{"NoSuchUpload", Errc::not_found, "its upload was finished or abandoned meanwhile"},
    Meaning{"InvalidPart", Errc::not_found, "a part of its upload was replaced meanwhile"},
    Meaning{"QuotaExceeded", Errc::unavailable, "the quota is used up; make room or ask for more"},
    Meaning{"XAmzContentSHA256Mismatch", Errc::unavailable, "the bytes arrived damaged; try again"},
    Meaning{"BadDigest", Errc::unavailable, "the bytes arrived damaged; try again"},
    Meaning{"RequestTimeout", Errc::unavailable, "the bytes arrived too slowly; try again"},
    Meaning{"OperationAborted", Errc::unavailable, "somebody else is at work on it; try again"},
    Meaning{"ConditionalRequestConflict", Errc::unavailable, "somebody else is at work on it; try again"},
};

}  // namespace

S3Refusal s3_refusal(const HttpAnswer& answer) {
  S3Refusal refusal{answer.status};
  refusal.region = one_line(answer.header("x-amz-bucket-region").value_or(""));
  refusal.date = one_line(answer.header("date").value_or(""));
  const auto root = read_xml(answer.body);
  if (!root.ok() || root->name != "Error") return refusal;
  refusal.code = one_line(root->text_of("Code"));
  refusal.message = one_line(root->text_of("Message"));
  if (refusal.region.empty()) refusal.region = one_line(root->text_of("Region"));
  return refusal;
}

bool is_passing(const S3Refusal& refusal) {
  constexpr std::array<std::string_view, 5> kPassing{"XAmzContentSHA256Mismatch", "BadDigest", "RequestTimeout",
                                                     "OperationAborted", "ConditionalRequestConflict"};
  return std::find(kPassing.begin(), kPassing.end(), refusal.code) != kPassing.end() ||
         (refusal.status == 409 && refusal.code.empty());
}

Error error_of(const S3Refusal& refusal, const std::string& action, const std::string& bucket, Instant now) {
  const std::string said = std::to_string(refusal.status) + (refusal.code.empty() ? "" : " " + refusal.code) +
                           (refusal.message.empty() || refusal.message == refusal.code ? "" : ": " + refusal.message);
  const std::string begin = "cannot " + action + ": ";
  for (const Meaning& each : kMeanings)
    if (each.code == refusal.code) return fail(each.errc, begin + std::string(each.why) + " (" + said + ")");
  if (refusal.code == "RequestTimeTooSkewed")
    return fail(Errc::io, begin + "the clock of this machine is wrong: it says " + now.short_text() +
                              ", and the server's says " + (refusal.date.empty() ? "another time" : refusal.date) +
                              "; set it (" + said + ")");
  if (refusal.code == "NoSuchBucket")
    return fail(Errc::invalid, begin + "there is no bucket '" + bucket + "'; create it or correct the address");
  if (refusal.code == "AuthorizationHeaderMalformed" || refusal.code == "PermanentRedirect" || refusal.status == 301)
    return fail(Errc::invalid,
                begin + "the bucket '" + bucket + "' is " +
                    (refusal.region.empty() ? "in another region" : "in the region '" + refusal.region + "'") +
                    "; name it in the address, '?region=…' (" + said + ")");
  if (refusal.status == 507)
    return fail(Errc::unavailable, begin + "the server has no room left; make room there (" + said + ")");
  if (refusal.status >= 500 || refusal.status == 429 || refusal.status == 408)
    return fail(Errc::unavailable, begin + "the server cannot do it now; try again later (" + said + ")");
  return fail(Errc::io, begin + "the server refuses it (" + said + ")");
}

}  // namespace trainyard
